import { SignJWT } from 'jose'
import type { Clock, Millis } from '#base/clock.ts'
import { randomBytes } from '#base/crypto.ts'
import { Sealed } from '#base/sealed.ts'
import { toClaims, type IssuedFacts } from './issued_claims.ts'
import type { TokenKeys } from './token_keys.ts'

/** 128 bits: no two tokens have the same, and nobody guesses one. */
const ID_BYTES = 16

export interface IssuedToken {
  readonly token: Sealed
  readonly jti: string
  readonly expiresAt: Millis
  readonly kid: string
}

/** Signs access tokens (RFC 9068). Decides nothing: whoever calls it has the permit. */
export class TokenWriter {
  readonly #issuer: string
  readonly #keys: Pick<TokenKeys, 'signing'>
  readonly #clock: Clock

  constructor(issuer: string, keys: Pick<TokenKeys, 'signing'>, clock: Clock) {
    this.#issuer = issuer
    this.#keys = keys
    this.#clock = clock
  }

  async write(facts: IssuedFacts, seconds: number): Promise<IssuedToken> {
    const { kid, key } = this.#keys.signing
    const jti = Buffer.from(randomBytes(ID_BYTES)).toString('base64url')
    const issuedAt = Math.floor(this.#clock.now() / 1_000)
    const times = { iss: this.#issuer, iat: issuedAt, exp: issuedAt + seconds, jti }
    const token = await new SignJWT({ ...toClaims(facts), ...times })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid })
      .sign(key)
    return { token: new Sealed(token), jti, expiresAt: (issuedAt + seconds) * 1_000, kid }
  }
}
