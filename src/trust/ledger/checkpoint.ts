import { fromBase64, toBase64 } from '#base/bytes.ts'
import type { Millis } from '#base/clock.ts'
import { SHA256_BYTES } from '#base/crypto.ts'
import { openNote, parseNote, signNote, type NoteSigner, type NoteVerifier } from './note.ts'

/** The state of a log that a checkpoint states (c2sp.org/tlog-checkpoint). */
export interface Head {
  readonly origin: string
  readonly size: number
  readonly root: Uint8Array
}

/** The signed checkpoint of a head, with one line of each signer. */
export async function signCheckpoint(
  head: Head,
  signers: readonly NoteSigner[],
  at: Millis,
): Promise<string> {
  return await signNote(printHead(head), signers, at)
}

/** The text of a checkpoint, without signatures. */
export function printHead({ origin, size, root }: Head): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`
}

/** The head that a checkpoint states, if one of these keys signed it under its origin; otherwise undefined. */
export function openCheckpoint(
  note: string,
  verifiers: NoteVerifier | readonly NoteVerifier[],
): Head | undefined {
  const text = openNote(note, verifiers)
  const head = text === undefined ? undefined : parseHead(text)
  return [verifiers].flat().every(({ name }) => name === head?.origin) ? head : undefined
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
  const count = parseSize(size)
  if (origin === '' || count === undefined || hash?.length !== SHA256_BYTES || rest.at(-1) !== '')
    return undefined
  // Extension lines must not be empty.
  if (rest.slice(0, -1).includes('')) return undefined
  return { origin, size: count, root: hash }
}

/** A size in decimal without leading zeros; undefined for anything else, and beyond 2^53, which is not rounded. */
export function parseSize(text: string): number | undefined {
  const count = Number(text)
  return /^(?:0|[1-9][0-9]*)$/.test(text) && Number.isSafeInteger(count) ? count : undefined
}
