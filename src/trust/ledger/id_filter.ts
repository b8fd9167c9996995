/**
 * Which ids a segment may hold (a Bloom filter): it answers yes for every id that is there and for about one in a
 * hundred others, so that a search reads few segments in vain. Ids are random, so their own characters serve as hashes.
 */
const BITS_PER_ID = 10
const PROBES = 7
const BYTE_BITS = 8

/** The filter of these ids; repeated ones count once. */
export function idFilter(ids: ReadonlySet<string>): Uint8Array {
  const filter = new Uint8Array(Math.max(1, Math.ceil((ids.size * BITS_PER_ID) / BYTE_BITS)))
  for (const id of ids)
    for (const bit of bitsOf(id, filter.length))
      filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & (BYTE_BITS - 1)))
  return filter
}

/** False only when the id is not among those the filter was made of. */
export function mayHoldId(filter: Uint8Array, id: string): boolean {
  return bitsOf(id, filter.length).every(
    (bit) => ((filter[bit >> 3] ?? 0) & (1 << (bit & (BYTE_BITS - 1)))) !== 0,
  )
}

/** Double hashing (Kirsch and Mitzenmacher, 2006): two hashes give all probes. */
function bitsOf(id: string, filterBytes: number): readonly number[] {
  const bits = filterBytes * BYTE_BITS
  const half = id.length >> 1
  const first = fnv1a(id.slice(0, half))
  const second = (fnv1a(id.slice(half)) | 1) >>> 0
  return Array.from({ length: PROBES }, (_, probe) => (first + probe * second) % bits)
}

/** FNV-1a in 32 bits. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  return hash >>> 0
}
