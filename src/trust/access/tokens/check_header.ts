import type { JsonObject, JsonValue } from '#base/json.ts'
import { unproven } from '../unproven.ts'
import type { Issuer } from './issuer.ts'

/** What a token says of its signature. */
export interface HeaderFacts {
  readonly algorithm: string
  readonly kid: string | undefined
}

/**
 * Checks the header of a token by what its issuer may use.
 *
 * Links to keys and keys in the header (`jku`, `x5u`, `jwk`, `x5c`) are what a forger would put there: nobody reads them.
 *
 * Throws `caller.unknown` with `token.algorithm`, `token.critical`, `token.type` or `token.key_unknown`.
 */
export function checkHeader(
  header: JsonObject,
  { algorithms, types }: Pick<Issuer, 'algorithms' | 'types'>,
): HeaderFacts {
  const { alg, kid, typ } = header
  if (typeof alg !== 'string' || !algorithms.has(alg)) throw unproven('token.algorithm')
  // RFC 7515 section 4.1.11: what is not understood and critical refuses; nothing is understood here.
  if (header['crit'] !== undefined || header['b64'] !== undefined) throw unproven('token.critical')
  if (!types.has(typeName(typ))) throw unproven('token.type')
  if (kid !== undefined && (typeof kid !== 'string' || kid === '')) throw unproven('token.key_unknown')
  return { algorithm: alg, kid }
}

/** RFC 7515 section 4.1.9: `application/` may be left out, and media types know no case. */
function typeName(typ: JsonValue | undefined): string {
  if (typ === undefined) return 'none'
  // What is no text is no name of a type either.
  return typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : ''
}
