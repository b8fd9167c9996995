import { isJsonArray, type JsonValue } from './json.ts'
import type { JsonLimits } from './strict_json.ts'

/**
 * Reads JSON that another server wrote, as `JSON.parse` does, and gives it frozen; undefined when it is not JSON or
 * holds more than the limits. Not for what a caller sends: see `strict_json.ts`.
 */
export function readForeignJson(text: string, limits: JsonLimits): JsonValue | undefined {
  // Each value takes two characters at least, so that only long texts need to be counted.
  if (text.length > 2 * limits.jsonNodes && countValues(text) > limits.jsonNodes) return undefined
  try {
    const value: JsonValue = JSON.parse(text)
    return freezeWithin(value, limits.jsonDepth) ? value : undefined
  } catch {
    return undefined
  }
}

/** One, and one more for each comma and each bracket not closed at once; white space in between counts too many. */
function countValues(text: string): number {
  let count = 1
  let isInString = false
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) isInString = !isInString
    else if (isInString) at += code === BACKSLASH ? 1 : 0
    else if (code === COMMA) count += 1
    else if (code === OPEN_BRACKET || code === OPEN_BRACE) {
      // `]` and `}` stand two places after their opening brackets in ASCII.
      if (text.charCodeAt(at + 1) !== code + 2) count += 1
    }
  }
  return count
}

const QUOTE = 0x22
const COMMA = 0x2c
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const OPEN_BRACE = 0x7b

/** False, and not wholly frozen, when the value is nested deeper than `levels`. */
function freezeWithin(value: JsonValue, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (levels === 0) return false
  Object.freeze(value)
  if (isJsonArray(value)) return value.every((inner) => freezeWithin(inner, levels - 1))
  // A list of the values would be one more object for each of them.
  for (const name in value) if (!freezeWithin(value[name] ?? null, levels - 1)) return false
  return true
}
