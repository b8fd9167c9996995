import type { Capabilities } from './capabilities.ts'
import { describeType } from './describe_type.ts'
import type { RequestEnvironment } from './request_environments.ts'
import type { SchemaHierarchy } from './schema_hierarchy.ts'
import type { EntityShape, SchemaType, TruthType } from './schema_types.ts'
import type { Expression } from './syntax.ts'
import { SyntaxProblem } from './syntax_problem.ts'

/** Infers types in one environment. */
export interface Inference {
  readonly entities: ReadonlyMap<string, EntityShape>
  readonly hierarchy: SchemaHierarchy
  readonly environment: RequestEnvironment
  /** Throws SyntaxProblem for an expression that is ill-typed where so much is known. */
  readonly infer: (expression: Expression, known: Capabilities) => Inferred
}

/** What is inferred of an expression. */
export interface Inferred<T extends SchemaType = SchemaType> {
  readonly type: T
  /** Keys of what is known to be there where the expression is true. */
  readonly shows: ReadonlySet<string>
}

type Kind = SchemaType['kind']
type OfKind<K extends Kind> = Extract<SchemaType, { readonly kind: K }>

export const NOTHING: ReadonlySet<string> = new Set()
export const INTEGER: SchemaType = { kind: 'integer' }
export const TEXT: SchemaType = { kind: 'text' }

/** An expression that shows nothing. */
export function plain<T extends SchemaType>(type: T): Inferred<T> {
  return { type, shows: NOTHING }
}

/** A truth: always the one, always the other, or (without `only`) either. */
export function truth(only?: boolean, shows: ReadonlySet<string> = NOTHING): Inferred<TruthType> {
  return { type: only === undefined ? { kind: 'truth' } : { kind: 'truth', only }, shows }
}

/** The type, if it is of the kind. Throws SyntaxProblem otherwise; `expected` is what the message calls it. */
export function mustBe<K extends Kind>(
  kind: K,
  type: SchemaType,
  { at }: Expression,
  expected: string,
): OfKind<K> {
  return isOfKind(type, kind) ? type : refuseType(at, expected, type)
}

export function refuseType(at: number, expected: string, found: SchemaType): never {
  throw new SyntaxProblem(at, `expected ${expected}, found ${describeType(found)}`)
}

function isOfKind<K extends Kind>(type: SchemaType, kind: K): type is OfKind<K> {
  return type.kind === kind
}
