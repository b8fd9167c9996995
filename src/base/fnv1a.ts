const OFFSET = 0x811c9dc5
const PRIME = 0x01000193

/**
 * FNV-1a in 32 bits over the UTF-16 code units from `from` up to but not including `to`; for ASCII that is the standard
 * one. Fast and fixed for good, since filters on disk are made with it; whoever chooses the text can choose the hash.
 */
export function fnv1a(text: string, from = 0, to = text.length): number {
  let hash = OFFSET
  for (let at = from; at < to; at++) hash = Math.imul(hash ^ text.charCodeAt(at), PRIME)
  return hash >>> 0
}
