import { canonicalJson } from '#base/canonical_json.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { Attribute } from './attribute.ts'
import type { Filter } from './filter.ts'
import { foldCase } from './filter_match.ts'
import { FilterWork } from './filter_work.ts'
import { isPrimary } from './read_value.ts'
import { scimFault } from './scim_fault.ts'

/** The values of one multi-valued attribute while a PATCH works on them. */
export interface Values {
  clear(): void
  /** One that is there already gets what it has not. */
  add(values: readonly JsonObject[]): void
  remove(values: readonly JsonObject[]): void
  removeMatching(filter: Filter): void
  /**
   * Puts a function of each value that matches in its place, nothing where that is undefined; without a filter all match.
   * Says how many did.
   */
  replaceMatching(filter: Filter | undefined, change: (value: JsonObject) => JsonObject | undefined): number
}

/**
 * Values as they stand in the resource. Those with the same `value` and type are one; of
 * values without a `value`, as addresses, those that are equal.
 */
export class ValueList implements Values {
  readonly #attribute: Attribute
  readonly #work: FilterWork
  #values = new Map<string, JsonObject>()

  constructor(attribute: Attribute, values: readonly JsonValue[]) {
    this.#attribute = attribute
    this.#work = new FilterWork(attribute)
    this.add(values.filter(isJsonObject))
  }

  toValue(): readonly JsonObject[] {
    return [...this.#values.values()]
  }

  clear(): void {
    this.#values.clear()
  }

  add(values: readonly JsonObject[]): void {
    for (const value of values) {
      const key = keyOf(value)
      this.#values.set(key, { ...this.#values.get(key), ...value })
    }
    this.#checkSize()
    this.#keepOnePrimary(values.find(isPrimary))
  }

  remove(values: readonly JsonObject[]): void {
    for (const value of values) {
      // A client that names only the value means it whatever its type is.
      if (value['type'] === undefined) this.#removeWhere((each) => each['value'] === value['value'])
      else this.#values.delete(keyOf(value))
    }
  }

  removeMatching(filter: Filter): void {
    this.#removeWhere(this.#work.matcherOf(filter, this.#values.size))
  }

  replaceMatching(filter: Filter | undefined, change: (value: JsonObject) => JsonObject | undefined): number {
    const matches = filter === undefined ? () => true : this.#work.matcherOf(filter, this.#values.size)
    const before = this.toValue()
    const primary = before.find(isPrimary)
    let count = 0
    this.#values = new Map()
    let changedPrimary: JsonObject | undefined
    for (const value of before) {
      const isMeant = matches(value)
      const after = isMeant ? change(value) : value
      if (isMeant) count += 1
      if (after === undefined) continue
      this.#values.set(keyOf(after), after)
      if (isMeant && isPrimary(after)) changedPrimary = after
    }
    this.#keepOnePrimary(changedPrimary ?? primary)
    return count
  }

  #removeWhere(matches: (value: JsonObject) => boolean): void {
    for (const [key, value] of this.#values) if (matches(value)) this.#values.delete(key)
  }

  /** RFC 7644 section 3.5.2: the value that is made primary makes the one before it an ordinary one. */
  #keepOnePrimary(primary: JsonObject | undefined): void {
    if (primary === undefined) return
    const kept = keyOf(primary)
    for (const [key, value] of this.#values)
      if (key !== kept && isPrimary(value)) this.#values.set(key, { ...value, primary: false })
  }

  #checkSize(): void {
    if (this.#values.size > LIMITS.scimValues)
      throw scimFault('invalidValue', `"${this.#attribute.name}" may have ${LIMITS.scimValues} values.`)
  }
}

function keyOf(value: JsonObject): string {
  const { value: own, type = null, primary: _, ...rest } = value
  const kind = typeof type === 'string' ? foldCase(type) : null
  return canonicalJson(typeof own === 'string' ? { own, kind } : { rest, kind })
}
