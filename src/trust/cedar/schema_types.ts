import type { EntityRef } from '#base/decider.ts'
import {
  EntityValue,
  ExtensionValue,
  RecordValue,
  SetValue,
  type ExtensionType,
  type Value,
} from './values.ts'

/** What a schema says of a value, and what is inferred of an expression. */
export type SchemaType =
  | TruthType
  | { readonly kind: 'integer' }
  | { readonly kind: 'text' }
  | { readonly kind: 'extension'; readonly type: ExtensionType }
  | { readonly kind: 'entity'; readonly type: string }
  | { readonly kind: 'set'; readonly element: SchemaType }
  | RecordType

/** `only` is the one truth that an expression of this type has; a schema never says it. */
export interface TruthType {
  readonly kind: 'truth'
  readonly only?: boolean
}

export interface RecordType {
  readonly kind: 'record'
  readonly fields: ReadonlyMap<string, { readonly type: SchemaType; readonly isRequired: boolean }>
  /** How many of the fields are required. */
  readonly required: number
}

export interface EntityShape {
  /** Types of entities that it may be in, directly. */
  readonly parents: ReadonlySet<string>
  readonly attributes: RecordType
  readonly tags: SchemaType | undefined
  /** The ids of a type that has these entities and no others. */
  readonly ids: ReadonlySet<string> | undefined
}

export interface ActionShape {
  readonly ref: EntityRef
  readonly parents: readonly EntityRef[]
  /** Types that may ask for it, and of what; none for a group of actions. */
  readonly principals: ReadonlySet<string>
  readonly resources: ReadonlySet<string>
  readonly context: RecordType
}

export interface Schema {
  readonly entities: ReadonlyMap<string, EntityShape>
  readonly actions: readonly ActionShape[]
}

export const NO_FIELDS: RecordType = { kind: 'record', fields: new Map(), required: 0 }

/** True when the value has the type: no field more than it names, and none of the required ones less. */
export function hasType(value: Value, type: SchemaType): boolean {
  switch (type.kind) {
    case 'truth':
      return typeof value === 'boolean'
    case 'integer':
      return typeof value === 'number' || typeof value === 'bigint'
    case 'text':
      return typeof value === 'string'
    case 'extension':
      return value instanceof ExtensionValue && value.type === type.type
    case 'entity':
      return value instanceof EntityValue && value.type === type.type
    case 'set':
      return value instanceof SetValue && value.values().every((element) => hasType(element, type.element))
    case 'record':
      return value instanceof RecordValue && areFieldsTyped(value, type)
  }
}

function areFieldsTyped({ fields }: RecordValue, type: RecordType): boolean {
  let required = 0
  for (const [name, value] of fields) {
    const field = type.fields.get(name)
    if (field === undefined || !hasType(value, field.type)) return false
    if (field.isRequired) required += 1
  }
  return required === type.required
}
