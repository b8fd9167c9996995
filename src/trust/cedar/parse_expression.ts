import { LIMITS } from '#base/limits.ts'
import type { Cursor } from './cursor.ts'
import { EXTENSION_FUNCTIONS, EXTENSION_METHODS } from './extension_names.ts'
import { toLong, type Long } from './long.ts'
import type { Arithmetic, Comparison, Expression, Method, Operation, Place, Variable } from './syntax.ts'
import { SyntaxProblem } from './syntax_problem.ts'
import { unescapePattern, unescapeString } from './unescape.ts'

const VARIABLES: ReadonlySet<string> = new Set(['principal', 'action', 'resource', 'context'])
const METHODS: ReadonlyMap<string, number> = new Map([
  ['contains', 1],
  ['containsAll', 1],
  ['containsAny', 1],
  ['isEmpty', 0],
  ['getTag', 1],
  ['hasTag', 1],
])
const COMPARISONS: ReadonlySet<string> = new Set(['==', '!=', '<', '<=', '>', '>=', 'in'])
/** Signs before one operand, as in `!!!x`. */
const SIGNS_MAX = 4
/** Integers of so many digits are safe, whatever the digits are. */
const SAFE_DIGITS = 15
/** The largest integers of 64 bits have so many; a longer one is not even read. */
const DIGITS_MAX = 19

/** Parses one expression where the cursor stands. Throws SyntaxProblem. */
export function parseExpression(cursor: Cursor): Expression {
  return new ExpressionParser(cursor).expression()
}

/** Recursive descent, one method for each level of the grammar, loosest first. */
class ExpressionParser {
  readonly #cursor: Cursor
  #depth = 0

  constructor(cursor: Cursor) {
    this.#cursor = cursor
  }

  expression(): Expression {
    const { at } = this.#cursor.token
    this.#depth += 1
    if (this.#depth > LIMITS.expressionDepth)
      throw new SyntaxProblem(at, `expected at most ${LIMITS.expressionDepth} levels of nesting`)
    const found = this.#cursor.take('if') ? this.#conditional(at) : this.#or()
    this.#depth -= 1
    return found
  }

  #conditional(at: Place): Expression {
    const test = this.expression()
    this.#cursor.expect('then')
    const yes = this.expression()
    this.#cursor.expect('else')
    return { kind: 'if', test, yes, no: this.expression(), at }
  }

