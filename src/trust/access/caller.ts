import type { Millis } from '#base/clock.ts'
import type { EntityFacts, EntityRef } from '#base/decider.ts'
import type { JsonValue } from '#base/json.ts'
import type { Sealed } from '#base/sealed.ts'
import type { LimitTerms } from './limit_terms.ts'

/** What a request brought to say who sends it. */
export type Credential =
  | { readonly kind: 'none' }
  /** An Authorization header that is not one well-formed bearer token. */
  | { readonly kind: 'malformed' }
  /** One bearer token and nothing else: a key, or a token of an identity provider or of our own. */
  | { readonly kind: 'bearer'; readonly token: Sealed }
  /** More than that. Every part must hold, and all parts must prove the same caller. */
  | Presented
  /** A token that comes to be exchanged, in the body of a request that brought nothing else. It opens nothing but that. */
  | Subject
  /** The owner of the home, through `HOME/admin.sock` (mode 0600) or the same process. */
  | { readonly kind: 'socket' }
  /** A job of the door itself, run by `System::"<name>"`. */
  | { readonly kind: 'system'; readonly name: string }

export interface Presented extends Possession {
  readonly kind: 'presented'
  /** From Authorization and x-api-key, at most two. */
  readonly tokens: readonly PresentedToken[]
}

export interface PresentedToken {
  readonly scheme: 'bearer' | 'dpop'
  readonly token: Sealed
  /** The name that came beside it, as `client_id` of HTTP Basic: who the token proves must have this name. */
  readonly owner?: string
}

/** What shows that a request comes from who holds a private key. */
export interface Possession {
  readonly proof: PossessionProof | undefined
  readonly certificate: ClientCertificate | undefined
}

export interface Subject extends Possession {
  readonly kind: 'subject'
  readonly token: Sealed
}

/** A DPoP proof (RFC 9449 section 4.2) and the request that it must be about, as we saw it. */
export interface PossessionProof {
  readonly jwt: Sealed
  readonly method: string
  /** The target without query and fragment, as the caller must have meant it. */
  readonly url: string
}

/** What a client certificate says whose chain TLS has verified, and whose key the caller has shown to hold. */
export interface ClientCertificate {
  /** SHA-256 of its DER in base64url: `x5t#S256` of RFC 8705 section 3.1. */
  readonly thumbprint: string
  /** The distinguished name in the form of RFC 4514. */
  readonly subject: string
  /** URI names, as in SPIFFE ids. */
  readonly uris: readonly string[]
  readonly dnsNames: readonly string[]
  readonly emails: readonly string[]
  readonly notAfter: Millis
}

/**
 * How sure we are of a caller, from signed claims or our own ceremonies alone, never from what a request asks for. Carried
 * into the context of policies.
 */
export interface Assurance {
  /** Authentication assurance level of NIST SP 800-63B; 1 for all that says nothing better. */
  readonly aal: 1 | 2 | 3
  readonly via: 'key' | 'token' | 'certificate' | 'exchange' | 'socket' | 'system'
  /** What the credential is bound to, so that a copy alone is worth nothing. */
  readonly binding: 'none' | 'dpop' | 'mtls'
  /** Authentication methods (RFC 8176), sorted. */
  readonly amr: readonly string[]
  /** Who acts for the caller, the latest first (RFC 8693 section 4.1); absent where it acts itself. */
  readonly actors?: readonly string[] | undefined
  readonly acr: string | undefined
  /** Seconds since 1970, when the person signed in. */
  readonly authTime: number | undefined
}

/** What a key may be used for at most; it can only narrow what policy permits. */
export interface Scope {
  /** Names of models; undefined narrows nothing. */
  readonly models: readonly string[] | undefined
  /** Action names; undefined narrows nothing. */
  readonly actions: readonly string[] | undefined
}

/** A key with the limits that it was made with. */
export interface KeyLimits {
  readonly kid: string
  readonly terms: LimitTerms | undefined
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
  /** The keys whose limits hold: the one that was used, or those that a token was exchanged for. */
  readonly limitedBy?: readonly KeyLimits[]
  readonly assurance: Assurance
  /** Facts for the ledger about what proved the caller besides a key: issuer, assurance, chain of actors. */
  readonly evidence: Readonly<Record<string, JsonValue>>
}

/** A caller as one request has proven it. What proved it may end while the request is still on its way. */
export interface Proven extends ProvenAnywhere {
  recheck(): Caller
}

/** As `Proven`, where another process may have to be asked. */
export interface ProvenAnywhere {
  readonly caller: Caller
  /** When what proved it ends, whatever else happens; undefined where only a change can end it. */
  readonly endsAt?: Millis | undefined
  /**
   * The caller as it is now: the same object while nothing of it has changed. Throws `caller.unknown`, as for a request
   * that came only now, once what proved it or the caller itself no longer holds.
   */
  recheck(): Caller | Promise<Caller>
  /** The request is over: nobody asks again. */
  end?(): void
}

/** Proves by what is in memory alone, and so at once. */
export interface KeyAuthenticator extends Authenticator {
  authenticate(credential: Credential, address: string): Proven
}

/** Proves who sends a request, or throws `caller.unknown` with the reason in its detail as `reason`. */
export interface Authenticator<Of extends ProvenAnywhere = Proven> {
  /** Answers at once where nothing has to be fetched or checked elsewhere. */
  authenticate(credential: Credential, address: string): Of | Promise<Of>
  /**
   * True when the credential has the form of a key, its checksum included: cheap, and no proof of anything. The ids of
   * keys are not looked up, so whatever depends on this tells nobody which of them exist.
   */
  looksReal(credential: Credential): boolean
}
