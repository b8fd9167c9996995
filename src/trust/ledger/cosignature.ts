import { concat, utf8 } from '#base/bytes.ts'
import type { Millis } from '#base/clock.ts'
import {
  ed25519PublicBytes,
  ed25519Signer,
  ed25519Verify,
  ML_DSA_44_PUBLIC_BYTES,
  mlDsa44PublicBytes,
  mlDsa44Signer,
  mlDsa44Verify,
  SHA256_BYTES,
} from '#base/crypto.ts'
import { parseHead, printHead, type Head } from './checkpoint.ts'
import {
  isBy,
  keyIdentity,
  NAME_BYTES,
  parseNote,
  parseVerifierKey,
  signatureLine,
  splitVerifierKey,
  type NoteSigner,
  type NoteVerifier,
} from './note.ts'

/**
 * Cosignatures (c2sp.org/tlog-cosignature): signatures on checkpoints that state when they were made. Witnesses make them,
 * and a log makes one with ML-DSA-44 under its own name, as c2sp.org/tlog-checkpoint advises.
 */

/** Signature types of c2sp.org/signed-note. */
const ED25519_COSIGNATURE = 0x04
const ML_DSA_44_COSIGNATURE = 0x06
const TIME_BYTES = 8
const LABEL = utf8('subtree/v1\n\0')
const SECOND_MS = 1_000
const KEY_ID_BYTES = 4
const ED25519_SIGNATURE_BYTES = 64
const ML_DSA_44_SIGNATURE_BYTES = 2_420
/** The dash, the spaces around the name and the line break. */
const SPACES = 4

/** A cosignature that holds. */
export interface Cosignature {
  readonly verifier: NoteVerifier
  /** When it was made, as its maker says. */
  readonly at: Millis
  /** The line as it stands in the note, with its line break. */
  readonly line: string
}

/** Makes `cosignature/v1` lines from an Ed25519 private key in PEM. */
export function ed25519Cosigner(name: string, pem: string): NoteSigner {
  const sign = ed25519Signer(pem)
  const verifier = ed25519CosignatureVerifier(name, ed25519PublicBytes(pem))
  return {
    ...verifier,
    sign: async (text, at) => {
      const time = secondsOf(at)
      return Promise.resolve(
        signatureLine(verifier, concat(timeBytes(time), sign(ed25519Message(time, text)))),
      )
    },
  }
}

/** Makes ML-DSA-44 lines from such a private key in PEM. Its `sign` throws RangeError for what is no checkpoint. */
export function mlDsa44Cosigner(name: string, pem: string): NoteSigner {
  const sign = mlDsa44Signer(pem)
  const verifier = mlDsa44CosignatureVerifier(name, mlDsa44PublicBytes(pem))
  return {
    ...verifier,
    sign: async (text, at) => {
      const time = secondsOf(at)
      // Nothing is said of more lines (c2sp.org/tlog-cosignature, "ML-DSA-44 signed message").
      const message = mlDsa44Message(name, time, parseHead(text))
      if (message === undefined) throw new RangeError('only checkpoints are cosigned')
      return signatureLine(verifier, concat(timeBytes(time), await sign(message)))
    },
  }
}

export function ed25519CosignatureVerifier(name: string, publicKey: Uint8Array): NoteVerifier {
  return {
    ...keyIdentity(name, ED25519_COSIGNATURE, publicKey),
    verifies: (text, signature) => {
      const { time, rest } = splitTime(signature)
      return time !== undefined && ed25519Verify(publicKey, ed25519Message(time, text), rest)
    },
  }
}

export function mlDsa44CosignatureVerifier(name: string, publicKey: Uint8Array): NoteVerifier {
  return {
    ...keyIdentity(name, ML_DSA_44_COSIGNATURE, publicKey),
    verifies: (text, signature) => {
      const { time, rest } = splitTime(signature)
      const message = time === undefined ? undefined : mlDsa44Message(name, time, wholeHead(text))
      return message !== undefined && mlDsa44Verify(publicKey, message, rest)
    },
  }
}

