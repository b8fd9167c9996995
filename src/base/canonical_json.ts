import { isJsonArray, type JsonObject, type JsonValue } from './json.ts'

/**
 * Canonical JSON (RFC 8785): members sorted by UTF-16 code units, no white space, ECMAScript numbers.
 *
 * The value must be plain JSON; a number that is not finite throws TypeError because JSON has no form for it.
 */
export function canonicalJson(value: JsonValue): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return canonicalNumber(value)
  return isJsonArray(value) ? canonicalArray(value) : canonicalObject(value)
}

// Texts are added up piece by piece: a list of pieces to join costs as much as all the rest.
function canonicalArray(array: readonly JsonValue[]): string {
  let text = '['
  for (const element of array) text += text === '[' ? canonicalJson(element) : `,${canonicalJson(element)}`
  return `${text}]`
}

function canonicalObject(object: JsonObject): string {
  let text = '{'
  for (const name of Object.keys(object).sort()) {
    if (text !== '{') text += ','
    text += `${JSON.stringify(name)}:${canonicalJson(object[name] ?? null)}`
  }
  return `${text}}`
}

function canonicalNumber(value: number): string {
  if (!Number.isFinite(value))
    throw new TypeError('canonical JSON has no form for a number that is not finite')
  // As `JSON.stringify` prints it (ECMA-262, SerializeJSONProperty), without its cost.
  return String(value)
}
