import type { RecordType, SchemaType, TruthType } from './schema_types.ts'

/**
 * The type that values of both types have; undefined where there is none. Strict as Cedar means it: entities of one
 * type, records with the same fields, each required in both or in none.
 */
export function joinTypes(left: SchemaType, right: SchemaType): SchemaType | undefined {
  if (left === right) return left
  switch (left.kind) {
    case 'truth':
      return right.kind === 'truth' ? joinTruths(left, right) : undefined
    case 'integer':
    case 'text':
      return right.kind === left.kind ? left : undefined
    case 'extension':
    case 'entity':
      return right.kind === left.kind && right.type === left.type ? left : undefined
    case 'set': {
      const element = right.kind === 'set' ? joinTypes(left.element, right.element) : undefined
      return element === undefined ? undefined : { kind: 'set', element }
    }
    case 'record':
      return right.kind === 'record' ? joinRecords(left, right) : undefined
  }
}

function joinTruths(left: TruthType, right: TruthType): TruthType {
  return left.only === right.only ? left : { kind: 'truth' }
}

function joinRecords(left: RecordType, right: RecordType): RecordType | undefined {
  if (left.fields.size !== right.fields.size) return undefined
  const fields = new Map<string, { readonly type: SchemaType; readonly isRequired: boolean }>()
  for (const [name, one] of left.fields) {
    const other = right.fields.get(name)
    const type = other === undefined ? undefined : joinTypes(one.type, other.type)
    if (type === undefined || one.isRequired !== other?.isRequired) return undefined
    fields.set(name, { type, isRequired: one.isRequired })
  }
  return { kind: 'record', fields, required: left.required }
}
