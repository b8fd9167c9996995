import type { Clock, Millis } from '#base/clock.ts'
import type { JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { Sealed } from '#base/sealed.ts'
import type { Authenticator, Caller, KeyAuthenticator, Possession, Proven, Subject } from '../caller.ts'
import type { Directory } from '../directory.ts'
import { checkConfirmation, checkNotEnded } from '../possession/check_possession.ts'
import type { HeldProof, Proofs } from '../possession/proofs.ts'
import type { Confirmation, Identity } from '../tokens/issuer.ts'
import { hasTokenForm, readToken } from '../tokens/read_token.ts'
import type { TokenAuthenticator } from '../tokens/token_authenticator.ts'
import { unproven } from '../unproven.ts'
import { OWN_ISSUER } from './own_issuer.ts'

/** A token or key that is to be exchanged, and holds. */
export interface HeldSubject {
  readonly proven: Proven
  /** Short name of its issuer; undefined for a key. */
  readonly issuer: string | undefined
  /** Of the token; empty for a key. */
  readonly claims: JsonObject
  readonly identity: Pick<Identity, 'groups' | 'roles' | 'space' | 'tenant'>
  readonly confirmation: Confirmation | undefined
  readonly expiresAt: Millis
  /** Id of the caller's record in the directory; undefined for one whom it does not know. */
  readonly record: string | undefined
  /** True for what no person uses: services, and issuers of which only workloads get tokens. */
  readonly isWorkload: boolean
}

export interface SubjectsParts {
  /** Knows the issuers whose tokens open the door, those whose tokens do not, and ourselves for every audience. */
  readonly tokens: Pick<TokenAuthenticator, 'verify' | 'looksReal'>
  readonly keys: KeyAuthenticator
  /** When the last secret of a key ends. */
  readonly keyEnd: (kid: string) => Millis
  readonly proofs: Pick<Proofs, 'verify'>
  readonly clock: Clock
  readonly directory: Pick<Directory, 'find'>
  /** Short names of the issuers whose tokens only come to be exchanged. */
  readonly workloadIssuers: ReadonlySet<string>
  /** What this door is called as an audience. */
  readonly ownAudience: string
}

/** Proves the subjects of tokens that come to be exchanged. */
export class Subjects {
  readonly #parts: SubjectsParts

  constructor(parts: SubjectsParts) {
    this.#parts = parts
  }

  /** Throws `caller.unknown` with what is wrong, and what the check of a token does. */
  async prove(token: Sealed, address: string): Promise<HeldSubject> {
    const { tokens, workloadIssuers } = this.#parts
    if (!token.open(hasTokenForm)) return this.#proveKey(token, address)
    const verified = await tokens.verify(token)
    const proven = verified.hold(address)
    const { issuer, identity, confirmation, expiresAt } = verified
    return {
      proven,
      issuer: issuer.name,
      claims: token.open((text) => readToken(text).claims),
      identity,
      confirmation,
      expiresAt,
      record: this.recordOf(proven.caller),
      isWorkload: identity.kind === 'Service' || workloadIssuers.has(issuer.name),
    }
  }

  /**
   * Proves the sender of a request that has nothing but a subject token. One of ours must be for this door: whoever got one for
   * another audience could turn it into one for all others.
   */
  async proveAlone({ token, proof, certificate }: Subject, address: string): Promise<Proven> {
    const held = await this.prove(token, address)
    if (held.issuer === OWN_ISSUER && held.claims['aud'] !== this.#parts.ownAudience)
      throw unproven('token.audience')
    const possession = { proof, certificate }
    checkConfirmation(held.confirmation, await this.checkProof(possession), certificate)
    return held.proven
  }

  /** The proof about the token that is to be made, which is not taken yet; undefined where there is none. */
  async checkProof({ proof, certificate }: Possession): Promise<HeldProof | undefined> {
    checkNotEnded({ proof, certificate }, this.#parts.clock)
    return proof === undefined ? undefined : await this.#parts.proofs.verify(proof, undefined)
  }

  looksReal(token: Sealed): boolean {
    const { tokens, keys } = this.#parts
    return token.open(hasTokenForm) ? tokens.looksReal(token) : keys.looksReal({ kind: 'bearer', token })
  }

  /** Id of the caller's record in the directory; undefined for one whom it does not know. */
  recordOf({ ref }: Pick<Caller, 'ref'>): string | undefined {
    return this.#parts.directory.find(ref.id)?.id
  }

  #proveKey(token: Sealed, address: string): HeldSubject {
    const { keys, keyEnd, clock } = this.#parts
    const proven = keys.authenticate({ kind: 'bearer', token }, address)
    const { ref, kid } = proven.caller
    const longest = clock.now() + LIMITS.issuedTokenSeconds * 1_000
    return {
      ...OF_KEY,
      proven,
      expiresAt: kid === undefined ? longest : Math.min(longest, keyEnd(kid)),
      record: this.recordOf(proven.caller),
      isWorkload: ref.type === 'Service',
    }
  }
}

const OF_KEY = Object.freeze({
  issuer: undefined,
  claims: Object.freeze({}),
  identity: Object.freeze({ groups: [], roles: [], space: undefined, tenant: undefined }),
  confirmation: undefined,
})

/** As an authenticator, and one that takes subject tokens besides. */
export function withSubjects(authenticator: Authenticator, subjects: Subjects): Authenticator {
  return {
    authenticate: (credential, address) =>
      credential.kind === 'subject'
        ? subjects.proveAlone(credential, address)
        : authenticator.authenticate(credential, address),
    looksReal: (credential) =>
      credential.kind === 'subject'
        ? subjects.looksReal(credential.token)
        : authenticator.looksReal(credential),
  }
}
