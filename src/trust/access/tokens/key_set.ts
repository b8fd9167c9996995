import { importJWK, type CryptoKey, type JWK } from 'jose'
import { canonicalJson } from '#base/canonical_json.ts'
import { sha256Base64Url } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { parseStrictJson } from '#base/strict_json.ts'
import { ALGORITHMS, type Algorithm, type AlgorithmName } from './algorithms.ts'
import { isFactorable } from './weak_modulus.ts'

/** A public key of an issuer, for one algorithm. */
export interface VerifyingKey {
  readonly kid: string | undefined
  readonly algorithm: AlgorithmName
  /** Hash of all that the issuer says of the key: the same text is the same key, also in the next set. */
  readonly print: string
  readonly key: CryptoKey | Uint8Array
}

/** The keys that an issuer signs with, as it published them. */
export interface KeySet {
  readonly keys: readonly VerifyingKey[]
  /** How many different ones there are: one key of RSA serves two algorithms. */
  readonly count: number
  /** Why others of the set are not used, in words of our own. */
  readonly ignored: readonly string[]
}

/**
 * Reads a JWK Set (RFC 7517 section 5) and imports the keys that the algorithms can use. What the issuer publishes for
 * other purposes is left out; so is what no key for signatures may look like.
 *
 * Throws `input.invalid` for what is no key set at all.
 */
export async function readKeySet(bytes: Uint8Array, algorithms: ReadonlySet<string>): Promise<KeySet> {
  const value = parseStrictJson(bytes, SET_LIMITS)
  const listed = isJsonObject(value) ? value['keys'] : undefined
  if (listed === undefined || !isJsonArray(listed)) throw invalid('The key set has no list "keys".')
  if (listed.length > LIMITS.keysPerIssuer)
    throw invalid(`The key set has more than ${LIMITS.keysPerIssuer} keys.`)
  const keys: VerifyingKey[] = []
  const ignored: string[] = []
  for (const [at, jwk] of listed.entries()) {
    const found = await importKey(jwk, algorithms)
    if (typeof found === 'string') ignored.push(`key ${String(at + 1)} is not used: ${found}`)
    else keys.push(...found)
  }
  return { keys, count: new Set(keys.map(({ print }) => print)).size, ignored }
}

/** What a token says of the key that signed it. */
export interface KeyQuery {
  readonly kid: string | undefined
  readonly algorithm: string
}

/**
 * The one key that a token can mean. Without a `kid` only the key of a set that has no other; `missing` where it has.
 * Two keys that both fit are none: which one was meant must not depend on their order.
 */
export function selectKey(set: KeySet, { kid, algorithm }: KeyQuery): VerifyingKey | 'missing' | undefined {
  if (kid === undefined && set.count > 1) return 'missing'
  const fitting = set.keys.filter(
    (key) => key.algorithm === algorithm && (kid === undefined || key.kid === kid),
  )
  return fitting.length === 1 ? fitting[0] : undefined
}

const SET_LIMITS = { jsonDepth: 8, jsonNodes: 20_000 }
const LONGEST_KID = 512
const RSA_LEAST_BITS = 2_048
/** A longer modulus costs each check a millisecond and more, and no issuer has one. */
const RSA_MOST_BITS = 8_192
/** The cost of a check grows with it: one as long as the modulus costs a hundred times what that of all others (65,537) does. */
const EXPONENT_MOST_BITS = 64

async function importKey(
  jwk: JsonValue,
  algorithms: ReadonlySet<string>,
): Promise<readonly VerifyingKey[] | string> {
  if (!isJsonObject(jwk)) return 'it is no object'
  const objection = objectionTo(jwk)
  if (objection !== undefined) return objection
  const fitting = [...ALGORITHMS.values()].filter((row) => algorithms.has(row.name) && fits(jwk, row))
  if (fitting.length === 0) return 'it is for other algorithms than those that are accepted'
  const kid = typeof jwk['kid'] === 'string' ? jwk['kid'] : undefined
  const print = sha256Base64Url(canonicalJson(publicPart(jwk)))
  try {
    return await Promise.all(
      fitting.map(async ({ name }) => ({
        kid,
        algorithm: name,
        print,
        key: await importJWK(publicPart(jwk) as JWK, name),
      })),
    )
  } catch {
    return 'it cannot be read'
  }
}

/** What keeps a key from being used for the check of signatures, whatever the algorithm. */
function objectionTo(jwk: JsonObject): string | undefined {
  const { kid, use, key_ops: operations } = jwk
  if (kid !== undefined && (typeof kid !== 'string' || kid === '' || kid.length > LONGEST_KID))
    return 'its "kid" is no short text'
  if (jwk['kty'] === 'oct') return 'it is a shared secret'
  // Whoever publishes it has lost it.
  if (PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name))) return 'its private part is published'
  if (use !== undefined && use !== 'sig') return 'it is not for signatures'
  if (operations === undefined) return jwk['kty'] === 'RSA' ? objectionToRsa(jwk) : undefined
  if (!isJsonArray(operations) || !operations.includes('verify')) return 'it is not for checking signatures'
  return jwk['kty'] === 'RSA' ? objectionToRsa(jwk) : undefined
}

const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'priv', 'k']

function objectionToRsa({ n, e }: JsonObject): string | undefined {
  const bits = bitLength(n)
  if (bits < RSA_LEAST_BITS) return `it has fewer than ${RSA_LEAST_BITS} bits`
  if (bits > RSA_MOST_BITS) return `it has more than ${RSA_MOST_BITS} bits`
  if (typeof n === 'string' && isFactorable(Buffer.from(n, 'base64url')))
    return 'its library is known to make keys that can be factored'
  const exponent = typeof e === 'string' ? Buffer.from(e, 'base64url') : Buffer.alloc(0)
  // With 1 every text is its own signature.
  const isOne = bitLength(e) < 2
  const isEven = ((exponent.at(-1) ?? 0) & 1) === 0
  return isOne || isEven || bitLength(e) > EXPONENT_MOST_BITS ? 'its exponent is not acceptable' : undefined
}

/** Of a number as RFC 7518 section 6.3.1 writes it. */
function bitLength(value: JsonValue | undefined): number {
  if (typeof value !== 'string') return 0
  const hex = Buffer.from(value, 'base64url').toString('hex').replace(/^0+/, '')
  return hex === '' ? 0 : hex.length * 4 - Math.clz32(Number.parseInt(hex.charAt(0), 16)) + 28
}

function fits(jwk: JsonObject, { name, kty, crv }: Algorithm): boolean {
  if (jwk['kty'] !== kty || (crv !== undefined && jwk['crv'] !== crv)) return false
  const said = jwk['alg']
  if (said === undefined) return kty !== 'AKP'
  // RFC 9864: two names for the same algorithm.
  return said === name || (crv === 'Ed25519' && (said === 'EdDSA' || said === 'Ed25519'))
}

/** Certificates and links beside the key are not looked at, so they are no part of it either. */
function publicPart(jwk: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(jwk).filter(([name]) => !name.startsWith('x5') && name !== 'key_ops' && name !== 'use'),
  )
}

function invalid(say: string): Fault {
  return new Fault('input.invalid', { reason: 'keys.form' }, { say })
}
