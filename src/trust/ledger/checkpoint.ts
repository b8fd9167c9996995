import { toBase64 } from '#base/bytes.ts'
import { SHA256_BYTES } from '#base/crypto.ts'
import { fromBase64, openNote, parseNote, type NoteSigner, type NoteVerifier } from './note.ts'

/** The state of a log that a checkpoint states (c2sp.org/tlog-checkpoint). */
export interface Head {
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
}

/** The signed checkpoint of a head. */
export function signCheckpoint(head: Head, signer: NoteSigner): string {
  return signer.sign(`${head.origin}\n${head.size}\n${toBase64(head.root)}\n`)
}

/** The head that a checkpoint states, if this key signed it under its origin; otherwise undefined. */
export function openCheckpoint(note: string, verifier: NoteVerifier): Head | undefined {
  const text = openNote(note, verifier)
  const head = text === undefined ? undefined : parseHead(text)
  return head?.origin === verifier.name ? head : undefined
}

/** The head that a checkpoint states, whoever signed it: only for finding the key to check it with. */
export function peekCheckpoint(note: string): Head | undefined {
  const parsed = parseNote(note)
  return parsed === undefined ? undefined : parseHead(parsed.text)
}

/** Reads the text of a checkpoint. Extension lines are allowed and ignored. */
export function parseHead(text: string): Head | undefined {
  const [origin = '', size = '', root = '', ...rest] = text.split('\n')
  const hash = fromBase64(root)
  const count = Number(size)
  // Decimal without leading zeros; sizes beyond 2^53 are refused, not rounded.
  if (!/^(?:0|[1-9][0-9]*)$/.test(size) || !Number.isSafeInteger(count)) return undefined
  if (origin === '' || hash?.length !== SHA256_BYTES || rest.at(-1) !== '') return undefined
  // Extension lines must not be empty.
  if (rest.slice(0, -1).includes('')) return undefined
  return { origin, size: count, root: hash }
}
