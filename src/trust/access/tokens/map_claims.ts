import { isJsonArray, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { actorsIn } from '../issued/issued_claims.ts'
import { unproven } from '../unproven.ts'
import { assuranceOf, type AcrLevels } from './assurance_of.ts'
import { claimAt, type ClaimPath } from './claim_path.ts'
import type { Identity } from './issuer.ts'

/** Where a single name stands. */
export interface NameClaim {
  readonly path: ClaimPath
  readonly isRequired: boolean
}

/** Where names stand, and how. */
export interface NamesClaim extends NameClaim {
  /** How a single text holds several: `none` takes it as one name. A list holds one name in each of its texts. */
  readonly split: 'none' | 'space' | 'comma'
  /** What the names of the issuer are called here. Where it is given, others do not count; without it they count as they are. */
  readonly names: ReadonlyMap<string, string> | undefined
}

/** Which tokens are of services, and how these are called. */
export interface ServiceClaim {
  readonly path: ClaimPath
  readonly prefix: string
  readonly names: ReadonlyMap<string, string> | undefined
  /**
   * `subject`: tokens whose `sub` is the very claim, as with client credentials (RFC 9068 section 2.2); `always`: all tokens of
   * this issuer; else those that have this text at this path.
   */
  readonly when: 'subject' | 'always' | { readonly path: ClaimPath; readonly is: string }
}

/** How the claims of an issuer become a caller. */
export interface ClaimMap {
  readonly user: ClaimPath
  /** Before the names of its users, so that two issuers never mean the same one. */
  readonly userPrefix: string
  readonly tenant: NameClaim | undefined
  readonly space: NameClaim | undefined
  readonly groups: NamesClaim | undefined
  readonly roles: NamesClaim | undefined
  readonly services: ServiceClaim | undefined
  /** Before the names of those who act for its users, which are its own words: no caller here may be meant by them. */
  readonly actorPrefix: string
  readonly acr: AcrLevels
}

/**
 * Who a verified token is about. What does not fit refuses the token: a group that is quietly left out could be the one that
 * a policy forbids something.
 *
 * Throws `caller.unknown` with `token.claim` or `token.actors`; the forms of names are the directory's to judge.
 */
export function mapClaims(claims: JsonObject, map: ClaimMap): Identity {
  const place = { tenant: oneName(claims, map.tenant), space: oneName(claims, map.space) }
  const actors = actorsIn(claims['act']).map((actor) => `${map.actorPrefix}${actor}`)
  const assurance = { ...assuranceOf(claims, map.acr), ...(actors.length === 0 ? {} : { actors }) }
  const service = serviceOf(claims, map.services)
  // What a service belongs to is for this home to say.
  if (service !== undefined)
    return { kind: 'Service', name: service, ...place, groups: NO_NAMES, roles: NO_NAMES, assurance }
  const user = textAt(claims, map.user)
  if (user === undefined) throw refused(map.user)
  const groups = names(claims, map.groups)
  const roles = names(claims, map.roles)
  return { kind: 'User', name: `${map.userPrefix}${user}`, ...place, groups, roles, assurance }
}

const NO_NAMES: readonly string[] = Object.freeze([])

function serviceOf(claims: JsonObject, map: ServiceClaim | undefined): string | undefined {
  if (map === undefined) return undefined
  const text = textAt(claims, map.path)
  if (!isOfService(claims, map, text)) return undefined
  const name = text === undefined || map.names === undefined ? text : map.names.get(text)
  if (name === undefined) throw refused(map.path)
  return `${map.prefix}${name}`
}

function isOfService(claims: JsonObject, { when }: ServiceClaim, text: string | undefined): boolean {
  if (when === 'always') return true
  if (when === 'subject') return text !== undefined && claims['sub'] === text
  return claimAt(claims, when.path) === when.is
}

function oneName(claims: JsonObject, claim: NameClaim | undefined): string | undefined {
  if (claim === undefined) return undefined
  const text = textAt(claims, claim.path)
  if (text === undefined && claim.isRequired) throw refused(claim.path)
  return text
}

function textAt(claims: JsonObject, path: ClaimPath): string | undefined {
  const value = claimAt(claims, path)
  if (value === undefined) return undefined
  if (typeof value !== 'string' || value === '') throw refused(path)
  return value
}

function names(claims: JsonObject, claim: NamesClaim | undefined): readonly string[] {
  if (claim === undefined) return NO_NAMES
  const value = claimAt(claims, claim.path)
  if (value === undefined) {
    if (claim.isRequired) throw refused(claim.path)
    return NO_NAMES
  }
  const texts = textsIn(value, claim)
  const known = claim.names
  const named = known === undefined ? texts : texts.flatMap((text) => known.get(text) ?? [])
  const different = [...new Set(named)]
  if (different.length > LIMITS.tokenGroups) throw refused(claim.path)
  return Object.freeze(different)
}

const SEPARATORS = { none: undefined, space: ' ', comma: ',' } as const

function textsIn(value: JsonValue, { path, split }: NamesClaim): readonly string[] {
  if (isJsonArray(value))
    return value.map((one) => {
      if (typeof one !== 'string' || one === '') throw refused(path)
      return one
    })
  if (typeof value !== 'string') throw refused(path)
  const separator = SEPARATORS[split]
  if (separator === undefined) return value === '' ? NO_NAMES : [value]
  return value
    .split(separator)
    .map((one) => one.trim())
    .filter((one) => one !== '')
}

function refused(path: ClaimPath): Error {
  return unproven('token.claim', { claim: path.join(' > ') })
}
