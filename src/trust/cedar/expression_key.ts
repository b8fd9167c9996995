import { printRef } from '#base/decider.ts'
import type { Expression } from './syntax.ts'

/** The same text for expressions of the same form, wherever they stand and however they are written. */
export function expressionKey(expression: Expression): string {
  switch (expression.kind) {
    case 'literal':
      return typeof expression.value === 'string' ? JSON.stringify(expression.value) : `${expression.value}`
    case 'entity':
      return printRef(expression.entity)
    case 'variable':
      return expression.name
    case 'not':
    case 'negate':
      return form(expression.kind, expression.operand)
    case 'and':
    case 'or':
      return chain(
        expression.operands.map(expressionKey),
        expression.operands.map(() => expression.kind),
      )
    case 'compare':
      return compareKey(expression)
    case 'arithmetic':
      return chain([expression.first, ...expression.rest.map(({ operand }) => operand)].map(expressionKey), [
        '',
        ...expression.rest.map(({ operator }) => operator),
      ])
    case 'has':
      return hasKey(expressionKey(expression.target), expression.path)
    case 'get':
      return attributeKey(expressionKey(expression.target), expression.attribute)
    case 'like':
      return `(like ${expressionKey(expression.target)} ${JSON.stringify(expression.pattern)})`
    case 'is': {
      const target = expressionKey(expression.target)
      const is = `(is ${target} ${expression.type})`
      if (expression.within === undefined) return is
      return chain([is, `(in ${target} ${expressionKey(expression.within)})`], ['and', 'and'])
    }
    case 'if':
      return form('if', expression.test, expression.yes, expression.no)
    case 'set':
      return form('set', ...expression.elements)
    case 'record': {
      const fields = [...expression.fields].map(
        ([name, field]) => `${JSON.stringify(name)}: ${expressionKey(field)}`,
      )
      return `{${fields.sort().join(', ')}}`
    }
    case 'method':
      return expression.argument === undefined
        ? form(expression.method, expression.target)
        : form(expression.method, expression.target, expression.argument)
    case 'call':
      return form(expression.name, ...expression.parameters)
  }
}

/** The key of an attribute of what has the key `target`. */
export function attributeKey(target: string, attribute: string): string {
  return `(get ${target} ${JSON.stringify(attribute)})`
}

/** The key of a tag of what has the key `target`. */
export function tagKey(target: string, tag: string): string {
  return `(tag ${target} ${tag})`
}

function form(name: string, ...parts: readonly Expression[]): string {
  return `(${[name, ...parts.map(expressionKey)].join(' ')})`
}

/** `a + b - c` is `(a + b) - c`; the first operator is of nothing. */
function chain([first = '', ...rest]: readonly string[], [, ...operators]: readonly string[]): string {
  const closed = rest.map((operand, at) => ` ${operators[at]} ${operand})`)
  return `${'('.repeat(rest.length)}${first}${closed.join('')}`
}

/** What is negated in Cedar's own form: `a != b` is `!(a == b)`, and `a > b` is `!(a <= b)`. */
function compareKey({ operator, left, right }: Extract<Expression, { readonly kind: 'compare' }>): string {
  switch (operator) {
    case '!=':
      return `(not ${form('==', left, right)})`
    case '>':
      return `(not ${form('<=', left, right)})`
    case '>=':
      return `(not ${form('<', left, right)})`
    default:
      return form(operator, left, right)
  }
}

/** `a has b.c` is `a has b && a.b has c`. */
function hasKey(target: string, path: readonly string[]): string {
  let owner = target
  const tests = path.map((attribute) => {
    const test = `(has ${owner} ${JSON.stringify(attribute)})`
    owner = attributeKey(owner, attribute)
    return test
  })
  return chain(
    tests,
    tests.map(() => 'and'),
  )
}
