import type { EntityRef, PolicyValue } from '#base/decider.ts'
import { EntityValue, RecordValue, SetValue, type Value } from './values.ts'

/** A record without fields. */
export const EMPTY_RECORD: RecordValue = new RecordValue(new Map())
const EMPTY_SET = new SetValue([])

/** A record as the decider is asked with. Throws TypeError for a number that is no integer within 2^53. */
export function toRecordValue(record: Readonly<Record<string, PolicyValue>>): RecordValue {
  const fields = new Map<string, Value>()
  for (const name in record) {
    const value = record[name]
    if (value !== undefined) fields.set(name, toValue(value))
  }
  return fields.size === 0 ? EMPTY_RECORD : new RecordValue(fields)
}

function toValue(value: PolicyValue): Value {
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new TypeError('a Cedar number is a whole number within 2^53')
    return value + 0
  }
  if (isSet(value)) return value.length === 0 ? EMPTY_SET : new SetValue(value.map(toValue))
  return isRef(value) ? new EntityValue(value.type, value.id) : toRecordValue(value)
}

// Array.isArray does not narrow a readonly array out of a union.
export function isSet(value: PolicyValue): value is readonly PolicyValue[] {
  return Array.isArray(value)
}

/** A record with exactly the two texts `type` and `id` is a reference; PolicyValue says so. */
export function isRef(value: PolicyValue): value is EntityRef {
  const isObject = typeof value === 'object' && 'type' in value && 'id' in value
  return (
    isObject &&
    Object.keys(value).length === 2 &&
    typeof value.type === 'string' &&
    typeof value.id === 'string'
  )
}
