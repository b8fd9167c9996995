import { calculateJwkThumbprint, type JWK } from 'jose'
import { utf8 } from '#base/bytes.ts'
import type { Clock } from '#base/clock.ts'
import { sha256Base64Url } from '#base/crypto.ts'
import { asFault, Fault } from '#base/fault.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { PossessionProof } from '../caller.ts'
import type { SignatureChecks } from '../tokens/check_signature.ts'
import { readKeySet, type VerifyingKey } from '../tokens/key_set.ts'
import { readToken, type UnverifiedToken } from '../tokens/read_token.ts'
import { unproven } from '../unproven.ts'
import type { ProofNonces } from './proof_nonces.ts'
import { isSameUrl } from './same_url.ts'
import type { SpentProofs } from './spent_proofs.ts'

/** Signatures that a proof may have; a client chooses its own key, so the list is short and has no shared secrets. */
const ALGORITHMS: ReadonlySet<string> = new Set(['ES256', 'EdDSA', 'Ed25519', 'PS256', 'RS256'])
/** As OAuth metadata names them (RFC 9449 section 5.1). */
export const PROOF_ALGORITHMS: readonly string[] = [...ALGORITHMS]
/** How far `iat` may be from our clock, in seconds. */
const TIME_WINDOW_SECONDS = 60
const LONGEST_ID = 256

/** A proof that holds, and has not been taken yet. */
export interface HeldProof {
  /** SHA-256 thumbprint of its key (RFC 7638). */
  readonly jkt: string
  readonly jti: string
}

export interface ProofsParts {
  readonly clock: Clock
  readonly nonces: Pick<ProofNonces, 'holds'>
  readonly spent: Pick<SpentProofs, 'spend'>
  readonly checks: Pick<SignatureChecks, 'check'>
}

/** Checks proofs of possession (RFC 9449, DPoP). */
export class Proofs {
  readonly #parts: ProofsParts

  constructor(parts: ProofsParts) {
    this.#parts = parts
  }

  /**
   * Checks a proof about a request, and about the access token that it came with; without one the proof must name none
   * (RFC 9449 section 4.3). The nonce is looked at before anything that only the right key can do.
   *
   * Throws `caller.unknown` with a reason that begins with `proof.`, and `proof.nonce`.
   */
  async verify(proof: PossessionProof, accessToken: string | undefined): Promise<HeldProof> {
    const token = proof.jwt.open(read)
    const { header, claims } = token
    if (header['typ'] !== 'dpop+jwt') throw unproven('proof.type')
    if (header['crit'] !== undefined || header['b64'] !== undefined) throw unproven('proof.form')
    const { jti } = claims
    if (typeof jti !== 'string' || jti === '' || jti.length > LONGEST_ID) throw unproven('proof.form')
    if (claims['htm'] !== proof.method) throw unproven('proof.method')
    if (!isAbout(claims['htu'], proof.url)) throw unproven('proof.url')
    if (!this.#isNow(claims['iat'])) throw unproven('proof.time')
    if (claims['ath'] !== (accessToken === undefined ? undefined : sha256Base64Url(accessToken)))
      throw unproven('proof.token')
    const { nonce } = claims
    if (typeof nonce !== 'string' || !this.#parts.nonces.holds(nonce)) throw new Fault('proof.nonce')
    const key = await keyOf(header)
    await this.#checkSignature(token, key)
    return { jkt: await calculateJwkThumbprint(key.jwk, 'sha256'), jti }
  }

  /** Takes a proof, so that it holds no more. Throws `caller.unknown` with `proof.replayed`, and `load.exceeded`. */
  spend({ jkt, jti }: HeldProof): void {
    this.#parts.spent.spend(jkt, jti)
  }

  #isNow(iat: JsonValue | undefined): boolean {
    return typeof iat === 'number' && Math.abs(this.#parts.clock.now() / 1_000 - iat) <= TIME_WINDOW_SECONDS
  }

  async #checkSignature({ text }: UnverifiedToken, { key }: ProofKey): Promise<void> {
    try {
      await this.#parts.checks.check(text, key)
    } catch (thrown) {
      const fault = asFault(thrown)
      throw fault.code === 'caller.unknown' ? unproven('proof.signature') : fault
    }
  }
}

interface ProofKey {
  readonly jwk: JWK
  readonly key: VerifyingKey
}

function read(text: string): UnverifiedToken {
  if (text.length > LIMITS.proofCharacters) throw unproven('proof.form')
  try {
    return readToken(text)
  } catch {
    throw unproven('proof.form')
  }
}

function isAbout(htu: JsonValue | undefined, url: string): boolean {
  return typeof htu === 'string' && isSameUrl(htu, url)
}

/** The public key in the header itself, for the algorithm that the header names. */
async function keyOf({ alg, jwk }: JsonObject): Promise<ProofKey> {
  if (typeof alg !== 'string' || !ALGORITHMS.has(alg)) throw unproven('proof.algorithm')
  if (!isJsonObject(jwk)) throw unproven('proof.key')
  const { keys } = await readKeySet(utf8(JSON.stringify({ keys: [jwk] })), new Set([alg]))
  const [key] = keys
  if (key === undefined) throw unproven('proof.key')
  return { jwk, key }
}
