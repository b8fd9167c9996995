import type { Millis } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { deepFreeze, type JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { parseAddressRanges, type AddressRanges } from './address_ranges.ts'
import type { Scope } from './caller.ts'
import { toLimitTerms } from './limit_terms.ts'
import type { KeyEnvironment } from './key.ts'
import type { CallerKind } from './directory.ts'
import { checkCallerName, checkKept } from './directory_names.ts'
import { DAY_MS } from './key_record.ts'

/** No key lives longer: a lost one ends by itself. */
export const MAX_LIFETIME_MS = 90 * DAY_MS
const SCOPE_NAME = /^[!-~]{1,128}$/

/** What is asked for when a key is made. What is left out takes the default beside it. */
export interface NewKey {
  /** The caller. A service is made with its first key: lower-case letters, digits and `-`, at most 63. */
  readonly name: string
  /** That of the caller with this name, else `Service`. */
  readonly kind?: CallerKind | undefined
  /** Of a new caller `default`; one that is there must be in it. */
  readonly space?: string | undefined
  /** `live`. */
  readonly environment?: KeyEnvironment | undefined
  /** Names of models; no narrowing. An empty list lets no model through. */
  readonly models?: readonly string[] | undefined
  /** Names of actions; no narrowing. */
  readonly actions?: readonly string[] | undefined
  /** Now. */
  readonly notBefore?: Millis | undefined
  /** 90 days after `notBefore`, which is also the most. */
  readonly notAfter?: Millis | undefined
  /** How much may be spent with it; none. */
  readonly limits?: JsonObject | undefined
  /** CIDR ranges; any address. */
  readonly addresses?: readonly string[] | undefined
  /** Who makes it, as a printed reference. */
  readonly createdBy: string
}

/** A request for a key with its defaults, within all limits. */
export interface KeyTerms {
  readonly name: string
  readonly kind: CallerKind
  readonly space: string | undefined
  readonly limits: JsonObject | undefined
  readonly environment: KeyEnvironment
  readonly scope: Scope
  readonly notBefore: Millis
  readonly notAfter: Millis
  readonly addresses: readonly string[]
  readonly ranges: AddressRanges
  readonly createdBy: string
}

/** Fills in the defaults. Throws `input.invalid` and names the field. */
export function toTerms(asked: NewKey, now: Millis): KeyTerms {
  const { kind = 'Service' } = asked
  checkCallerName(kind, asked.name)
  checkKept('limits', asked.limits)
  toLimitTerms(asked.limits)
  const notBefore = asked.notBefore ?? now
  const notAfter = asked.notAfter ?? notBefore + MAX_LIFETIME_MS
  check(Number.isSafeInteger(notBefore), 'not_before', 'must be a time')
  check(Number.isSafeInteger(notAfter) && notAfter > Math.max(notBefore, now), 'not_after', 'must lie ahead')
  check(notAfter - notBefore <= MAX_LIFETIME_MS, 'not_after', 'may be at most 90 days after not_before')
  const addresses = [...(asked.addresses ?? [])]
  check(
    addresses.length <= LIMITS.keyAddressRanges,
    'addresses',
    `takes at most ${LIMITS.keyAddressRanges} ranges`,
  )
  const ranges = parseAddressRanges(addresses)
  if (ranges === undefined) throw invalid('addresses', 'takes CIDR ranges, as in 10.0.0.0/8 or 2001:db8::/32')
  return {
    name: asked.name,
    kind,
    space: asked.space,
    limits: asked.limits === undefined ? undefined : deepFreeze(asked.limits),
    environment: asked.environment ?? 'live',
    scope: Object.freeze({
      models: scopeNames('models', asked.models),
      actions: scopeNames('actions', asked.actions),
    }),
    notBefore,
    notAfter,
    addresses,
    ranges,
    createdBy: asked.createdBy,
  }
}

function scopeNames(field: string, names: readonly string[] | undefined): readonly string[] | undefined {
  if (names === undefined) return undefined
  check(names.length <= LIMITS.keyScopeNames, field, `takes at most ${LIMITS.keyScopeNames} names`)
  check(
    names.every((name) => SCOPE_NAME.test(name)),
    field,
    'takes names of 1 to 128 printable characters',
  )
  return Object.freeze([...new Set(names)])
}

function check(isRight: boolean, field: string, rule: string): void {
  if (!isRight) throw invalid(field, rule)
}

function invalid(field: string, rule: string): Fault {
  return new Fault('input.invalid', { field }, { say: `"${field}" ${rule}.` })
}
