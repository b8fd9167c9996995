import { LIMITS } from '#base/limits.ts'
import type { RecordType, SchemaType } from './schema_types.ts'
import { SyntaxProblem } from './syntax_problem.ts'

/** A type as a schema writes it. */
export type WrittenType =
  | WrittenRecord
  | { readonly kind: 'set'; readonly element: WrittenType }
  | { readonly kind: 'name'; readonly name: string }
  /** Written with `__cedar::`, so that no name of the schema can stand before it. */
  | { readonly kind: 'built-in'; readonly name: string }

export interface WrittenRecord {
  readonly kind: 'record'
  readonly fields: Map<string, { readonly type: WrittenType; readonly isRequired: boolean }>
}

const BUILT_IN: ReadonlyMap<string, SchemaType> = new Map<string, SchemaType>([
  ['Bool', { kind: 'truth' }],
  ['Boolean', { kind: 'truth' }],
  ['Long', { kind: 'integer' }],
  ['String', { kind: 'text' }],
  ['decimal', { kind: 'extension', type: 'decimal' }],
  ['ipaddr', { kind: 'extension', type: 'ipaddr' }],
  ['datetime', { kind: 'extension', type: 'datetime' }],
  ['duration', { kind: 'extension', type: 'duration' }],
])

/** The names of a schema, and what they stand for: common types, then entity types, then those of Cedar itself. */
export class SchemaNames {
  readonly #entities = new Set<string>()
  readonly #common = new Map<string, { readonly type: WrittenType; readonly space: string }>()

  addEntity(type: string): void {
    this.#entities.add(type)
  }

  addCommon(name: string, space: string, type: WrittenType): void {
    this.#common.set(name, { type, space })
  }

  /** The full name of an entity type: of the namespace where it is named, or as it stands. */
  entityName(name: string, space: string): string {
    return candidates(name, space).find((full) => this.#entities.has(full)) ?? name
  }

  /** Throws SyntaxProblem for a name that stands for nothing, or for itself. */
  toType(written: WrittenType, space: string, depth = 0): SchemaType {
    if (depth > LIMITS.expressionDepth) throw new SyntaxProblem(0, 'a type of the schema is too deep')
    if (written.kind === 'record') return this.toRecord(written, space, depth)
    if (written.kind === 'set')
      return { kind: 'set', element: this.toType(written.element, space, depth + 1) }
    const names = written.kind === 'name' ? candidates(written.name, space) : []
    for (const full of names) {
      const common = this.#common.get(full)
      if (common !== undefined) return this.toType(common.type, common.space, depth + 1)
      if (this.#entities.has(full)) return { kind: 'entity', type: full }
    }
    const builtIn = BUILT_IN.get(written.name)
    if (builtIn === undefined) throw new SyntaxProblem(0, `the schema does not say what ${written.name} is`)
    return builtIn
  }

  toRecord(written: WrittenRecord, space: string, depth = 0): RecordType {
    const fields = [...written.fields].map(([name, { type, isRequired }]) => {
      return [name, { type: this.toType(type, space, depth + 1), isRequired }] as const
    })
    const required = fields.filter(([, { isRequired }]) => isRequired).length
    return { kind: 'record', fields: new Map(fields), required }
  }
}

function candidates(name: string, space: string): string[] {
  return space === '' ? [name] : [`${space}::${name}`, name]
}
