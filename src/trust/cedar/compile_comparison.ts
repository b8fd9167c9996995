import { failEvaluation } from './evaluation_error.ts'
import type { Compiled, Evaluation, Test } from './evaluation.ts'
import { ORDERED_TYPES } from './extensions.ts'
import { isLong } from './long.ts'
import type { Comparison } from './syntax.ts'
import { asEntity, asSet, EntityValue, ExtensionValue, isEqual, type Value } from './values.ts'

/** A comparison of two compiled expressions. Both are always evaluated. */
export function compileComparison(operator: Comparison, left: Compiled, right: Compiled): Test {
  switch (operator) {
    case '==':
      return (evaluation) => isEqual(left(evaluation), right(evaluation))
    case '!=':
      return (evaluation) => !isEqual(left(evaluation), right(evaluation))
    case '<':
      return (evaluation) => isLess(left(evaluation), right(evaluation))
    case '<=':
      return (evaluation) => !isMore(left(evaluation), right(evaluation))
    case '>':
      return (evaluation) => isMore(left(evaluation), right(evaluation))
    case '>=':
      return (evaluation) => !isLess(left(evaluation), right(evaluation))
    case 'in':
      return (evaluation) => isIn(evaluation, left(evaluation), right(evaluation))
  }
}

function isLess(left: Value, right: Value): boolean {
  if (isLong(left) && isLong(right)) return left < right
  const { first, second } = ordered(left, right)
  return first.value < second.value
}

function isMore(left: Value, right: Value): boolean {
  if (isLong(left) && isLong(right)) return left > right
  const { first, second } = ordered(left, right)
  return first.value > second.value
}

/** Two values of one type that has an order. */
function ordered(first: Value, second: Value): { first: ExtensionValue; second: ExtensionValue } {
  const isOrdered =
    first instanceof ExtensionValue &&
    second instanceof ExtensionValue &&
    first.type === second.type &&
    ORDERED_TYPES.has(first.type)
  return isOrdered ? { first, second } : failEvaluation('wrong type')
}

function isIn(evaluation: Evaluation, left: Value, right: Value): boolean {
  const entity = asEntity(left)
  if (right instanceof EntityValue) return evaluation.entities.isIn(entity, right)
  // All elements must be entities, also when the first one would decide.
  for (const ancestor of asSet(right).entities()) if (evaluation.entities.isIn(entity, ancestor)) return true
  return false
}
