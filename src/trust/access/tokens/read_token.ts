import { asFault } from '#base/fault.ts'
import { isJsonObject, type JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { parseStrictJson } from '#base/strict_json.ts'
import { unproven, type Unproven } from '../unproven.ts'

/** The parts of a compact JWS (RFC 7515 section 7.1), of which nothing is proven yet. */
export interface CompactToken {
  readonly text: string
  readonly header: JsonObject
  /** The bytes that are signed besides the header. */
  readonly payload: Uint8Array
}

/** A JWT (RFC 7519) that nobody has verified: good for refusing it, and for finding out whose keys to ask. */
export interface UnverifiedToken extends CompactToken {
  readonly claims: JsonObject
}

/** True for a text of three parts with dots between, of a length that a token may have. Says nothing about the parts. */
export function hasTokenForm(text: string): boolean {
  return text.length <= LIMITS.tokenCharacters && COMPACT.test(text)
}

/**
 * Reads a token as strictly as can be: two programs that read it must see the same (RFC 8725 section 2.4).
 *
 * Throws `caller.unknown` with `token.form`, `token.duplicate` or `token.nested`.
 */
export function readToken(text: string): UnverifiedToken {
  const token = readCompact(text)
  return { ...token, claims: readObject(token.payload) }
}

/** As `readToken`, for any payload. */
export function readCompact(text: string): CompactToken {
  if (!hasTokenForm(text)) throw unproven('token.form')
  const afterHeader = text.indexOf('.')
  const afterPayload = text.lastIndexOf('.')
  const header = readObject(decode(text.slice(0, afterHeader)))
  const payload = decode(text.slice(afterHeader + 1, afterPayload))
  if (!isCanonical(text.slice(afterPayload + 1))) throw unproven('token.form')
  return { text, header, payload }
}

const COMPACT = /^[\w-]+\.[\w-]+\.[\w-]+$/
const LIMITS_OF_PARTS = { jsonDepth: LIMITS.tokenJsonDepth, jsonNodes: LIMITS.tokenCharacters }

/** RFC 4648 section 3.5: bits that stand for nothing are zero, or there would be several texts for the same bytes. */
function isCanonical(part: string): boolean {
  const last = part.charAt(part.length - 1)
  switch (part.length % 4) {
    case 0:
      return true
    case 1:
      return false
    case 2:
      return 'AQgw'.includes(last)
    default:
      return 'AEIMQUYcgkosw048'.includes(last)
  }
}

function decode(part: string): Uint8Array {
  if (!isCanonical(part)) throw unproven('token.form')
  return Buffer.from(part, 'base64url')
}

function readObject(bytes: Uint8Array): JsonObject {
  let value
  try {
    value = parseStrictJson(bytes, LIMITS_OF_PARTS)
  } catch (thrown) {
    const found = asFault(thrown).detail['reason']
    throw unproven(REASONS.get(found) ?? 'token.form')
  }
  if (!isJsonObject(value)) throw unproven('token.form')
  return value
}

const REASONS: ReadonlyMap<unknown, Unproven> = new Map([
  ['json.duplicate', 'token.duplicate'],
  ['json.deep', 'token.nested'],
])
