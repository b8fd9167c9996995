import { concat, fromBase64, toBase64, toHex, utf8 } from '#base/bytes.ts'
import type { Millis } from '#base/clock.ts'
import { ed25519PublicBytes, ed25519Signer, ed25519Verify, SHA256_BYTES, sha256 } from '#base/crypto.ts'

/** Signed notes (c2sp.org/signed-note): a text, an empty line, signature lines. */

export interface NoteSignature {
  readonly name: string
  readonly keyId: Uint8Array
  readonly signature: Uint8Array
}

export interface Note {
  /** The signed text with its last newline. */
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

/** A public key that signs notes, as a verifier key `name+id+key` prints it. */
export interface NoteVerifier {
  readonly name: string
  readonly keyId: Uint8Array
  /** The byte that says how it signs (c2sp.org/signed-note, "Signature types"). */
  readonly type: number
  readonly publicKey: Uint8Array
  /** Whether a signature is of this key, for the text of a note. */
  verifies(text: string, signature: Uint8Array): boolean
}

export interface NoteSigner extends NoteVerifier {
  /** One signature line with its line break. The time is stated where the type of signature states one. */
  sign(text: string, at: Millis): Promise<string>
}

const KEY_ID_BYTES = 4
/** What ML-DSA-44 signs has one byte for the length of a name (c2sp.org/tlog-cosignature). */
export const NAME_BYTES = 255
const ED25519 = 0x01
const DASH = '\u2014'
/** More than any note of ours or of a few dozen witnesses; foreign notes are refused beyond it. */
const NOTE_CHARACTERS = 100_000
const SIGNATURE_LINES = 64

/** Gives the whole note: text, empty line, and the line of each signer in their order. */
export async function signNote(text: string, signers: readonly NoteSigner[], at: Millis): Promise<string> {
  const lines = await Promise.all(signers.map(async (signer) => await signer.sign(text, at)))
  return `${text}\n${lines.join('')}`
}

/** A signer from an Ed25519 private key in PEM. */
export function noteSigner(name: string, pem: string): NoteSigner {
  const verifier = noteVerifier(name, ed25519PublicBytes(pem))
  const sign = ed25519Signer(pem)
  // To hand this to another thread would take as long as to do it.
  return { ...verifier, sign: async (text) => Promise.resolve(signatureLine(verifier, sign(utf8(text)))) }
}

export function noteVerifier(name: string, publicKey: Uint8Array): NoteVerifier {
  return {
    ...keyIdentity(name, ED25519, publicKey),
    verifies: (text, signature) => ed25519Verify(publicKey, utf8(text), signature),
  }
}

/** What tells one key from others: the id binds its name to it, SHA-256(name || 0x0A || type || key), first four bytes. */
export function keyIdentity(
  name: string,
  type: number,
  publicKey: Uint8Array,
): Omit<NoteVerifier, 'verifies'> {
  const keyId = sha256(concat(utf8(`${name}\n`), Uint8Array.of(type), publicKey)).subarray(0, KEY_ID_BYTES)
  return { name, keyId, type, publicKey }
}

export function signatureLine(key: Pick<NoteVerifier, 'name' | 'keyId'>, signature: Uint8Array): string {
  return `${DASH} ${key.name} ${toBase64(concat(key.keyId, signature))}\n`
}

/** Prints a verifier key (c2sp.org/signed-note, "Verifier keys"). */
export function printVerifierKey({ name, keyId, type, publicKey }: Omit<NoteVerifier, 'verifies'>): string {
  return `${name}+${toHex(keyId)}+${toBase64(concat(Uint8Array.of(type), publicKey))}`
}

/** Reads the verifier key of an Ed25519 key; undefined unless it is exactly in the form that `printVerifierKey` gives. */
export function parseVerifierKey(text: string): NoteVerifier | undefined {
  const key = splitVerifierKey(text)
  if (key?.type !== ED25519 || key.publicKey.length !== SHA256_BYTES) return undefined
  return noteVerifier(key.name, key.publicKey)
}

/** The parts of a verifier key of any type, in the exact form of `printVerifierKey`; undefined for anything else. */
export function splitVerifierKey(text: string): Omit<NoteVerifier, 'verifies'> | undefined {
  const [, name = '', encoded = ''] = /^([^+]+)\+[0-9a-f]{8}\+(.+)$/.exec(text) ?? []
  const bytes = fromBase64(encoded)
  const type = bytes?.[0]
  if (bytes === undefined || type === undefined || !isKeyName(name)) return undefined
  if (Buffer.byteLength(name) > NAME_BYTES) return undefined
  const key = keyIdentity(name, type, bytes.subarray(1))
  return printVerifierKey(key) === text ? key : undefined
}

/** Reads a note without checking any signature; undefined when it is malformed. */
export function parseNote(note: string): Note | undefined {
  if (note.length > NOTE_CHARACTERS || hasControlCharacters(note)) return undefined
  const split = note.lastIndexOf('\n\n')
  if (split < 0) return undefined
  const signatures = parseSignatureLines(note.slice(split + 2))
  return signatures === undefined ? undefined : { text: note.slice(0, split + 1), signatures }
}

/** Reads signature lines alone, each with its line break; undefined when one is malformed or there are none. */
export function parseSignatureLines(text: string): readonly NoteSignature[] | undefined {
  if (!text.endsWith('\n') || text.length > NOTE_CHARACTERS || hasControlCharacters(text)) return undefined
  const lines = text.slice(0, -1).split('\n')
  if (lines.length > SIGNATURE_LINES) return undefined
  const signatures = lines.map(parseSignatureLine)
  return signatures.every((each) => each !== undefined) ? signatures : undefined
}

/**
 * The text of a note that one of these keys signed at least; undefined when it is malformed, unsigned by all of them, or
 * wrongly signed by any.
 */
export function openNote(
  note: string,
  verifiers: NoteVerifier | readonly NoteVerifier[],
): string | undefined {
  const parsed = parseNote(note)
  if (parsed === undefined) return undefined
  const known = [verifiers].flat()
  const ours = parsed.signatures.flatMap((signature) => {
    const verifier = known.find((each) => isBy(signature, each))
    return verifier === undefined ? [] : [{ verifier, signature }]
  })
  // A known key with a wrong signature spoils the note; signatures of unknown keys do not count.
  const isSigned =
    ours.length > 0 &&
    ours.every(({ verifier, signature }) => verifier.verifies(parsed.text, signature.signature))
  return isSigned ? parsed.text : undefined
}

/** Whether a signature says that it is by this key. */
export function isBy(
  signature: Pick<NoteSignature, 'name' | 'keyId'>,
  key: Pick<NoteVerifier, 'name' | 'keyId'>,
): boolean {
  return signature.name === key.name && Buffer.compare(signature.keyId, key.keyId) === 0
}

function parseSignatureLine(line: string): NoteSignature | undefined {
  const [dash, name = '', encoded = '', ...rest] = line.split(' ')
  const bytes = fromBase64(encoded)
  if (dash !== DASH || rest.length > 0 || bytes === undefined || !isKeyName(name)) return undefined
  if (bytes.length <= KEY_ID_BYTES) return undefined
  return { name, keyId: bytes.subarray(0, KEY_ID_BYTES), signature: bytes.subarray(KEY_ID_BYTES) }
}

function isKeyName(name: string): boolean {
  return name !== '' && !/[\s+]/u.test(name)
}

function hasControlCharacters(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code < 0x20 && code !== 0x0a) return true
  }
  return false
}
