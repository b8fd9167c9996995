import { isJsonArray, type JsonObject } from '#base/json.ts'
import type { Assurance } from '../caller.ts'
import { unproven } from '../unproven.ts'

/** Which level each `acr` of an issuer stands for. One that is not here is level 1. */
export type AcrLevels = ReadonlyMap<string, Assurance['aal']>

/**
 * How sure the issuer is of the person, from its signed claims alone.
 *
 * The level is the higher one of what `acr` stands for and of what the methods in `amr` come to: two factors of different
 * kinds are level 2; level 3 is in a map only. A code by SMS is no factor (NIST SP 800-63B section 3.1.3 restricts it): with
 * one in the list the word `mfa` counts for nothing either, because it could stand for that code.
 *
 * Throws `caller.unknown` with `token.claim` for claims of another form.
 */
export function assuranceOf(
  claims: JsonObject,
  levels: AcrLevels,
): Pick<Assurance, 'aal' | 'amr' | 'acr' | 'authTime'> {
  const { acr, auth_time: authTime } = claims
  if (acr !== undefined && (typeof acr !== 'string' || acr.length > LONGEST)) throw malformed('acr')
  if (authTime !== undefined && !(typeof authTime === 'number' && Number.isSafeInteger(authTime)))
    throw malformed('auth_time')
  const amr = methodsOf(claims)
  const said = acr === undefined ? 1 : (levels.get(acr) ?? 1)
  return { aal: said > 1 || !isMultiFactor(amr) ? said : 2, amr, acr, authTime }
}

const LONGEST = 256
const MOST_METHODS = 32

/** RFC 8176 section 2, and the kind of factor that each method is. The others say how, and not with what. */
const FACTORS: ReadonlyMap<string, 'known' | 'held' | 'been'> = new Map([
  ['pwd', 'known'],
  ['pin', 'known'],
  ['otp', 'held'],
  ['hwk', 'held'],
  ['swk', 'held'],
  ['sc', 'held'],
  ['face', 'been'],
  ['fpt', 'been'],
  ['iris', 'been'],
  ['retina', 'been'],
  ['vbm', 'been'],
])
/** Whoever has the number has the code. */
const WEAK: ReadonlySet<string> = new Set(['sms', 'tel'])

function methodsOf({ amr }: JsonObject): readonly string[] {
  if (amr === undefined) return Object.freeze([])
  if (!isJsonArray(amr) || amr.length > MOST_METHODS) throw malformed('amr')
  const methods = amr.map((one) => {
    if (typeof one !== 'string' || one.length > LONGEST) throw malformed('amr')
    return one
  })
  return Object.freeze([...new Set(methods)].sort())
}

function isMultiFactor(amr: readonly string[]): boolean {
  const kinds = new Set(amr.flatMap((method) => FACTORS.get(method) ?? []))
  return kinds.size > 1 || (amr.includes('mfa') && !amr.some((method) => WEAK.has(method)))
}

function malformed(claim: string): Error {
  return unproven('token.claim', { claim })
}
