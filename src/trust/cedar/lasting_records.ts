import type { PolicyValue } from '#base/decider.ts'
import { toRecordValue } from './policy_value.ts'
import { hasType, type RecordType } from './schema_types.ts'
import { RecordValue, type Value } from './values.ts'

type Given = Readonly<Record<string, PolicyValue>>

/**
 * Records of questions as values, and whether they have their types. What was found out of a record that can never change
 * (frozen all through) is kept for as long as somebody holds it.
 */
export class LastingRecords {
  readonly #values = new WeakMap<object, RecordValue>()
  readonly #types = new WeakMap<Given, RecordType[]>()

  /** Members that last are not made again, though the record itself is. Throws TypeError as `toRecordValue` does. */
  valueOf(record: Given): RecordValue {
    const known = this.#values.get(record)
    if (known !== undefined) return known
    if (isLastingValue(record)) {
      const value = toRecordValue(record)
      this.#values.set(record, value)
      return value
    }
    const lasting = new Map<string, Value>()
    const others: Record<string, PolicyValue> = {}
    for (const name in record) {
      const value = record[name]
      if (value === undefined) continue
      const kept = typeof value === 'object' ? this.#values.get(value) : undefined
      if (kept === undefined) others[name] = value
      else lasting.set(name, kept)
    }
    const value = toRecordValue(others)
    return lasting.size === 0 ? value : new RecordValue(new Map([...value.fields, ...lasting]))
  }

  /** True when `check` said so of the record, now or earlier. */
  has(record: Given, type: RecordType, check: () => boolean): boolean {
    const types = this.#types.get(record)
    if (types?.includes(type) === true) return true
    if (!check()) return false
    if (types !== undefined) types.push(type)
    else if (isLastingValue(record)) this.#types.set(record, [type])
    return true
  }

  /** As `has`, for a record in a record. */
  hasType(record: Given, type: RecordType): boolean {
    return this.has(record, type, () => hasType(this.valueOf(record), type))
  }
}

/** True when nothing of it can be changed any more. */
export function isLastingValue(value: PolicyValue): boolean {
  if (typeof value !== 'object') return true
  return Object.isFrozen(value) && Object.values(value).every(isLastingValue)
}
