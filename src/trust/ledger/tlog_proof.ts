import { fromBase64, toBase64 } from '#base/bytes.ts'
import { SHA256_BYTES } from '#base/crypto.ts'
import { parseSize } from './checkpoint.ts'

/** Proofs of inclusion in files (c2sp.org/tlog-proof). */

export interface TlogProof {
  /** Data that nothing in the file vouches for; undefined when there is none. */
  readonly extra?: Uint8Array | undefined
  readonly index: number
  /** Leaf side first. */
  readonly hashes: readonly Uint8Array[]
  /** The signed note, as it was signed. */
  readonly checkpoint: string
}

export const TLOG_PROOF = 'c2sp.org/tlog-proof@v1'
const EXTRA = 'extra '
const INDEX = 'index '
/** A tree of 2^53 leaves has proofs of 53 hashes. */
const HASHES_MAX = 64

export function printTlogProof({ extra, index, hashes, checkpoint }: TlogProof): string {
  const lines = [
    TLOG_PROOF,
    ...(extra === undefined ? [] : [EXTRA + toBase64(extra)]),
    `${INDEX}${index}`,
    ...hashes.map(toBase64),
  ]
  return `${lines.join('\n')}\n\n${checkpoint}`
}

/** Reads such a file, without looking at what it proves; undefined for anything that is not exactly of the form. */
export function parseTlogProof(text: string): TlogProof | undefined {
  const end = text.indexOf('\n\n')
  const [version, ...lines] = text.slice(0, Math.max(end, 0)).split('\n')
  const extra =
    lines[0]?.startsWith(EXTRA) === true ? fromBase64(lines.shift()?.slice(EXTRA.length) ?? '') : NONE
  const [first = '', ...rest] = lines
  const index = first.startsWith(INDEX) ? parseSize(first.slice(INDEX.length)) : undefined
  const hashes = rest.map((line) => fromBase64(line))
  const areHashes = hashes.every((hash) => hash?.length === SHA256_BYTES)
  if (version !== TLOG_PROOF || extra === undefined || index === undefined) return undefined
  if (!areHashes || hashes.length > HASHES_MAX) return undefined
  return {
    extra: extra === NONE ? undefined : extra,
    index,
    hashes: hashes.filter((hash) => hash !== undefined),
    checkpoint: text.slice(end + 2),
  }
}

/** Stands for extra data that is left out, which is not the same as data that cannot be read. */
const NONE = new Uint8Array(0)
