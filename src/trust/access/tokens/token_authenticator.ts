import type { Clock } from '#base/clock.ts'
import { sha256Hex, sha256Latin1 } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import { isJsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { Sealed } from '#base/sealed.ts'
import { unproven } from '../unproven.ts'
import { checkClaims } from './check_claims.ts'
import { checkHeader, type HeaderFacts } from './check_header.ts'
import type { SignatureChecks } from './check_signature.ts'
import type { Confirmation, Issuer } from './issuer.ts'
import { KeptTokens } from './kept_tokens.ts'
import { readToken, type UnverifiedToken } from './read_token.ts'
import { VerifiedToken, type TokenDirectory } from './verified_token.ts'

export interface TokenAuthenticatorParts {
  /** No two of them have the same `issuer`. */
  readonly issuers: readonly Issuer[]
  readonly directory: TokenDirectory
  readonly clock: Clock
  readonly checks: SignatureChecks
  /** Tokens that are remembered, fewer where they name many groups; `LIMITS.verifiedTokens` without it. */
  readonly kept?: number
}

/** Proves callers by the tokens of issuers. What was verified once is remembered by its hash, and looked at again each time. */
export class TokenAuthenticator {
  readonly #issuers: ReadonlyMap<string, Issuer>
  readonly #parts: TokenAuthenticatorParts
  readonly #kept: KeptTokens<VerifiedToken>
  /** Whoever sends the same new token many times at once waits for one check of its signature. */
  readonly #checking = new Map<string, Promise<VerifiedToken>>()
  /** What `looksReal` found out, for the request that is proven right after it. */
  #looked: Looked | undefined

  constructor(parts: TokenAuthenticatorParts) {
    this.#parts = parts
    this.#issuers = new Map(parts.issuers.map((issuer) => [issuer.issuer, issuer]))
    this.#kept = new KeptTokens(parts.kept ?? LIMITS.verifiedTokens, ({ weight }) => weight)
  }

  /** How many tokens are remembered. */
  get size(): number {
    return this.#kept.size
  }

  /**
   * At once for a token that is remembered; its caller is still to be held. Throws `caller.unknown` with what is wrong, and
   * `load.exceeded` when too many wait.
   */
  verify(token: Sealed): VerifiedToken | Promise<VerifiedToken> {
    const looked = this.#looked?.token === token ? this.#looked : undefined
    this.#looked = undefined
    return token.open((text) => {
      const hash = looked?.hash ?? sha256Latin1(text)
      const kept = this.#kept.get(hash)
      if (kept?.isFresh(this.#parts.clock.now()) === true) return kept
      this.#kept.delete(hash)
      return this.#checking.get(hash) ?? this.#verifyOnce(hash, looked?.read ?? readToken(text))
    })
  }

  /**
   * True for a token that is remembered, and for one whose form, issuer and times are right: cheap, and no proof of anything.
   * It tells nobody more than the configuration of any client of the issuer.
   */
  looksReal(token: Sealed): boolean {
    return token.open((text) => {
      if (text.length > LIMITS.tokenCharacters) return false
      const hash = sha256Latin1(text)
      this.#looked = { token, hash, read: undefined }
      if (this.#kept.get(hash) !== undefined) return true
      try {
        const read = readToken(text)
        this.#looked = { token, hash, read }
        this.#judge(read)
        return true
      } catch {
        return false
      }
    })
  }

  async #verifyOnce(hash: string, read: UnverifiedToken): Promise<VerifiedToken> {
    const verifying = this.#verifyNew(read)
    this.#checking.set(hash, verifying)
    try {
      const verified = await verifying
      this.#kept.set(hash, verified)
      return verified
    } finally {
      this.#checking.delete(hash)
    }
  }

  async #verifyNew(read: UnverifiedToken): Promise<VerifiedToken> {
    const { directory, clock, checks } = this.#parts
    const { issuer, algorithm, validity, kid } = this.#judge(read)
    try {
      const key = await issuer.keys.keyFor({ kid, algorithm })
      await checks.check(read.text, key)
      const { claims, text } = read
      const identity = issuer.identify(claims)
      const confirmation = confirmationOf(claims['cnf'])
      const digest = sha256Hex(typeof claims['jti'] === 'string' ? claims['jti'] : text)
      return new VerifiedToken({ issuer, key, identity, validity, confirmation, digest }, directory, clock)
    } catch (thrown) {
      throw withIssuer(thrown, issuer)
    }
  }

  /** All that refuses a token without the work of a signature, the cheapest first. */
  #judge({ header, claims }: UnverifiedToken): Judged {
    const iss = claims['iss']
    const issuer = typeof iss === 'string' ? this.#issuers.get(iss) : undefined
    if (issuer === undefined)
      throw unproven('token.issuer', typeof iss === 'string' ? { asked_issuer: iss } : {})
    try {
      const query = checkHeader(header, issuer)
      return { issuer, ...query, validity: checkClaims(claims, issuer, this.#parts.clock.now()) }
    } catch (thrown) {
      throw withIssuer(thrown, issuer)
    }
  }
}

interface Looked {
  readonly token: Sealed
  readonly hash: string
  readonly read: UnverifiedToken | undefined
}

interface Judged extends HeaderFacts {
  readonly issuer: Issuer
  readonly validity: ReturnType<typeof checkClaims>
}

/** RFC 7800 section 3. A token that is bound in a way that nobody here can check is not taken without it. */
function confirmationOf(cnf: JsonValue | undefined): Confirmation | undefined {
  if (cnf === undefined) return undefined
  if (!isJsonObject(cnf)) throw unproven('token.binding')
  const { jkt, 'x5t#S256': x5t, ...others } = cnf
  const isText = (value: JsonValue | undefined): value is string | undefined =>
    value === undefined || (typeof value === 'string' && value !== '')
  if (Object.keys(others).length > 0 || !isText(jkt) || !isText(x5t)) throw unproven('token.binding')
  if (jkt === undefined && x5t === undefined) throw unproven('token.binding')
  return { jkt, x5t }
}

/** The short name of the issuer goes into the record of what was refused. */
function withIssuer(thrown: unknown, { name }: Issuer): unknown {
  if (!(thrown instanceof Fault) || thrown.code !== 'caller.unknown') return thrown
  return new Fault(thrown.code, { issuer: name, ...thrown.detail })
}
