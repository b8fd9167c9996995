import type { Clock, Millis } from '#base/clock.ts'
import type { JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { Assurance, Caller, Proven } from '../caller.ts'
import { UNLIMITED } from '../caller_facts.ts'
import type { CallerFacts, Directory } from '../directory.ts'
import { unproven } from '../unproven.ts'
import type { Validity } from './check_claims.ts'
import type { Confirmation, Identity, Issuer } from './issuer.ts'
import type { VerifyingKey } from './key_set.ts'

/** What of the directory decides on callers that come with tokens. */
export type TokenDirectory = Pick<Directory, 'find' | 'epochOf' | 'factsOf' | 'factsFor'>

/** What was found out about a token whose signature holds. */
export interface TokenFindings {
  readonly issuer: Issuer
  readonly key: VerifyingKey
  readonly identity: Identity
  readonly validity: Validity
  readonly confirmation: Confirmation | undefined
  /** SHA-256 of its `jti`, or of the whole token where it has none, in hex. */
  readonly digest: string
}

/** A token whose signature was checked once. Whether it still holds is looked at for every request. */
export class VerifiedToken {
  readonly #directory: TokenDirectory
  readonly #clock: Clock
  readonly #findings: TokenFindings
  readonly #assurance: Assurance
  readonly #evidence: Caller['evidence']
  #epoch: number
  #proven: Proven

  /** Throws as `hold`. */
  constructor(findings: TokenFindings, directory: TokenDirectory, clock: Clock) {
    this.#directory = directory
    this.#clock = clock
    this.#findings = findings
    this.#assurance = assuranceIn(findings)
    this.#evidence = evidenceOf(findings)
    this.#epoch = directory.epochOf(findings.identity.name)
    this.#proven = this.#prove()
  }

  get confirmation(): Confirmation | undefined {
    return this.#findings.confirmation
  }

  /** Who it is about, as its issuer says. */
  get identity(): Identity {
    return this.#findings.identity
  }

  get issuer(): Issuer {
    return this.#findings.issuer
  }

  get expiresAt(): Millis {
    return this.#findings.validity.expiresAt
  }

  /** What it costs to remember, in tokens that name no group. */
  get weight(): number {
    const { groups, roles } = this.#findings.identity
    return 1 + (groups.length + roles.length) / LIMITS.namesPerToken
  }

  /** True while nothing of the token needs to be looked at again: it has not reached its `exp`, and its key is published. */
  isFresh(now: Millis): boolean {
    const { validity, issuer, key } = this.#findings
    return now < validity.expiresAt && issuer.keys.has(key)
  }

  /**
   * Its caller as the directory has it now, for a request from this address.
   *
   * Throws `caller.unknown` with `token.expired`, `token.key_removed`, or what keeps the caller out by now.
   */
  hold(address?: string): Proven {
    const { validity, issuer, key, identity } = this.#findings
    if (this.#clock.now() >= validity.endsAt) throw this.#refused('token.expired')
    if (!issuer.keys.has(key)) throw this.#refused('token.key_removed')
    const objection = identity.objection?.(address)
    if (objection !== undefined) throw this.#refused(objection)
    const epoch = this.#directory.epochOf(identity.name)
    if (epoch !== this.#epoch) {
      this.#proven = this.#prove()
      this.#epoch = epoch
    }
    return this.#proven
  }

  #prove(): Proven {
    const { ref, entities, space } = this.#facts()
    // The pseudonym of whom the directory does not know could be resolved by nobody: the name is kept as a sensitive field.
    const isKnown = this.#directory.find(ref.id) !== undefined
    const caller: Caller = Object.freeze({
      ref,
      entities,
      space,
      scope: this.#findings.identity.scope ?? UNLIMITED,
      kid: undefined,
      limitedBy: this.#findings.identity.limitedBy ?? [],
      assurance: this.#assurance,
      evidence: isKnown ? this.#evidence : Object.freeze({ ...this.#evidence, user: ref.id }),
    })
    const { endsAt } = this.#findings.validity
    return Object.freeze({ caller, endsAt, recheck: () => this.hold().caller })
  }

  #facts(): CallerFacts {
    return this.#findings.identity.kind === 'Service' ? this.#serviceFacts() : this.#userFacts()
  }

  #serviceFacts(): CallerFacts {
    const { name, space, tenant } = this.#findings.identity
    const known = this.#directory.find(name)
    if (known?.kind !== 'Service') throw this.#refused('service.unknown')
    if (known.disabledAt !== undefined) throw this.#refused('caller.disabled')
    if (space !== undefined && space !== known.space.name) throw this.#refused('space.other')
    if (tenant !== undefined && tenant !== known.space.tenant.name) throw this.#refused('tenant.other')
    return this.#directory.factsOf(known)
  }

  #userFacts(): CallerFacts {
    const { issuer, identity } = this.#findings
    const { name, groups, roles, space, tenant } = identity
    const place = { ...(space === undefined ? {} : { space }), ...(tenant === undefined ? {} : { tenant }) }
    const found = this.#directory.factsFor({ name, groups, roles, ...place })
    if (found.kind === 'refused') throw this.#refused(found.reason)
    if (found.known === undefined && issuer.unknownUsers === 'refuse') throw this.#refused('user.unknown')
    return found.facts
  }

  #refused(reason: Parameters<typeof unproven>[0]): Error {
    const { issuer, identity } = this.#findings
    return unproven(reason, { issuer: issuer.name, user: identity.name })
  }
}

function assuranceIn({ issuer, identity, confirmation }: TokenFindings): Assurance {
  const binding = confirmation === undefined ? 'none' : confirmation.x5t === undefined ? 'dpop' : 'mtls'
  return Object.freeze({ ...identity.assurance, via: issuer.via, binding })
}

/** Why the caller was believed, for its entries. */
function evidenceOf({ issuer, identity, digest }: TokenFindings): Readonly<Record<string, JsonValue>> {
  return Object.freeze({
    ...identity.evidence,
    via: issuer.via,
    issuer: issuer.name,
    aal: identity.assurance.aal,
    token: digest,
  })
}
