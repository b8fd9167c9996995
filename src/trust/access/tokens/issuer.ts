import type { JsonObject, JsonValue } from '#base/json.ts'
import type { Assurance, KeyLimits, Scope } from '../caller.ts'
import type { Unproven } from '../unproven.ts'
import type { ClaimRules } from './check_claims.ts'
import type { KeySource } from './key_source.ts'

/** Somebody whose tokens are taken. */
export interface Issuer extends ClaimRules {
  /** Its short name in the configuration; public in the ledger. */
  readonly name: string
  /** Exactly what its tokens have as `iss`. */
  readonly issuer: string
  readonly algorithms: ReadonlySet<string>
  /** Of the header's `typ`, in lower case and without `application/`; `none` stands for a token without one. */
  readonly types: ReadonlySet<string>
  readonly keys: KeySource
  /** Whether users whom the directory does not know are let in. */
  readonly unknownUsers: 'allow' | 'refuse'
  readonly via: Extract<Assurance['via'], 'token' | 'exchange'>
  /** Who a token is about whose signature holds. Throws `caller.unknown`. */
  readonly identify: (claims: JsonObject) => Identity
}

/** Who a token is about, as its issuer says. */
export interface Identity {
  readonly kind: 'User' | 'Service'
  readonly name: string
  readonly tenant: string | undefined
  readonly space: string | undefined
  readonly groups: readonly string[]
  readonly roles: readonly string[]
  readonly assurance: Pick<Assurance, 'aal' | 'amr' | 'acr' | 'authTime' | 'actors'>
  /** More facts for the ledger, as a chain of actors. */
  readonly evidence?: Readonly<Record<string, JsonValue>>
  /** What the token may be used for at most; without it all that its caller may. */
  readonly scope?: Scope
  /** Keys that it was made for, whose limits hold for it too. */
  readonly limitedBy?: readonly KeyLimits[]
  /**
   * Why it holds no more, whatever its times say, or not from this address; asked for each request, and without the address
   * when a request is looked at again.
   */
  readonly objection?: (address: string | undefined) => Unproven | undefined
}

/** What a token is bound to (RFC 7800, `cnf`): who sends it must show that it has that key. */
export interface Confirmation {
  /** Thumbprint of a DPoP key (RFC 9449 section 6.1). */
  readonly jkt: string | undefined
  /** Thumbprint of a client certificate (RFC 8705 section 3.1). */
  readonly x5t: string | undefined
}
