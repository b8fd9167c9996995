import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { isJsonObject, type JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { Caller, ClientCertificate, Scope } from '#trust/access/caller.ts'
import { fromClaims, scopesIn, type IssuedFacts } from '#trust/access/issued/issued_claims.ts'
import { OWN_ISSUER } from '#trust/access/issued/own_issuer.ts'
import type { HeldSubject } from '#trust/access/issued/subjects.ts'
import type { HeldProof } from '#trust/access/possession/proofs.ts'

/** Somebody who takes tokens that are made here. */
export interface Audience {
  /** What stands as `aud`. */
  readonly name: string
  /** How long tokens for it hold. */
  readonly seconds: number
  /** Whether tokens for it have to be bound: all, those of workloads, or none. */
  readonly binding: 'required' | 'workloads' | 'optional'
  /** The scopes that it knows. */
  readonly scopes: ReadonlySet<string>
}

/** All that an exchange is about, proven. */
export interface Exchange {
  readonly audience: Audience
  /** Who asks. */
  readonly caller: Caller
  /** Id of its record in the directory; undefined for one whom it does not know. */
  readonly record: string | undefined
  readonly subject: HeldSubject
  readonly proof: HeldProof | undefined
  readonly certificate: ClientCertificate | undefined
  readonly scopes: readonly string[] | null
}

/** What the new token says, and for how long. */
export interface Terms {
  readonly facts: IssuedFacts
  readonly seconds: number
}

/**
 * What a new token may say at most: nothing of it is more than what the subject token said, or the caller has.
 *
 * Throws `grant.invalid`, `scope.wider`, `proof.invalid`.
 */
export function termsOf(exchange: Exchange, clock: Clock): Terms {
  const { audience, caller, subject, proof, certificate } = exchange
  const { ref, assurance, scope } = subject.proven.caller
  const seconds = Math.min(audience.seconds, Math.floor((subject.expiresAt - clock.now()) / 1_000))
  if (seconds <= 0) throw new Fault('grant.invalid', { reason: 'token.expired' })
  const confirmation =
    proof === undefined && certificate === undefined
      ? undefined
      : { jkt: proof?.jkt, x5t: certificate?.thumbprint }
  if (confirmation === undefined && mustBind(audience, subject)) throw unbound()
  const { groups, roles, space, tenant } = subject.identity
  return {
    seconds,
    facts: {
      subject: {
        kind: ref.type === 'Service' ? 'Service' : 'User',
        name: ref.id,
        groups,
        roles,
        space,
        tenant,
      },
      records: recordsOf(exchange),
      audience: audience.name,
      client: caller.ref.id,
      actors: actorsOf(exchange),
      assurance,
      scopes: grantedScopes(exchange),
      scope: narrower(scope, caller.scope),
      kids: [...new Set([...keysOf(subject.proven.caller), ...keysOf(caller)])],
      confirmation,
    },
  }
}

/** True where the caller asks for a token about itself. */
export function isForItself({ caller, subject }: Pick<Exchange, 'caller' | 'subject'>): boolean {
  const { ref } = subject.proven.caller
  return ref.type === caller.ref.type && ref.id === caller.ref.id
}

function mustBind({ binding }: Audience, { isWorkload }: HeldSubject): boolean {
  return binding === 'required' || (binding === 'workloads' && isWorkload)
}

function unbound(): Fault {
  return new Fault(
    'proof.invalid',
    { reason: 'proof.missing' },
    { say: 'Tokens for this audience are bound: send a DPoP proof, or a client certificate.' },
  )
}

/** The chain so far, and in front of it who asks now (RFC 8693 section 4.1). */
function actorsOf({ caller, subject, ...rest }: Exchange): readonly string[] {
  const { actors: earlier = [] } = subject.proven.caller.assurance
  const now = caller.ref.id
  if (isForItself({ caller, subject, ...rest }) || earlier[0] === now) return earlier
  checkMayAct(subject.claims, now)
  if (earlier.length >= LIMITS.actorDepth)
    throw new Fault(
      'grant.invalid',
      { reason: 'token.actors' },
      { say: `A token names at most ${LIMITS.actorDepth} actors.` },
    )
  return [now, ...earlier]
}

/** RFC 8693 section 4.4: who is named there, and nobody else. */
function checkMayAct({ may_act: named }: JsonObject, actor: string): void {
  if (named === undefined) return
  if (!isJsonObject(named) || named['sub'] !== actor)
    throw new Fault('grant.invalid', { reason: 'token.may_act' })
}

/** The key that was used, and those that a token of ours was made with: they go on to end what is made of it. */
function keysOf({ kid, limitedBy = [] }: Caller): readonly string[] {
  return [...(kid === undefined ? [] : [kid]), ...limitedBy.map((key) => key.kid)]
}

/** Of all in the story: whoever of them is removed takes the token along. */
function recordsOf({ caller, record, subject }: Exchange): Readonly<Record<string, string>> {
  const earlier = subject.issuer === OWN_ISSUER ? fromClaims(subject.claims).records : {}
  const { ref } = subject.proven.caller
  return {
    ...earlier,
    ...(record === undefined ? {} : { [caller.ref.id]: record }),
    ...(subject.record === undefined ? {} : { [ref.id]: subject.record }),
  }
}

/** Only what the audience knows, and the subject token has where it says any. Throws `scope.wider`. */
function grantedScopes({ audience, subject, scopes: asked }: Exchange): readonly string[] | undefined {
  const held = scopesIn(subject.claims)
  const most = [...audience.scopes].filter((one) => held?.includes(one) ?? true)
  if (asked !== null) {
    if (!asked.every((one) => most.includes(one))) throw new Fault('scope.wider')
    return asked
  }
  // Scopes of another issuer are in its own words: where the audience has none of its own they say nothing to it.
  const isForeign = subject.issuer !== OWN_ISSUER && audience.scopes.size === 0
  return held === undefined || isForeign ? undefined : most
}

function narrower(left: Scope, right: Scope): Scope {
  return { models: both(left.models, right.models), actions: both(left.actions, right.actions) }
}

function both(
  left: readonly string[] | undefined,
  right: readonly string[] | undefined,
): readonly string[] | undefined {
  if (left === undefined || right === undefined) return left ?? right
  return left.filter((one) => right.includes(one))
}
