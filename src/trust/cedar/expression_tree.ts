import { LIMITS } from '#base/limits.ts'
import type { Expression } from './syntax.ts'
import { SyntaxProblem } from './syntax_problem.ts'

/**
 * Calls back for an expression and all in it. Throws SyntaxProblem where it is deeper than the limit, so that whoever
 * walks it by recursion afterwards stays far from the end of the stack.
 */
export function visitExpression(root: Expression, visit: (expression: Expression) => void): void {
  const open: { expression: Expression; depth: number }[] = [{ expression: root, depth: 1 }]
  for (let top = open.pop(); top !== undefined; top = open.pop()) {
    const { expression, depth } = top
    if (depth > LIMITS.expressionDepth)
      throw new SyntaxProblem(expression.at, `expected at most ${LIMITS.expressionDepth} levels of nesting`)
    visit(expression)
    for (const inner of partsOf(expression)) open.push({ expression: inner, depth: depth + 1 })
  }
}

function partsOf(expression: Expression): readonly Expression[] {
  switch (expression.kind) {
    case 'literal':
    case 'entity':
    case 'variable':
      return []
    case 'not':
    case 'negate':
      return [expression.operand]
    case 'and':
    case 'or':
      return expression.operands
    case 'compare':
      return [expression.left, expression.right]
    case 'arithmetic':
      return [expression.first, ...expression.rest.map(({ operand }) => operand)]
    case 'has':
    case 'get':
    case 'like':
      return [expression.target]
    case 'is':
      return expression.within === undefined ? [expression.target] : [expression.target, expression.within]
    case 'if':
      return [expression.test, expression.yes, expression.no]
    case 'set':
      return expression.elements
    case 'record':
      return [...expression.fields.values()]
    case 'method':
      return expression.argument === undefined
        ? [expression.target]
        : [expression.target, expression.argument]
    case 'call':
      return expression.parameters
  }
}
