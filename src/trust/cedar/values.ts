import { printRef, type EntityRef } from '#base/decider.ts'
import { failEvaluation } from './evaluation_error.ts'
import type { Long } from './long.ts'

/** A value while policies are evaluated. Integers, strings and truths stand for themselves. */
export type Value = boolean | string | Long | EntityValue | SetValue | RecordValue | ExtensionValue

/** A reference to an entity; what is known of it stands elsewhere. */
export class EntityValue implements EntityRef {
  readonly type: string
  readonly id: string

  constructor(type: string, id: string) {
    this.type = type
    this.id = id
  }
}

export class RecordValue {
  readonly fields: ReadonlyMap<string, Value>

  constructor(fields: ReadonlyMap<string, Value>) {
    this.fields = fields
  }
}

/** A value of a type that Cedar calls an extension; `value` holds it whole, so that two are equal when both parts are. */
export class ExtensionValue {
  readonly type: ExtensionType
  /** Ten-thousandths of a decimal, milliseconds of a duration or since 1970; of an address all that it says. */
  readonly value: Long
  /** Of an address: 4 or 6. */
  readonly version: number
  /** Of an address: the bits of the network. */
  readonly prefix: number

  constructor(type: ExtensionType, value: Long, version = 0, prefix = 0) {
    this.type = type
    this.value = value
    this.version = version
    this.prefix = prefix
  }
}

export type ExtensionType = 'decimal' | 'ipaddr' | 'datetime' | 'duration'

type Primitive = boolean | string | Long

/** Each element once, in no order. */
export class SetValue {
  /** Primitives as they are: a string is never equal to a number. */
  readonly #primitives = new Set<Value>()
  /** The others by their canonical text. */
  readonly #others = new Map<string, Value>()

  constructor(elements: Iterable<Value>) {
    for (const element of elements) {
      if (isPrimitive(element)) this.#primitives.add(element)
      else this.#others.set(canonicalText(element), element)
    }
  }

  get size(): number {
    return this.#primitives.size + this.#others.size
  }

  has(value: Value): boolean {
    if (isPrimitive(value)) return this.#primitives.has(value)
    return this.#others.size > 0 && this.#others.has(canonicalText(value))
  }

  hasAll(other: SetValue): boolean {
    if (other.size > this.size) return false
    for (const value of other.#primitives) if (!this.#primitives.has(value)) return false
    for (const text of other.#others.keys()) if (!this.#others.has(text)) return false
    return true
  }

  hasAny(other: SetValue): boolean {
    for (const value of other.#primitives) if (this.#primitives.has(value)) return true
    for (const text of other.#others.keys()) if (this.#others.has(text)) return true
    return false
  }

  isEqual(other: SetValue): boolean {
    return this.size === other.size && this.hasAll(other)
  }

  /** The elements, for membership tests of entities. Throws EvaluationError when one is none. */
  entities(): Iterable<EntityValue> {
    if (this.#primitives.size > 0) failEvaluation('wrong type')
    const entities: EntityValue[] = []
    for (const value of this.#others.values()) entities.push(asEntity(value))
    return entities
  }

  values(): Value[] {
    return [...this.#primitives, ...this.#others.values()]
  }

  /** The canonical texts of all elements, sorted. */
  texts(): string[] {
    return [...[...this.#primitives].map(canonicalText), ...this.#others.keys()].sort()
  }
}

export function isPrimitive(value: Value): value is Primitive {
  return typeof value !== 'object'
}

/** Cedar's `==`: values of different types are different, never an error. */
export function isEqual(left: Value, right: Value): boolean {
  if (left === right) return true
  if (left instanceof EntityValue)
    return right instanceof EntityValue && left.id === right.id && left.type === right.type
  if (left instanceof SetValue) return right instanceof SetValue && left.isEqual(right)
  if (left instanceof RecordValue) return right instanceof RecordValue && areFieldsEqual(left, right)
  if (!(left instanceof ExtensionValue && right instanceof ExtensionValue)) return false
  return (
    left.value === right.value &&
    left.type === right.type &&
    left.prefix === right.prefix &&
    left.version === right.version
  )
}

function areFieldsEqual({ fields }: RecordValue, { fields: others }: RecordValue): boolean {
  if (fields.size !== others.size) return false
  for (const [name, value] of fields) {
    const other = others.get(name)
    if (other === undefined || !isEqual(value, other)) return false
  }
  return true
}

/** One text for each value: equal values have equal texts, others never. */
export function canonicalText(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (isPrimitive(value)) return `${value}`
  if (value instanceof EntityValue) return printRef(value)
  if (value instanceof SetValue) return `[${value.texts().join()}]`
  if (value instanceof ExtensionValue) return `${value.type}(${value.value}/${value.version}/${value.prefix})`
  const fields = [...value.fields].map(([name, field]) => `${JSON.stringify(name)}:${canonicalText(field)}`)
  return `{${fields.sort().join()}}`
}

export function asTruth(value: Value): boolean {
  return typeof value === 'boolean' ? value : failEvaluation('wrong type')
}

export function asLong(value: Value): Long {
  return typeof value === 'number' || typeof value === 'bigint' ? value : failEvaluation('wrong type')
}

export function asText(value: Value): string {
  return typeof value === 'string' ? value : failEvaluation('wrong type')
}

export function asEntity(value: Value): EntityValue {
  return value instanceof EntityValue ? value : failEvaluation('wrong type')
}

export function asSet(value: Value): SetValue {
  return value instanceof SetValue ? value : failEvaluation('wrong type')
}

export function asExtension(value: Value, type: ExtensionType): ExtensionValue {
  return value instanceof ExtensionValue && value.type === type ? value : failEvaluation('wrong type')
}
