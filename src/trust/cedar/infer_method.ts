import type { Capabilities } from './capabilities.ts'
import { describeType } from './describe_type.ts'
import { inferGetTag, inferHasTag } from './infer_attribute.ts'
import { mustBe, refuseType, truth, type Inference, type Inferred } from './inference.ts'
import { joinTypes } from './join_types.ts'
import type { SchemaType } from './schema_types.ts'
import type { Expression } from './syntax.ts'

type MethodExpression = Extract<Expression, { readonly kind: 'method' }>

/** Methods of Cedar itself. */
export function inferMethod(
  expression: MethodExpression,
  known: Capabilities,
  inference: Inference,
): Inferred {
  const { method, target, argument } = expression
  if (method === 'hasTag') return inferHasTag(expression, known, inference)
  if (method === 'getTag') return inferGetTag(expression, known, inference)
  const set = mustBe('set', inference.infer(target, known).type, target, 'a set')
  // The parsers give each of the others its argument.
  if (argument === undefined) return truth()
  const { type } = inference.infer(argument, known)
  const fits: SchemaType = method === 'contains' ? set.element : set
  if (joinTypes(fits, type) === undefined) refuseType(argument.at, describeType(fits), type)
  return truth()
}
