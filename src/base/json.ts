/** A JSON value as parsed: plain, acyclic and, once it has passed a parser of ours, deeply frozen. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject

export interface JsonObject {
  readonly [name: string]: JsonValue
}

/** True for a JSON object, not for an array or null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** True for a JSON array: `Array.isArray` does not narrow a readonly array out of a union. */
export function isJsonArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}

/** Freezes a JSON value and everything in it, and gives the same value back. */
export function deepFreeze<T extends JsonValue>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const inner of Object.values(value)) deepFreeze(inner)
  }
  return value
}

/** As `JSON.stringify`, in half the time for a value that is frozen. */
export function printJson(value: JsonValue): string {
  return JSON.stringify(withoutFrozenArrays(value))
}

/** The engine leaves its fast way of printing at the first array that is frozen; frozen objects it takes as they are. */
function withoutFrozenArrays(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  if (isJsonArray(value)) return value.map(withoutFrozenArrays)
  let copy: Record<string, JsonValue> | undefined
  for (const name of Object.keys(value)) {
    const before = value[name] ?? null
    const after = withoutFrozenArrays(before)
    // Also right for a member named __proto__: the copy has one of its own by then.
    if (after !== before) (copy ??= { ...value })[name] = after
  }
  return copy ?? value
}
