import { NO_FIELDS, type RecordType, type Schema, type SchemaType } from '#trust/cedar/schema_types.ts'

/** An expression by its path from a variable. `needs` are the tests that make it safe, in their order. */
export interface Path {
  readonly text: string
  readonly type: SchemaType
  readonly needs: readonly string[]
}

const STEPS_MAX = 3
const PATHS_MAX = 200

/** All that can be reached from a variable, the nearest first, to a limit. */
export function pathsFrom(variable: string, root: SchemaType, schema: Schema): readonly Path[] {
  const found: Path[] = [{ text: variable, type: root, needs: [] }]
  // A list that grows while it is walked gives what was added, too.
  for (const { text, type, needs } of found) {
    if (text.split('[').length > STEPS_MAX || found.length > PATHS_MAX) break
    for (const [name, field] of fieldsOf(type, schema)) {
      const key = JSON.stringify(name)
      const test = field.isRequired ? [] : [`${text} has ${key}`]
      found.push({ text: `${text}[${key}]`, type: field.type, needs: [...needs, ...test] })
    }
  }
  return found
}

export function fieldsOf(type: SchemaType, { entities }: Schema): RecordType['fields'] {
  if (type.kind === 'record') return type.fields
  const shape = type.kind === 'entity' ? entities.get(type.type) : undefined
  return shape?.attributes.fields ?? NO_FIELDS.fields
}
