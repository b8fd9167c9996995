import type { EntityRef } from '#base/decider.ts'
import { LIMITS } from '#base/limits.ts'
import { Cursor } from './cursor.ts'
import { visitExpression } from './expression_tree.ts'
import { parseExpression } from './parse_expression.ts'
import type { ActionScope, Condition, Policy, Scope, Slot } from './syntax.ts'
import { SyntaxProblem } from './syntax_problem.ts'
import { unescapeString } from './unescape.ts'

export interface ParsedPolicies {
  readonly policies: readonly Policy[]
  /** One for each policy that is none, in the order of the text. */
  readonly problems: readonly SyntaxProblem[]
}

/** Parses a text of policies and templates. Throws nothing; after a problem it goes on behind the next ";", to a limit. */
export function parsePolicies(text: string): ParsedPolicies {
  const policies: Policy[] = []
  const problems: SyntaxProblem[] = []
  const caught = (run: () => void): void => {
    try {
      run()
    } catch (error) {
      if (!(error instanceof SyntaxProblem)) throw error
      problems.push(error)
    }
  }
  caught(() => {
    const cursor = new Cursor(text)
    while (cursor.token.kind !== 'end' && problems.length < LIMITS.policyProblems) {
      const before = problems.length
      caught(() => policies.push(parsePolicy(cursor)))
      if (problems.length > before) cursor.skipPolicy()
    }
  })
  return { policies, problems }
}

function parsePolicy(cursor: Cursor): Policy {
  const { at } = cursor.token
  const annotations = parseAnnotations(cursor)
  if (!cursor.isWord('permit') && !cursor.isWord('forbid')) cursor.refuse('"permit" or "forbid"')
  const effect = cursor.next().text === 'permit' ? 'permit' : 'forbid'
  cursor.expect('(')
  const principal = parseScope(cursor, 'principal')
  cursor.expect(',')
  const action = parseActionScope(cursor)
  cursor.expect(',')
  const resource = parseScope(cursor, 'resource')
  cursor.take(',')
  cursor.expect(')')
  const conditions: Condition[] = []
  while (cursor.isWord('when') || cursor.isWord('unless')) conditions.push(parseCondition(cursor))
  if (!cursor.take(';')) cursor.refuse('"when", "unless" or ";"')
  return { effect, annotations, principal, action, resource, conditions, at }
}

function parseAnnotations(cursor: Cursor): Map<string, string | undefined> {
  const annotations = new Map<string, string | undefined>()
  while (cursor.isMark('@')) {
    const { at } = cursor.next()
    // Any word can be one, reserved ones too.
    const name = cursor.expectKind('word', 'the name of an annotation').text
    let value: string | undefined
    if (cursor.take('(')) {
      const token = cursor.expectKind('string', 'a text between quotes')
      value = unescapeString(token.text, token.at)
      cursor.expect(')')
    }
    if (annotations.has(name)) throw new SyntaxProblem(at, `the annotation @${name} stands twice`)
    annotations.set(name, value)
  }
  return annotations
}

function parseScope(cursor: Cursor, variable: Slot['slot']): Scope {
  cursor.expect(variable)
  const { at } = cursor.ahead(1)
  if (cursor.take('==')) return { kind: 'equal', entity: parseEntityOrSlot(cursor, variable), at }
  if (cursor.take('in')) return { kind: 'in', entity: parseEntityOrSlot(cursor, variable), at }
  if (!cursor.take('is')) return { kind: 'any' }
  const type = cursor.path('the name of an entity type')
  if (!cursor.take('in')) return { kind: 'is', type, at }
  return { kind: 'is in', type, entity: parseEntityOrSlot(cursor, variable), at }
}

function parseActionScope(cursor: Cursor): ActionScope {
  cursor.expect('action')
  const { at } = cursor.ahead(1)
  if (cursor.take('==')) return { kind: 'equal', entity: parseAction(cursor), at }
  if (!cursor.take('in')) return { kind: 'any' }
  return { kind: 'in', entities: parseActions(cursor), at }
}

/** One action or a list of them; brackets may stand around either. */
function parseActions(cursor: Cursor): EntityRef[] {
  const brackets = takeBrackets(cursor)
  const actions = cursor.take('[') ? cursor.list(']', () => parseAction(cursor)) : [parseAction(cursor)]
  for (let open = brackets; open > 0; open--) cursor.expect(')')
  return actions
}

function parseAction(cursor: Cursor): EntityRef {
  const { at } = cursor.token
  const entity = parseEntityOrSlot(cursor, undefined)
  if (!('type' in entity) || !/(^|::)Action$/.test(entity.type))
    throw new SyntaxProblem(at, 'expected an entity of the type Action')
  return entity
}

function parseEntityOrSlot(cursor: Cursor, variable: Slot['slot'] | undefined): EntityRef | Slot {
  const brackets = takeBrackets(cursor)
  const found = parseBareEntityOrSlot(cursor, variable)
  for (let open = brackets; open > 0; open--) cursor.expect(')')
  return found
}

function parseBareEntityOrSlot(cursor: Cursor, variable: Slot['slot'] | undefined): EntityRef | Slot {
  const { kind, text } = cursor.token
  if (kind === 'slot' && variable !== undefined && text === `?${variable}`) {
    cursor.next()
    return { slot: variable }
  }
  const type = cursor.path('an entity, as in Model::"echo"')
  cursor.expect('::')
  const id = cursor.expectKind('string', 'an entity id between quotes')
  return { type, id: unescapeString(id.text, id.at) }
}

function takeBrackets(cursor: Cursor): number {
  let count = 0
  while (cursor.take('(')) count += 1
  return count
}

function parseCondition(cursor: Cursor): Condition {
  const kind = cursor.next().text === 'when' ? 'when' : 'unless'
  cursor.expect('{')
  const body = parseExpression(cursor)
  visitExpression(body, nothing)
  cursor.expect('}')
  return { kind, body }
}

/** The walk itself is wanted: it refuses what is too deep. */
function nothing(): void {}
