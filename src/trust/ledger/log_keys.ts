import type { Millis } from '#base/clock.ts'
import { sameBytes } from '#base/bytes.ts'
import { ed25519PublicBytes, mlDsa44PublicBytes } from '#base/crypto.ts'
import { mlDsa44CosignatureVerifier, mlDsa44Cosigner } from './cosignature.ts'
import { noteSigner, noteVerifier, printVerifierKey, type NoteSigner, type NoteVerifier } from './note.ts'

/** The private keys that sign the logs of a home together, each PKCS #8 PEM. */
export interface LogKeyPair {
  /** Ed25519. */
  readonly signingPem: string
  /** ML-DSA-44, whose signatures hold against quantum computers too. Without it checkpoints have no such line. */
  readonly mlDsaPem?: string | undefined
}

/** Keys that others have taken the place of. */
export interface EarlierLogKeys {
  readonly ed25519: Uint8Array
  readonly mlDsa44: Uint8Array | undefined
  /** Until then they sign too, so that whoever knows them alone still gets checkpoints it can check. */
  readonly endsAt: Millis
  /** Undefined once they are destroyed. */
  readonly pair: LogKeyPair | undefined
}

/** All keys of the logs of a home: those that sign, and those that have signed. */
export interface LogKeyring extends LogKeyPair {
  readonly earlier?: readonly EarlierLogKeys[] | undefined
}

/** The public keys of one pair. */
export interface LogKey {
  readonly ed25519: Uint8Array
  readonly mlDsa44: Uint8Array | undefined
  /** What they have signed still holds, and what they sign now proves nothing. */
  readonly hasEnded: boolean
}

/** The public keys of a home, newest first. */
export function logKeysOf(ring: LogKeyring, now: Millis): readonly LogKey[] {
  const { signingPem, mlDsaPem, earlier = [] } = ring
  const newest = {
    ed25519: ed25519PublicBytes(signingPem),
    mlDsa44: mlDsaPem === undefined ? undefined : mlDsa44PublicBytes(mlDsaPem),
    hasEnded: false,
  }
  return [
    newest,
    ...earlier.map(({ ed25519, mlDsa44, endsAt }) => ({ ed25519, mlDsa44, hasEnded: endsAt <= now })),
  ]
}

/** What checks the signatures of these keys under the name of one log. */
export function verifiersOf(keys: readonly LogKey[], origin: string): readonly NoteVerifier[] {
  return keys.flatMap(({ ed25519, mlDsa44 }) => [
    noteVerifier(origin, ed25519),
    ...(mlDsa44 === undefined ? [] : [mlDsa44CosignatureVerifier(origin, mlDsa44)]),
  ])
}

/** True for a verifier of one of these keys, whatever its name. */
export function isAmong(keys: readonly LogKey[], { publicKey }: Pick<NoteVerifier, 'publicKey'>): boolean {
  return keys.some(({ ed25519, mlDsa44 }) =>
    [ed25519, mlDsa44].some((each) => each !== undefined && sameBytes(each, publicKey)),
  )
}

/** What signs the checkpoints of one log. */
export class LogSigners {
  readonly #signers: readonly { readonly signer: NoteSigner; readonly endsAt: Millis }[]

  constructor(ring: LogKeyring, origin: string) {
    const { earlier = [] } = ring
    const pairs = [
      { pair: ring, endsAt: Number.POSITIVE_INFINITY },
      ...earlier.flatMap(({ pair, endsAt }) => (pair === undefined ? [] : [{ pair, endsAt }])),
    ]
    this.#signers = pairs.flatMap(({ pair, endsAt }) =>
      signersOf(pair, origin).map((signer) => ({ signer, endsAt })),
    )
  }

  /** Those that sign at this time, the newest pair first. */
  at(now: Millis): readonly NoteSigner[] {
    return this.#signers.filter(({ endsAt }) => endsAt > now).map(({ signer }) => signer)
  }
}

function signersOf({ signingPem, mlDsaPem }: LogKeyPair, origin: string): readonly NoteSigner[] {
  const ed25519 = noteSigner(origin, signingPem)
  return mlDsaPem === undefined ? [ed25519] : [ed25519, mlDsa44Cosigner(origin, mlDsaPem)]
}

/** A verifier key of a log, for who notes it outside. */
export interface NamedLogKey {
  /** As c2sp.org/signed-note prints it. */
  readonly key: string
  /** `ends`: it signs along until then; `ended`: what it signed before still holds. */
  readonly state: 'signs' | 'ends' | 'ended'
  readonly endsAt: Millis | undefined
}

/** The verifier keys of one log, newest first. */
export function namedLogKeys(ring: LogKeyring, origin: string, now: Millis): readonly NamedLogKey[] {
  const ends = [undefined, ...(ring.earlier ?? []).map(({ endsAt }) => endsAt)]
  return logKeysOf(ring, now).flatMap((key, at) => {
    const endsAt = ends[at]
    const state = key.hasEnded ? 'ended' : endsAt === undefined ? 'signs' : 'ends'
    return verifiersOf([key], origin).map((each) => ({ key: printVerifierKey(each), state, endsAt }))
  })
}
