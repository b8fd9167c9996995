import { isJsonArray, type JsonObject, type JsonValue } from '#base/json.ts'

/** Gives what stands in the place of a string; the string itself where nothing changes. */
type Replace = (text: string) => string

/**
 * A frozen copy of a JSON value with other strings in the places of some, or the very value when none changes. Names of
 * members stay. The value must not be deeper than `LIMITS.jsonDepth`.
 */
export function replaceStrings(value: JsonValue, replace: Replace): JsonValue {
  if (typeof value === 'string') return replace(value)
  if (typeof value !== 'object' || value === null) return value
  return isJsonArray(value) ? inArray(value, replace) : inObject(value, replace)
}

function inArray(array: readonly JsonValue[], replace: Replace): JsonValue {
  const copy = array.map((before) => replaceStrings(before, replace))
  return copy.every((after, at) => after === array[at]) ? array : Object.freeze(copy)
}

function inObject(object: JsonObject, replace: Replace): JsonValue {
  const before = Object.entries(object)
  const after = before.map(([name, value]) => [name, replaceStrings(value, replace)] as const)
  if (after.every(([, value], at) => value === before[at]?.[1])) return object
  // Not by assignment: an answer may have a member named __proto__.
  return Object.freeze(Object.fromEntries(after))
}
