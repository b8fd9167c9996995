import type { JsonValue } from '#base/json.ts'
import { isJsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'

/** Elements or members that are kept of one list or object; lists of policies and findings are far shorter. */
const KEPT_PARTS = 64
/** Deeper values are dropped; entry fields are flat but for a few small objects. */
const KEPT_DEPTH = 4

/**
 * A value short enough for the ledger. What is cut says so: a text becomes `{cut, length}` with the length of the
 * whole in UTF-16 code units, a list or object `{cut, length}` with the number of its parts.
 */
export function cutValue(value: JsonValue, depth = 0): JsonValue {
  if (typeof value === 'string') return cutText(value)
  if (typeof value !== 'object' || value === null) return value
  if (isJsonObject(value)) return cutObject(value, depth)
  return depth < KEPT_DEPTH && isShortList(value) ? value : cutArray(value, depth)
}

/** Nearly every list is a few short texts and stays as it is. */
function isShortList(list: readonly JsonValue[]): boolean {
  return (
    list.length <= KEPT_PARTS &&
    list.every((each) => typeof each === 'string' && each.length <= LIMITS.fieldCharacters)
  )
}

function cutArray(value: readonly JsonValue[], depth: number): JsonValue {
  const kept = depth < KEPT_DEPTH ? value.slice(0, KEPT_PARTS).map((each) => cutValue(each, depth + 1)) : []
  return kept.length === value.length ? kept : { cut: kept, length: value.length }
}

function cutText(text: string): JsonValue {
  if (text.length <= LIMITS.fieldCharacters) return text
  // A cut inside a surrogate pair would leave half a character.
  const lastUnit = text.charCodeAt(LIMITS.fieldCharacters - 1)
  const isSplit = lastUnit >= 0xd800 && lastUnit < 0xdc00
  return { cut: text.slice(0, LIMITS.fieldCharacters - (isSplit ? 1 : 0)), length: text.length }
}

function cutObject(value: Readonly<Record<string, JsonValue>>, depth: number): JsonValue {
  const names = Object.keys(value).sort()
  const keptNames =
    depth < KEPT_DEPTH
      ? names.filter((name) => name.length <= LIMITS.fieldCharacters).slice(0, KEPT_PARTS)
      : []
  const kept = Object.fromEntries(keptNames.map((name) => [name, cutValue(value[name] ?? null, depth + 1)]))
  return keptNames.length === names.length ? kept : { cut: kept, length: names.length }
}
