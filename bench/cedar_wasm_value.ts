import type { CedarValueJson, EntityJson } from '@cedar-policy/cedar-wasm/nodejs'
import type { EntityFacts, PolicyValue } from '#base/decider.ts'
import { isRef, isSet } from '#trust/cedar/policy_value.ts'

/** An entity as the WebAssembly engine takes it. */
export function toCedarEntity({ ref, attributes, parents }: EntityFacts): EntityJson {
  return { uid: ref, attrs: toCedarRecord(attributes), parents: [...parents] }
}

/** A record, member by member. Throws TypeError for what would not arrive as it is. */
export function toCedarRecord(record: Readonly<Record<string, PolicyValue>>): Record<string, CedarValueJson> {
  const cedar: Record<string, CedarValueJson> = {}
  for (const name in record) {
    // Cedar's JSON form gives `__entity` and `__extn` a meaning of their own, and an object literal `__proto__`.
    if (name.startsWith('__')) throw new TypeError('a record member may not begin with "__"')
    const value = record[name]
    if (value !== undefined) cedar[name] = toCedarValue(value)
  }
  return cedar
}

function toCedarValue(value: PolicyValue): CedarValueJson {
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (typeof value === 'number') return toCedarLong(value)
  if (isSet(value)) return value.map(toCedarValue)
  return isRef(value) ? { __entity: { type: value.type, id: value.id } } : toCedarRecord(value)
}

/** Cedar has whole numbers only, and one beyond 2^53 would be rounded on its way. */
function toCedarLong(value: number): number {
  if (!Number.isSafeInteger(value)) throw new TypeError('a Cedar number is a whole number within 2^53')
  return value
}
