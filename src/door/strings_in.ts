import { isJsonArray, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'

/** Every string of a JSON value. */
export interface Strings {
  readonly names: readonly string[]
  readonly values: readonly string[]
}

/**
 * Gathers the names of members and the other strings of a value, in the order in which `replaceStrings` meets them. Undefined
 * when the value is nested deeper than `LIMITS.jsonDepth`.
 */
export function stringsIn(value: JsonValue): Strings | undefined {
  const names: string[] = []
  const values: string[] = []
  const gather = (inner: JsonValue, depth: number): boolean => {
    if (typeof inner === 'string') {
      values.push(inner)
      return true
    }
    if (typeof inner !== 'object' || inner === null) return true
    if (depth >= LIMITS.jsonDepth) return false
    if (isJsonArray(inner)) return inner.every((element) => gather(element, depth + 1))
    return Object.keys(inner).every((name) => {
      names.push(name)
      return gather(inner[name] ?? null, depth + 1)
    })
  }
  return gather(value, 0) ? { names, values } : undefined
}
