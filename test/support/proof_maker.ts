import { calculateJwkThumbprint, exportJWK, generateKeyPair, SignJWT, type CryptoKey, type JWK } from 'jose'
import { createHash, randomUUID } from 'node:crypto'

/** What differs from a good proof; undefined takes a member away. */
export interface ProofOrder {
  /** The token that it is about. */
  readonly token?: string
  readonly claims?: object
  readonly header?: object
  /** Milliseconds; now without it. */
  readonly now?: number
}

/** A key of a client that makes proofs of possession (RFC 9449). */
export class ProofMaker {
  readonly jkt: string
  readonly jwk: JWK
  /** The nonce that the server gave. */
  nonce: string | undefined
  readonly #key: CryptoKey
  readonly #algorithm: string

  private constructor(algorithm: string, key: CryptoKey, { jwk, jkt }: { jwk: JWK; jkt: string }) {
    this.#algorithm = algorithm
    this.#key = key
    this.jwk = jwk
    this.jkt = jkt
  }

  static async make(algorithm = 'ES256', options: object = {}): Promise<ProofMaker> {
    const { privateKey, publicKey } = await generateKeyPair(algorithm, options)
    const jwk = await exportJWK(publicKey)
    return new ProofMaker(algorithm, privateKey, { jwk, jkt: await calculateJwkThumbprint(jwk) })
  }

  async make(method: string, url: string, order: ProofOrder = {}): Promise<string> {
    const { token, claims = {}, header = {}, now = Date.now() } = order
    const standard = {
      htm: method,
      htu: url,
      jti: randomUUID(),
      iat: Math.floor(now / 1_000),
      ath: token === undefined ? undefined : createHash('sha256').update(token).digest('base64url'),
      nonce: this.nonce,
      ...claims,
    }
    const given = Object.fromEntries(Object.entries(standard).filter(([, value]) => value !== undefined))
    return new SignJWT(given)
      .setProtectedHeader({ alg: this.#algorithm, typ: 'dpop+jwt', jwk: this.jwk, ...header })
      .sign(this.#key)
  }
}
