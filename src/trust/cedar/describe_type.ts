import type { SchemaType } from './schema_types.ts'

/** A record may have hundreds of fields; a message shows as much of it. */
const SHOWN_MAX = 120

/** A type as a schema writes it, cut to the length of a message. */
export function describeType(type: SchemaType): string {
  const text = printType(type)
  return text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text
}

/** A type as a schema writes it: the same text for the same type. */
export function printType(type: SchemaType): string {
  switch (type.kind) {
    case 'truth':
      return 'Bool'
    case 'integer':
      return 'Long'
    case 'text':
      return 'String'
    case 'extension':
    case 'entity':
      return type.type
    case 'set':
      return `Set<${printType(type.element)}>`
    case 'record': {
      const fields = [...type.fields].map(
        ([name, { type: field, isRequired }]) =>
          `${JSON.stringify(name)}${isRequired ? '' : '?'}: ${printType(field)}`,
      )
      return `{${fields.sort().join(', ')}}`
    }
  }
}
