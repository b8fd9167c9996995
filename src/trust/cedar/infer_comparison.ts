import type { EntityRef } from '#base/decider.ts'
import type { Capabilities } from './capabilities.ts'
import { describeType } from './describe_type.ts'
import { ORDERED_TYPES } from './extensions.ts'
import { mustBe, refuseType, truth, type Inference, type Inferred } from './inference.ts'
import { joinTypes } from './join_types.ts'
import type { Long } from './long.ts'
import { isSameRef } from './ref_map.ts'
import type { SchemaType, TruthType } from './schema_types.ts'
import type { Expression } from './syntax.ts'

type Of<Kind extends Expression['kind']> = Extract<Expression, { readonly kind: Kind }>

export function inferComparison(
  expression: Of<'compare'>,
  known: Capabilities,
  inference: Inference,
): Inferred<TruthType> {
  const { operator, left, right } = expression
  if (operator === 'in') return inferIn(left, right, known, inference)
  const types = [inference.infer(left, known).type, inference.infer(right, known).type] as const
  if (operator === '==') return truth(isEqual(expression, types, inference))
  if (operator === '!=') {
    const isSame = isEqual(expression, types, inference)
    return truth(isSame === undefined ? undefined : !isSame)
  }
  mustBeOrdered(left, types[0])
  if (joinTypes(...types) === undefined) refuseType(right.at, describeType(types[0]), types[1])
  return truth()
}

/** `a is T in b` is `a is T && a in b`. */
export function inferIs(
  { target, type, within }: Of<'is'>,
  known: Capabilities,
  inference: Inference,
): Inferred<TruthType> {
  const found = mustBe('entity', inference.infer(target, known).type, target, 'an entity')
  if (found.type !== type) return truth(false)
  return within === undefined ? truth(true) : inferIn(target, within, known, inference)
}

/** Undefined where it may be either. Two entities of different types may be compared: they are never equal. */
function isEqual(
  { left, right }: Of<'compare'>,
  [leftType, rightType]: readonly [SchemaType, SchemaType],
  inference: Inference,
): boolean | undefined {
  const areEntities = leftType.kind === 'entity' && rightType.kind === 'entity'
  if (areEntities && leftType.type !== rightType.type) return false
  const one = constantOf(left, inference)
  const other = constantOf(right, inference)
  if (one !== undefined && other !== undefined) return isSameConstant(one, other)
  if (joinTypes(leftType, rightType) === undefined) refuseType(right.at, describeType(leftType), rightType)
  return undefined
}

type Constant = boolean | string | Long | EntityRef

/** What the environment says that the expression is. */
function constantOf(expression: Expression, { environment }: Inference): Constant | undefined {
  if (expression.kind === 'literal') return expression.value
  return entityOf(expression, environment.action)
}

function isSameConstant(one: Constant, other: Constant): boolean {
  return typeof one === 'object' && typeof other === 'object' ? isSameRef(one, other) : one === other
}

function entityOf(expression: Expression, action: EntityRef): EntityRef | undefined {
  if (expression.kind === 'entity') return expression.entity
  return expression.kind === 'variable' && expression.name === 'action' ? action : undefined
}

function mustBeOrdered({ at }: Expression, type: SchemaType): void {
  const isOrdered = type.kind === 'integer' || (type.kind === 'extension' && ORDERED_TYPES.has(type.type))
  if (!isOrdered) refuseType(at, 'Long, datetime or duration', type)
}

/** The schema says which actions are in which groups; of other entities it says only what types may be in what types. */
function inferIn(
  left: Expression,
  right: Expression,
  known: Capabilities,
  inference: Inference,
): Inferred<TruthType> {
  const { hierarchy, environment } = inference
  const { type } = mustBe('entity', inference.infer(left, known).type, left, 'an entity')
  const within = inference.infer(right, known).type
  const above = within.kind === 'set' ? within.element : within
  if (above.kind !== 'entity') return refuseType(right.at, 'an entity or a set of entities', within)
  const action = entityOf(left, environment.action)
  const elements = right.kind === 'set' ? right.elements : [right]
  const groups = elements.map((element) => entityOf(element, environment.action))
  if (action !== undefined && hierarchy.isAction(action) && groups.every((group) => group !== undefined))
    return truth(groups.some((group) => hierarchy.isActionIn(action, group)))
  return hierarchy.isTypeIn(type, above.type) ? truth() : truth(false)
}
