import { callExtension, EXTENSIONS } from './extensions.ts'
import { compileComparison } from './compile_comparison.ts'
import { EvaluationError, failEvaluation } from './evaluation_error.ts'
import type { Compiled, Test } from './evaluation.ts'
import { addLong, multiplyLong, negateLong, subtractLong, type Long } from './long.ts'
import type { Arithmetic, Expression, Pattern } from './syntax.ts'
import {
  asEntity,
  asLong,
  asSet,
  asText,
  asTruth,
  EntityValue,
  RecordValue,
  SetValue,
  type Value,
} from './values.ts'

type Of<Kind extends Expression['kind']> = Extract<Expression, { readonly kind: Kind }>

const ARITHMETIC: Readonly<Record<Arithmetic, (left: Long, right: Long) => Long>> = {
  '+': addLong,
  '-': subtractLong,
  '*': multiplyLong,
}

/** Compiles an expression to a closure; what is constant in it is worked out now. */
export function compileExpression(expression: Expression): Compiled {
  const constant = constantOf(expression)
  if (constant !== undefined) return () => constant
  switch (expression.kind) {
    case 'variable':
      return compileVariable(expression)
    case 'negate': {
      const operand = compileExpression(expression.operand)
      return (evaluation) => negateLong(asLong(operand(evaluation)))
    }
    case 'arithmetic':
      return compileArithmetic(expression)
    case 'get':
      return compileGet(expression)
    case 'if': {
      const test = compileTest(expression.test)
      const yes = compileExpression(expression.yes)
      const no = compileExpression(expression.no)
      return (evaluation) => (test(evaluation) ? yes(evaluation) : no(evaluation))
    }
    case 'set': {
      const elements = expression.elements.map(compileExpression)
      return (evaluation) => new SetValue(elements.map((element) => element(evaluation)))
    }
    case 'record': {
      const fields = [...expression.fields].map(([name, field]) => [name, compileExpression(field)] as const)
      return (evaluation) =>
        new RecordValue(new Map(fields.map(([name, field]) => [name, field(evaluation)])))
    }
    case 'method':
      return expression.method === 'getTag' ? compileGetTag(expression) : compileMethod(expression)
    case 'call':
      return compileCall(expression)
    default:
      return compileTest(expression)
  }
}

/** Compiles an expression that stands where a truth must. */
export function compileTest(expression: Expression): Test {
  switch (expression.kind) {
    case 'not': {
      const operand = compileTest(expression.operand)
      return (evaluation) => !operand(evaluation)
    }
    case 'and':
      return compileAnd(expression.operands.map(compileTest))
    case 'or':
      return compileOr(expression.operands.map(compileTest))
    case 'compare': {
      const left = compileExpression(expression.left)
      const right = compileExpression(expression.right)
      return compileComparison(expression.operator, left, right)
    }
    case 'has':
      return compileHas(expression)
    case 'like': {
      const target = compileExpression(expression.target)
      const { pattern } = expression
      return (evaluation) => matchesPattern(asText(target(evaluation)), pattern)
    }
    case 'is':
      return compileIs(expression)
    default: {
      const value = compileExpression(expression)
      return (evaluation) => asTruth(value(evaluation))
    }
  }
}

/** The value of an expression that is the same in every question; undefined where it is none, or an error. */
function constantOf(expression: Expression): Value | undefined {
  switch (expression.kind) {
    case 'literal':
      return expression.value
    case 'entity':
      return new EntityValue(expression.entity.type, expression.entity.id)
    case 'set': {
      const elements = constantsOf(expression.elements)
      return elements === undefined ? undefined : new SetValue(elements)
    }
    case 'record': {
      const values = constantsOf([...expression.fields.values()])
      if (values === undefined) return undefined
      return new RecordValue(
        new Map([...expression.fields.keys()].map((name, at) => [name, values[at] ?? false])),
      )
    }
    case 'call': {
      const parameters = constantsOf(expression.parameters)
      return parameters === undefined ? undefined : attempt(() => callExtension(expression.name, parameters))
    }
    default:
      return undefined
  }
}

function constantsOf(expressions: readonly Expression[]): Value[] | undefined {
  const values: Value[] = []
  for (const expression of expressions) {
    const value = constantOf(expression)
    if (value === undefined) return undefined
    values.push(value)
  }
  return values
}

function attempt(run: () => Value): Value | undefined {
  try {
    return run()
  } catch (error) {
    if (error instanceof EvaluationError) return undefined
    throw error
  }
}

export function compileAnd(tests: readonly Test[]): Test {
  const [first, second] = tests
  if (first !== undefined && second !== undefined && tests.length === 2)
    return (evaluation) => first(evaluation) && second(evaluation)
  return (evaluation) => {
    for (const test of tests) if (!test(evaluation)) return false
    return true
  }
}

