import { EXTENSION_FUNCTIONS, EXTENSION_METHODS } from './extension_names.ts'
import { isLong, toLong } from './long.ts'
import {
  isList,
  readList,
  readObject,
  readRef,
  refuse,
  type ExactJson,
  type ExactObject,
} from './json_values.ts'
import type { Arithmetic, Comparison, Expression, Method, Pattern, Variable } from './syntax.ts'
import { isTypeName } from './entity_type_name.ts'

type Reader = (body: ExactJson, depth: number) => Expression

const AT = { at: 0 } as const

/** Reads an expression in Cedar's JSON form. Throws JsonFormProblem, also where it is deeper than `depth`. */
export function readJsonExpression(json: ExactJson | undefined, depth: number): Expression {
  if (depth === 0) refuse('an expression is nested too deep')
  const entries = Object.entries(readObject(json))
  const [entry] = entries
  if (entry === undefined || entries.length > 1) refuse('an expression has one member')
  const [name, body] = entry
  const reader = READERS.get(name)
  if (reader !== undefined) return reader(body, depth - 1)
  if (!EXTENSION_FUNCTIONS.has(name) && !EXTENSION_METHODS.has(name)) refuse(`there is no expression ${name}`)
  return {
    kind: 'call',
    name,
    parameters: readList(body).map((one) => readJsonExpression(one, depth - 1)),
    ...AT,
  }
}

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['Value', readValue],
  ['Var', (body) => ({ kind: 'variable', name: readVariable(body), ...AT })],
  ['Set', (body, depth) => ({ kind: 'set', elements: readAll(readList(body), depth), ...AT })],
  ['Record', (body, depth) => ({ kind: 'record', fields: readFields(readObject(body), depth), ...AT })],
  ['!', (body, depth) => ({ kind: 'not', operand: member(body, 'arg', depth), ...AT })],
  ['neg', (body, depth) => ({ kind: 'negate', operand: member(body, 'arg', depth), ...AT })],
  ['&&', (body, depth) => ({ kind: 'and', operands: [...both(body, depth)], ...AT })],
  ['||', (body, depth) => ({ kind: 'or', operands: [...both(body, depth)], ...AT })],
  ...(['==', '!=', '<', '<=', '>', '>=', 'in'] as const).map(compareReader),
  ...(['+', '-', '*'] as const).map(arithmeticReader),
  ...(['contains', 'containsAll', 'containsAny', 'getTag', 'hasTag'] as const).map(methodReader),
  [
    'isEmpty',
    (body, depth) => ({ kind: 'method', method: 'isEmpty', target: member(body, 'arg', depth), ...AT }),
  ],
  [
    '.',
    (body, depth) => ({
      kind: 'get',
      target: member(body, 'left', depth),
      attribute: textOf(readObject(body)['attr']),
      ...AT,
    }),
  ],
  ['has', readHas],
  ['like', readLike],
  ['is', readIs],
  [
    'if-then-else',
    (body, depth) => ({
      kind: 'if',
      test: member(body, 'if', depth),
      yes: member(body, 'then', depth),
      no: member(body, 'else', depth),
      ...AT,
    }),
  ],
])

function compareReader(operator: Comparison): [string, Reader] {
  return [
    operator,
    (body, depth) => {
      const [left, right] = both(body, depth)
      return { kind: 'compare', operator, left, right, ...AT }
    },
  ]
}

function arithmeticReader(operator: Arithmetic): [string, Reader] {
  return [
    operator,
    (body, depth) => {
      const [first, operand] = both(body, depth)
      return { kind: 'arithmetic', first, rest: [{ operator, operand }], ...AT }
    },
  ]
}

function methodReader(method: Method): [string, Reader] {
  return [
    method,
    (body, depth) => {
      const [target, argument] = both(body, depth)
      return { kind: 'method', method, target, argument, ...AT }
    },
  ]
}

/** A value that stands in a policy, with the escapes of entity files. */
function readValue(json: ExactJson, depth: number): Expression {
  if (depth === 0) refuse('a value is nested too deep')
  if (typeof json === 'boolean' || typeof json === 'string') return { kind: 'literal', value: json, ...AT }
  if (isLong(json))
    return { kind: 'literal', value: toLong(BigInt(json)) ?? refuse('a number is beyond 64 bits'), ...AT }
  if (isList(json)) return { kind: 'set', elements: json.map((one) => readValue(one, depth - 1)), ...AT }
  const object = readObject(json)
  if (object['__expr'] !== undefined) refuse('expressions as text are not supported')
  if (object['__entity'] !== undefined) return { kind: 'entity', entity: readRef(object['__entity']), ...AT }
  if (object['__extn'] !== undefined) return readExtension(readObject(object['__extn']), depth)
  const fields = Object.entries(object).map(([name, field]) => [name, readValue(field, depth - 1)] as const)
  return { kind: 'record', fields: new Map(fields), ...AT }
}

function readExtension({ fn, arg, args }: ExactObject, depth: number): Expression {
  const name = textOf(fn)
  if (!EXTENSION_FUNCTIONS.has(name) && !EXTENSION_METHODS.has(name)) refuse(`there is no function ${name}`)
  const parameters = args === undefined ? [arg ?? refuse('a parameter was expected')] : readList(args)
  return { kind: 'call', name, parameters: parameters.map((one) => readValue(one, depth - 1)), ...AT }
}

function readVariable(json: ExactJson): Variable {
  if (json === 'principal' || json === 'action' || json === 'resource' || json === 'context') return json
  return refuse('there is no such variable')
}

function readAll(list: readonly ExactJson[], depth: number): Expression[] {
  return list.map((one) => readJsonExpression(one, depth))
}

function readFields(object: ExactObject, depth: number): Map<string, Expression> {
  return new Map(Object.entries(object).map(([name, field]) => [name, readJsonExpression(field, depth)]))
}

/** `has` with one attribute, or with a path of them. */
function readHas(body: ExactJson, depth: number): Expression {
  const { attr } = readObject(body)
  const path = isList(attr) ? attr.map(textOf) : [textOf(attr)]
  if (path.length === 0) refuse('has takes an attribute')
  return { kind: 'has', target: member(body, 'left', depth), path, ...AT }
}

function readLike(body: ExactJson, depth: number): Expression {
  const { pattern } = readObject(body)
  return { kind: 'like', target: member(body, 'left', depth), pattern: readPattern(readList(pattern)), ...AT }
}

/** `"Wildcard"` and `{Literal: "…"}` in a row. */
function readPattern(parts: readonly ExactJson[]): Pattern {
  const texts = ['']
  for (const part of parts) {
    if (part === 'Wildcard') texts.push('')
    else texts.push((texts.pop() ?? '') + textOf(readObject(part)['Literal']))
  }
  return texts
}

function readIs(body: ExactJson, depth: number): Expression {
  const object = readObject(body)
  const type = textOf(object['entity_type'])
  if (!isTypeName(type)) refuse('expected the name of an entity type')
  const target = member(body, 'left', depth)
  if (object['in'] === undefined) return { kind: 'is', target, type, ...AT }
  return { kind: 'is', target, type, within: member(body, 'in', depth), ...AT }
}

function both(body: ExactJson, depth: number): readonly [Expression, Expression] {
  return [member(body, 'left', depth), member(body, 'right', depth)]
}

function member(body: ExactJson, name: string, depth: number): Expression {
  return readJsonExpression(readObject(body)[name], depth)
}

function textOf(json: ExactJson | undefined): string {
  return typeof json === 'string' ? json : refuse('a text was expected')
}
