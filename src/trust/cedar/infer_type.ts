import { Capabilities } from './capabilities.ts'
import { inferGet, inferHas } from './infer_attribute.ts'
import { inferCall } from './infer_call.ts'
import { inferComparison, inferIs } from './infer_comparison.ts'
import { inferMethod } from './infer_method.ts'
import {
  INTEGER,
  mustBe,
  plain,
  refuseType,
  TEXT,
  truth,
  type Inference,
  type Inferred,
} from './inference.ts'
import { describeType } from './describe_type.ts'
import { joinTypes } from './join_types.ts'
import type { RequestEnvironment } from './request_environments.ts'
import type { SchemaHierarchy } from './schema_hierarchy.ts'
import type { Schema, SchemaType, TruthType } from './schema_types.ts'
import type { Expression, Variable } from './syntax.ts'
import { SyntaxProblem } from './syntax_problem.ts'

type Of<Kind extends Expression['kind']> = Extract<Expression, { readonly kind: Kind }>

/** The rules of one environment. */
export function inferenceIn(
  environment: RequestEnvironment,
  { entities }: Schema,
  hierarchy: SchemaHierarchy,
): Inference {
  const inference: Inference = {
    entities,
    hierarchy,
    environment,
    infer: (expression, known) => inferType(expression, known, inference),
  }
  return inference
}

function inferType(expression: Expression, known: Capabilities, inference: Inference): Inferred {
  switch (expression.kind) {
    case 'literal':
      return inferLiteral(expression)
    case 'entity':
      return plain({ kind: 'entity', type: expression.entity.type })
    case 'variable':
      return plain(typeOfVariable(expression.name, inference.environment))
    case 'not': {
      const { only } = inferTruth(expression.operand, known, inference).type
      return truth(only === undefined ? undefined : !only)
    }
    case 'negate':
      return inferIntegers([expression.operand], known, inference)
    case 'and':
      return inferAnd(expression, known, inference)
    case 'or':
      return inferOr(expression, known, inference)
    case 'compare':
      return inferComparison(expression, known, inference)
    case 'arithmetic': {
      const operands = [expression.first, ...expression.rest.map(({ operand }) => operand)]
      return inferIntegers(operands, known, inference)
    }
    case 'has':
      return inferHas(expression, known, inference)
    case 'get':
      return inferGet(expression, known, inference)
    case 'like':
      mustBe('text', inference.infer(expression.target, known).type, expression.target, 'String')
      return truth()
    case 'is':
      return inferIs(expression, known, inference)
    case 'if':
      return inferIf(expression, known, inference)
    case 'set':
      return inferSet(expression, known, inference)
    case 'record':
      return inferRecord(expression, known, inference)
    case 'method':
      return inferMethod(expression, known, inference)
    case 'call':
      return inferCall(expression, known, inference)
  }
}

/** Infers the type of an expression that must be a truth. What can never be reached, as behind `false &&`, is not looked at. */
export function inferTruth(
  expression: Expression,
  known: Capabilities,
  inference: Inference,
): Inferred<TruthType> {
  const { type, shows } = inference.infer(expression, known)
  return { type: mustBe('truth', type, expression, 'Bool'), shows }
}

function inferLiteral({ value }: Of<'literal'>): Inferred {
  if (typeof value === 'boolean') return truth(value)
  return plain(typeof value === 'string' ? TEXT : INTEGER)
}

function typeOfVariable(name: Variable, environment: RequestEnvironment): SchemaType {
  switch (name) {
    case 'principal':
    case 'resource':
      return { kind: 'entity', type: environment[name] }
    case 'action':
      return { kind: 'entity', type: environment.action.type }
    case 'context':
      return environment.context
  }
}

function inferIntegers(operands: readonly Expression[], known: Capabilities, inference: Inference): Inferred {
  for (const operand of operands) mustBe('integer', inference.infer(operand, known).type, operand, 'Long')
  return plain(INTEGER)
}

/** What one operand shows, those after it may rely on. */
function inferAnd({ operands }: Of<'and'>, known: Capabilities, inference: Inference): Inferred<TruthType> {
  const inner = new Capabilities(known)
  const shows = new Set<string>()
  let only: boolean | undefined = true
  for (const operand of operands) {
    const { type, shows: more } = inferTruth(operand, inner, inference)
    if (type.only === false) return truth(false)
    if (type.only === undefined) only = undefined
    inner.add(more)
    for (const key of more) shows.add(key)
  }
  return truth(only, shows)
}

/** What all operands show is shown, whichever of them is true. */
function inferOr({ operands }: Of<'or'>, known: Capabilities, inference: Inference): Inferred<TruthType> {
  let whole = truth(false)
  for (const operand of operands) {
    const next = inferTruth(operand, known, inference)
    if (next.type.only === true) return truth(true)
    if (whole.type.only === false) whole = next
    else if (next.type.only === undefined) whole = truth(undefined, whole.shows.intersection(next.shows))
  }
  return whole
}

function inferIf(expression: Of<'if'>, known: Capabilities, inference: Inference): Inferred {
  const { type, shows } = inferTruth(expression.test, known, inference)
  const inferYes = (): Inferred => {
    const yes = inference.infer(expression.yes, new Capabilities(known).add(shows))
    return { type: yes.type, shows: yes.shows.union(shows) }
  }
  if (type.only === true) return inferYes()
  if (type.only === false) return inference.infer(expression.no, known)
  const yes = inferYes()
  const no = inference.infer(expression.no, known)
  const joined = joinTypes(yes.type, no.type)
  if (joined === undefined)
    return refuseType(expression.no.at, `${describeType(yes.type)} as behind "then"`, no.type)
  return { type: joined, shows: yes.shows.intersection(no.shows) }
}

function inferSet({ elements, at }: Of<'set'>, known: Capabilities, inference: Inference): Inferred {
  let element: SchemaType | undefined
  for (const one of elements) {
    const { type } = inference.infer(one, known)
    element = element === undefined ? type : (joinTypes(element, type) ?? refuseElement(one, element, type))
  }
  if (element === undefined)
    throw new SyntaxProblem(at, 'expected at least one element: an empty set has no type')
  return plain({ kind: 'set', element })
}

function refuseElement({ at }: Expression, expected: SchemaType, found: SchemaType): never {
  return refuseType(at, `${describeType(expected)} as the elements before`, found)
}

function inferRecord({ fields }: Of<'record'>, known: Capabilities, inference: Inference): Inferred {
  const types = [...fields].map(([name, field]) => {
    return [name, { type: inference.infer(field, known).type, isRequired: true }] as const
  })
  return plain({ kind: 'record', fields: new Map(types), required: types.length })
}