function compileOr(tests: readonly Test[]): Test {
  return (evaluation) => {
    for (const test of tests) if (test(evaluation)) return true
    return false
  }
}

function compileVariable({ name }: Of<'variable'>): Compiled {
  switch (name) {
    case 'principal':
      return (evaluation) => evaluation.principal
    case 'action':
      return (evaluation) => evaluation.action
    case 'resource':
      return (evaluation) => evaluation.resource
    case 'context':
      return (evaluation) => evaluation.context
  }
}

function compileArithmetic({ first, rest }: Of<'arithmetic'>): Compiled {
  const start = compileExpression(first)
  const steps = rest.map(({ operator, operand }) => ({
    run: ARITHMETIC[operator],
    operand: compileExpression(operand),
  }))
  return (evaluation) => {
    let value = asLong(start(evaluation))
    for (const { run, operand } of steps) value = run(value, asLong(operand(evaluation)))
    return value
  }
}

function compileGet({ target, attribute }: Of<'get'>): Compiled {
  const owner = compileExpression(target)
  return (evaluation) => {
    const from = owner(evaluation)
    if (from instanceof RecordValue) return from.fields.get(attribute) ?? failEvaluation('no such attribute')
    const node = evaluation.find(asEntity(from)) ?? failEvaluation('no such entity')
    return node.attribute(attribute) ?? failEvaluation('no such attribute')
  }
}

/** `a has b.c` is `a has b && a.b has c`. */
function compileHas({ target, path }: Of<'has'>): Test {
  const owner = compileExpression(target)
  return (evaluation) => {
    let value: Value | undefined = owner(evaluation)
    for (const name of path) {
      value =
        value instanceof RecordValue
          ? value.fields.get(name)
          : evaluation.find(asEntity(value))?.attribute(name)
      if (value === undefined) return false
    }
    return true
  }
}

function compileIs({ target, type, within }: Of<'is'>): Test {
  const entity = compileExpression(target)
  const isOfType: Test = (evaluation) => asEntity(entity(evaluation)).type === type
  if (within === undefined) return isOfType
  return compileAnd([isOfType, compileComparison('in', entity, compileExpression(within))])
}

function compileGetTag({ target, argument }: Of<'method'>): Compiled {
  const owner = compileExpression(target)
  const name = compileOptional(argument)
  return (evaluation) => {
    const entity = asEntity(owner(evaluation))
    const tag = asText(name(evaluation))
    const node = evaluation.find(entity) ?? failEvaluation('no such entity')
    return node.tag(tag) ?? failEvaluation('no such tag')
  }
}

function compileMethod({ method, target, argument }: Of<'method'>): Test {
  const owner = compileExpression(target)
  const other = compileOptional(argument)
  switch (method) {
    case 'contains':
      return (evaluation) => asSet(owner(evaluation)).has(other(evaluation))
    case 'containsAll':
      return (evaluation) => asSet(owner(evaluation)).hasAll(asSet(other(evaluation)))
    case 'containsAny':
      return (evaluation) => asSet(owner(evaluation)).hasAny(asSet(other(evaluation)))
    case 'isEmpty':
      return (evaluation) => asSet(owner(evaluation)).size === 0
    case 'hasTag':
    case 'getTag':
      return (evaluation) => {
        const entity = asEntity(owner(evaluation))
        const name = asText(other(evaluation))
        return evaluation.find(entity)?.tag(name) !== undefined
      }
  }
}

/** The parser saw to it that a method has the parameter that it takes. */
function compileOptional(expression: Expression | undefined): Compiled {
  return expression === undefined ? () => false : compileExpression(expression)
}

function compileCall({ name, parameters }: Of<'call'>): Compiled {
  const extension = EXTENSIONS.get(name)
  const [first, second] = parameters.map(compileExpression)
  if (extension === undefined || first === undefined || parameters.length !== extension.arity)
    return () => failEvaluation('wrong number of arguments')
  if (second === undefined) return (evaluation) => extension.run(first(evaluation), false)
  return (evaluation) => extension.run(first(evaluation), second(evaluation))
}

/** True when the text begins and ends as the pattern does and holds what lies between in order. */
export function matchesPattern(text: string, pattern: Pattern): boolean {
  const [head = '', ...others] = pattern
  const tail = others.pop()
  if (tail === undefined) return text === head
  if (!text.startsWith(head)) return false
  let at = head.length
  for (const middle of others) {
    const found = text.indexOf(middle, at)
    if (found < 0) return false
    at = found + middle.length
  }
  return text.length - tail.length >= at && text.endsWith(tail)
}