  #or(): Expression {
    const { at } = this.#cursor.token
    const first = this.#and()
    if (!this.#cursor.isMark('||')) return first
    const operands = [first]
    while (this.#cursor.take('||')) operands.push(this.#and())
    return { kind: 'or', operands, at }
  }

  #and(): Expression {
    const { at } = this.#cursor.token
    const first = this.#relation()
    if (!this.#cursor.isMark('&&')) return first
    const operands = [first]
    while (this.#cursor.take('&&')) operands.push(this.#relation())
    return { kind: 'and', operands, at }
  }

  #relation(): Expression {
    const { at } = this.#cursor.token
    const left = this.#sum()
    const { token } = this.#cursor
    if (COMPARISONS.has(token.text) && token.kind !== 'string') return this.#comparison(left, at)
    if (this.#cursor.take('has')) return { kind: 'has', target: left, path: this.#hasPath(), at }
    if (this.#cursor.take('like')) {
      const pattern = this.#cursor.expectKind('string', 'a pattern between quotes')
      return { kind: 'like', target: left, pattern: unescapePattern(pattern.text, pattern.at), at }
    }
    if (!this.#cursor.take('is')) return left
    const type = this.#cursor.path('the name of an entity type')
    if (!this.#cursor.take('in')) return { kind: 'is', target: left, type, at }
    return { kind: 'is', target: left, type, within: this.#sum(), at }
  }

  #comparison(left: Expression, at: Place): Expression {
    const operator = this.#cursor.next().text
    if (!isComparison(operator)) return this.#cursor.refuse('a comparison')
    const right = this.#sum()
    if (COMPARISONS.has(this.#cursor.token.text) && this.#cursor.token.kind !== 'string')
      this.#cursor.refuse('one comparison only (use brackets)')
    return { kind: 'compare', operator, left, right, at }
  }

  /** `has "any text"`, or names with dots between them. */
  #hasPath(): string[] {
    const { token } = this.#cursor
    if (token.kind === 'string') {
      this.#cursor.next()
      return [unescapeString(token.text, token.at)]
    }
    const path = [this.#cursor.expectName('the name of an attribute')]
    while (this.#cursor.take('.')) path.push(this.#cursor.expectName('the name of an attribute'))
    if (path.length > LIMITS.expressionDepth)
      throw new SyntaxProblem(token.at, `expected at most ${LIMITS.expressionDepth} names`)
    return path
  }

  #sum(): Expression {
    const { at } = this.#cursor.token
    const first = this.#product()
    const rest: Operation[] = []
    for (let operator = this.#sign(); operator !== undefined; operator = this.#sign())
      rest.push({ operator, operand: this.#product() })
    return rest.length === 0 ? first : { kind: 'arithmetic', first, rest, at }
  }

  #sign(): Arithmetic | undefined {
    if (this.#cursor.take('+')) return '+'
    return this.#cursor.take('-') ? '-' : undefined
  }

  #product(): Expression {
    const { at } = this.#cursor.token
    const first = this.#signed()
    if (!this.#cursor.isMark('*')) return first
    const rest: Operation[] = []
    while (this.#cursor.take('*')) rest.push({ operator: '*', operand: this.#signed() })
    return { kind: 'arithmetic', first, rest, at }
  }

  #signed(): Expression {
    const { token } = this.#cursor
    if (token.kind !== 'mark' || (token.text !== '!' && token.text !== '-')) return this.#member()
    let signs = 0
    while (this.#cursor.take(token.text)) signs += 1
    if (signs > SIGNS_MAX)
      throw new SyntaxProblem(token.at, `expected at most ${SIGNS_MAX} signs before an operand`)
    const isNegation = token.text === '-'
    // The minus sign belongs to the number: -9223372036854775808 is one literal.
    const number = isNegation ? this.#negativeNumber() : undefined
    let operand = number ?? this.#member()
    if (number !== undefined) signs -= 1
    for (; signs > 0; signs--) operand = { kind: isNegation ? 'negate' : 'not', operand, at: token.at }
    return operand
  }

  /** A number that is no longer part of anything else, as a negative literal. */
  #negativeNumber(): Expression | undefined {
    const { kind, text, at } = this.#cursor.token
    const { kind: after, text: mark } = this.#cursor.ahead(1)
    const isAccess = after === 'mark' && (mark === '.' || mark === '[' || mark === '(')
    if (kind !== 'number' || isAccess) return undefined
    this.#cursor.next()
    return { kind: 'literal', value: readInteger(text, true, at), at }
  }

  #member(): Expression {
    let target = this.#primary()
    for (;;) {
      const { at } = this.#cursor.token
      if (this.#cursor.take('.')) target = this.#dotted(target, at)
      else if (this.#cursor.take('[')) {
        const { text, at: place } = this.#cursor.expectKind(
          'string',
          'the name of an attribute between quotes',
        )
        target = { kind: 'get', target, attribute: unescapeString(text, place), at }
        this.#cursor.expect(']')
      } else if (this.#cursor.isMark('(')) this.#cursor.refuse('an operator (this cannot be called)')
      else return target
    }
  }

  #dotted(target: Expression, at: Place): Expression {
    const name = this.#cursor.expectName('the name of an attribute or a method')
    if (!this.#cursor.take('(')) return { kind: 'get', target, attribute: name, at }
    const parameters = this.#cursor.list(')', () => this.expression())
    if (EXTENSION_METHODS.has(name)) return { kind: 'call', name, parameters: [target, ...parameters], at }
    const arity = METHODS.get(name)
    if (!isMethod(name) || arity === undefined) throw new SyntaxProblem(at, `there is no method ${name}`)
    if (parameters.length !== arity)
      throw new SyntaxProblem(at, `${name} takes ${arity} ${arity === 1 ? 'parameter' : 'parameters'}`)
    const [argument] = parameters
    return argument === undefined
      ? { kind: 'method', method: name, target, at }
      : { kind: 'method', method: name, target, argument, at }
  }

  #primary(): Expression {
    const { token } = this.#cursor
    const { kind, text, at } = token
    if (kind === 'word') return this.#named(text, at)
    if (kind === 'number') {
      this.#cursor.next()
      return { kind: 'literal', value: readInteger(text, false, at), at }
    }
    if (kind === 'string') {
      this.#cursor.next()
      return { kind: 'literal', value: unescapeString(text, at), at }
    }
    if (kind === 'slot') throw new SyntaxProblem(at, 'a slot may stand only in the scope of a template')
    if (this.#cursor.take('(')) {
      const inner = this.expression()
      this.#cursor.expect(')')
      return inner
    }
    if (this.#cursor.take('['))
      return { kind: 'set', elements: this.#cursor.list(']', () => this.expression()), at }
    if (this.#cursor.take('{')) return { kind: 'record', fields: this.#fields(), at }
    return this.#cursor.refuse('an expression')
  }

  #named(text: string, at: Place): Expression {
    if (text === 'true' || text === 'false') {
      this.#cursor.next()
      return { kind: 'literal', value: text === 'true', at }
    }
    const { text: after } = this.#cursor.ahead(1)
    if (after !== '::' && isVariable(text)) {
      this.#cursor.next()
      return { kind: 'variable', name: text, at }
    }
    const name = this.#cursor.path('an expression')
    if (this.#cursor.take('::')) {
      const id = this.#cursor.expectKind('string', 'an entity id between quotes')
      return { kind: 'entity', entity: { type: name, id: unescapeString(id.text, id.at) }, at }
    }
    if (!EXTENSION_FUNCTIONS.has(name))
      throw new SyntaxProblem(at, `there is no variable or function ${name}`)
    this.#cursor.expect('(')
    return { kind: 'call', name, parameters: this.#cursor.list(')', () => this.expression()), at }
  }

  #fields(): Map<string, Expression> {
    const fields = new Map<string, Expression>()
    this.#cursor.list('}', () => {
      const { kind, text, at } = this.#cursor.token
      const isText = kind === 'string'
      const name = isText ? unescapeString(text, at) : this.#cursor.expectName('the name of a field')
      if (isText) this.#cursor.next()
      if (fields.has(name)) throw new SyntaxProblem(at, 'the field stands twice in one record')
      this.#cursor.expect(':')
      fields.set(name, this.expression())
    })
    return fields
  }
}

function readInteger(digits: string, isNegative: boolean, at: Place): Long {
  if (digits.length <= SAFE_DIGITS) return isNegative ? 0 - Number(digits) : Number(digits)
  const short = digits.replace(/^0+(?=[0-9])/, '')
  const value = short.length > DIGITS_MAX ? undefined : toLong(BigInt(isNegative ? `-${short}` : short))
  if (value === undefined) throw new SyntaxProblem(at, 'expected an integer of 64 bits')
  return value
}

function isComparison(text: string): text is Comparison {
  return COMPARISONS.has(text)
}

function isMethod(text: string): text is Method {
  return METHODS.has(text)
}

function isVariable(text: string): text is Variable {
  return VARIABLES.has(text)
}
