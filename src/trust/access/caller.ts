import type { EntityFacts, EntityRef } from '#base/decider.ts'
import type { Sealed } from '#base/sealed.ts'

/** What a request brought to say who sends it. */
export type Credential =
  | { readonly kind: 'none' }
  /** An Authorization header that is not one well-formed bearer token. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'bearer'; readonly token: Sealed }
  /** The owner of the home, through `HOME/admin.sock` (mode 0600) or the same process. */
  | { readonly kind: 'socket' }
  /** A job of the door itself, run by `System::"<name>"`. */
  | { readonly kind: 'system'; readonly name: string }

/** What a key may be used for at most; it can only narrow what policy permits. */
export interface Scope {
  /** Names of models; undefined narrows nothing. */
  readonly models: readonly string[] | undefined
  /** Action names; undefined narrows nothing. */
  readonly actions: readonly string[] | undefined
}

/** Who sends a request, proven. There is no anonymous caller. */
export interface Caller {
  /** The Cedar entity: `Service::"demo"`, `User::"…"`, `System::"operator"`. */
  readonly ref: EntityRef
  /** The caller and all that it belongs to (space, tenant, groups, roles), for the decider. */
  readonly entities: readonly EntityFacts[]
  readonly space: string
  readonly scope: Scope
  /** The public id of the key that was used, if one was. */
  readonly kid: string | undefined
}

/** A caller as one request has proven it. What proved it may end while the request is still on its way. */
export interface Proven {
  readonly caller: Caller
  /** Throws `caller.unknown`, as for a request that came only now, once the key or its caller no longer holds. */
  recheck(): void
}

/** Why authentication refused; only the ledger learns it. */
export type Unproven =
  | 'credential.missing'
  | 'credential.malformed'
  | 'key.unknown'
  | 'key.wrong'
  | 'key.expired'
  | 'key.not_yet_valid'
  | 'key.idle'
  | 'key.revoked'
  | 'key.address_outside'
  | 'caller.disabled'

/** Proves who sends a request, or throws `caller.unknown` with the reason in its detail as `reason`. */
export interface Authenticator {
  authenticate(credential: Credential, address: string): Proven
  /**
   * True when the credential has the form of a key, its checksum included: cheap, and no proof of anything. The ids of
   * keys are not looked up, so whatever depends on this tells nobody which of them exist.
   */
  looksReal(credential: Credential): boolean
}
