import { fromBase64, toBase64 } from '#base/bytes.ts'
import { SHA256_BYTES } from '#base/crypto.ts'
import { parseSize } from '#trust/ledger/checkpoint.ts'

/** What a log asks of a witness (c2sp.org/tlog-witness, "add-checkpoint"). */
export interface AddCheckpoint {
  /** Size of the last checkpoint that the witness has cosigned, as the log believes. */
  readonly oldSize: number
  /** Proves that the tree grew from there (RFC 6962 section 2.1.2). */
  readonly proof: readonly Uint8Array[]
  /** The new checkpoint with its signatures. */
  readonly checkpoint: string
}

/** c2sp.org/tlog-witness: "The client MUST NOT send more than 63 consistency proof lines." */
const PROOF_LINES = 63

/** Reads the body of a request; undefined when it is malformed. The checkpoint in it is not looked at. */
export function parseAddCheckpoint(body: string): AddCheckpoint | undefined {
  const end = body.indexOf('\n\n')
  const [old = '', ...lines] = body.slice(0, Math.max(0, end)).split('\n')
  const oldSize = old.startsWith('old ') ? parseSize(old.slice(4)) : undefined
  const hashes = lines.map(fromBase64).filter((hash) => hash?.length === SHA256_BYTES)
  const proof = hashes.filter((hash) => hash !== undefined)
  if (oldSize === undefined || lines.length > PROOF_LINES || proof.length < lines.length) return undefined
  return { oldSize, proof, checkpoint: body.slice(end + 2) }
}

/** Prints the body of a request. */
export function printAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): string {
  const lines = proof.map((hash) => `${toBase64(hash)}\n`)
  return `old ${oldSize}\n${lines.join('')}\n${checkpoint}`
}
