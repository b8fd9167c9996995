import { concat, toBase64, utf8 } from '#base/bytes.ts'
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
  readonly publicKey: Uint8Array
}

export interface NoteSigner extends NoteVerifier {
  /** Gives the whole note: text, empty line, one signature line. */
  sign(text: string): string
}

const KEY_ID_BYTES = 4
/** Signature type byte of Ed25519 (c2sp.org/signed-note, "Signature types"). */
const ED25519 = 0x01
const DASH = '\u2014'
/** More than any note of ours or of a few dozen witnesses; foreign notes are refused beyond it. */
const NOTE_CHARACTERS = 100_000
const SIGNATURE_LINES = 64

/** A signer from an Ed25519 private key in PEM. */
export function noteSigner(name: string, pem: string): NoteSigner {
  const verifier = noteVerifier(name, ed25519PublicBytes(pem))
  const sign = ed25519Signer(pem)
  return {
    ...verifier,
    sign(text) {
      const signature = toBase64(concat(verifier.keyId, sign(utf8(text))))
      return `${text}\n${DASH} ${name} ${signature}\n`
    },
  }
}

export function noteVerifier(name: string, publicKey: Uint8Array): NoteVerifier {
  // The id binds the name to the key: SHA-256(name || 0x0A || type || key), first four bytes.
  const keyId = sha256(concat(utf8(`${name}\n`), Uint8Array.of(ED25519), publicKey)).subarray(0, KEY_ID_BYTES)
  return { name, keyId, publicKey }
}

/** Prints a verifier key (c2sp.org/signed-note, "Verifier keys"). */
export function printVerifierKey(verifier: NoteVerifier): string {
  const id = Buffer.from(verifier.keyId).toString('hex')
  return `${verifier.name}+${id}+${toBase64(concat(Uint8Array.of(ED25519), verifier.publicKey))}`
}

/** Reads a verifier key; undefined unless it is exactly in the form that `printVerifierKey` gives. */
export function parseVerifierKey(text: string): NoteVerifier | undefined {
  const [, name = '', encoded = ''] = /^([^+]+)\+[0-9a-f]{8}\+(.+)$/.exec(text) ?? []
  const key = fromBase64(encoded)
  if (key === undefined || key.length !== SHA256_BYTES + 1 || key[0] !== ED25519) return undefined
  const verifier = noteVerifier(name, key.subarray(1))
  return isKeyName(name) && printVerifierKey(verifier) === text ? verifier : undefined
}

/** Reads a note without checking any signature; undefined when it is malformed. */
export function parseNote(note: string): Note | undefined {
  if (note.length > NOTE_CHARACTERS || hasControlCharacters(note)) return undefined
  const split = note.lastIndexOf('\n\n')
  if (split < 0 || !note.endsWith('\n')) return undefined
  const lines = note.slice(split + 2, -1).split('\n')
  if (lines.length > SIGNATURE_LINES) return undefined
  const signatures = lines.map(parseSignatureLine)
  if (!signatures.every((each) => each !== undefined)) return undefined
  return { text: note.slice(0, split + 1), signatures }
}

/** The text of a note if this key signed it; undefined when it is malformed, unsigned by the key or wrongly signed. */
export function openNote(note: string, verifier: NoteVerifier): string | undefined {
  const parsed = parseNote(note)
  if (parsed === undefined) return undefined
  const ours = parsed.signatures.filter(
    (each) => each.name === verifier.name && Buffer.compare(each.keyId, verifier.keyId) === 0,
  )
  // A known key with a wrong signature spoils the note; signatures of unknown keys do not count.
  const isSigned =
    ours.length > 0 &&
    ours.every((each) => ed25519Verify(verifier.publicKey, utf8(parsed.text), each.signature))
  return isSigned ? parsed.text : undefined
}

/** Standard base64 in its one canonical form; undefined for anything else. */
export function fromBase64(text: string): Uint8Array | undefined {
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
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