/** Reads the verifier key of a witness, of either type; undefined for anything else. */
export function parseCosignerKey(text: string): NoteVerifier | undefined {
  const { name, type, publicKey } = splitVerifierKey(text) ?? {}
  if (name === undefined || publicKey === undefined) return undefined
  if (type === ED25519_COSIGNATURE && publicKey.length === SHA256_BYTES)
    return ed25519CosignatureVerifier(name, publicKey)
  if (type === ML_DSA_44_COSIGNATURE && publicKey.length === ML_DSA_44_PUBLIC_BYTES)
    return mlDsa44CosignatureVerifier(name, publicKey)
  return undefined
}

/** Characters of a signature line of such a key, but for its name. */
export function cosignatureCharacters({ type }: Pick<NoteVerifier, 'type'>): number {
  const bytes = type === ED25519_COSIGNATURE ? ED25519_SIGNATURE_BYTES : ML_DSA_44_SIGNATURE_BYTES
  return Math.ceil((KEY_ID_BYTES + TIME_BYTES + bytes) / 3) * 4 + SPACES
}

/** Reads the verifier key of a log: Ed25519, or ML-DSA-44, with which logs sign as cosigners do. */
export function parseLogKey(text: string): NoteVerifier | undefined {
  const verifier = parseVerifierKey(text) ?? parseCosignerKey(text)
  return verifier?.type === ED25519_COSIGNATURE ? undefined : verifier
}

/**
 * The cosignatures of a checkpoint by these keys that hold, one for each key at most. Wrong ones are left out: whoever
 * gathers cosignatures loses nothing but them.
 */
export function cosignaturesOf(note: string, verifiers: readonly NoteVerifier[]): readonly Cosignature[] {
  const parsed = parseNote(note)
  if (parsed === undefined) return []
  return verifiers.flatMap((verifier) => {
    const found = parsed.signatures.find(
      (each) => isBy(each, verifier) && verifier.verifies(parsed.text, each.signature),
    )
    const { time } = found === undefined ? { time: undefined } : splitTime(found.signature)
    return found === undefined || time === undefined
      ? []
      : [{ verifier, at: Number(time) * SECOND_MS, line: signatureLine(found, found.signature) }]
  })
}

function ed25519Message(time: bigint, text: string): Uint8Array {
  return utf8(`cosignature/v1\ntime ${time}\n${text}`)
}

/** The head of a checkpoint without more lines: a line that is not signed must not look as if it was. */
function wholeHead(text: string): Head | undefined {
  const head = parseHead(text)
  return head !== undefined && printHead(head) === text ? head : undefined
}

/** `cosigned_message` of c2sp.org/tlog-cosignature, for a whole tree; undefined without one. */
function mlDsa44Message(name: string, time: bigint, head: Head | undefined): Uint8Array | undefined {
  const cosigner = utf8(name)
  const origin = utf8(head?.origin ?? '')
  if (head === undefined || cosigner.length > NAME_BYTES || origin.length > NAME_BYTES) return undefined
  return concat(
    LABEL,
    Uint8Array.of(cosigner.length),
    cosigner,
    timeBytes(time),
    Uint8Array.of(origin.length),
    origin,
    timeBytes(0n),
    timeBytes(BigInt(head.size)),
    head.root,
  )
}

/** At least 1: with 0 a cosigner says nothing of the time (c2sp.org/tlog-cosignature). */
function secondsOf(at: Millis): bigint {
  return BigInt(Math.max(1, Math.floor(at / SECOND_MS)))
}

/** Eight bytes, big-endian. */
function timeBytes(value: bigint): Uint8Array {
  const bytes = Buffer.alloc(TIME_BYTES)
  bytes.writeBigUInt64BE(value)
  return bytes
}

/** The end of the year 9999: what is beyond it no date can show, though a signature may state it. */
const MOST_TIME = 253_402_300_799n

function splitTime(signature: Uint8Array): { readonly time: bigint | undefined; readonly rest: Uint8Array } {
  const time = signature.length < TIME_BYTES ? undefined : Buffer.from(signature).readBigUInt64BE(0)
  const isTime = time !== undefined && time <= MOST_TIME
  return { time: isTime ? time : undefined, rest: signature.subarray(TIME_BYTES) }
}
