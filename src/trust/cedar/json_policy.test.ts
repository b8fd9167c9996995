import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { policyToJson, templateToJson } from '@cedar-policy/cedar-wasm/nodejs'
import { LIMITS } from '#base/limits.ts'
import { readJsonPolicy } from './json_policy.ts'
import { JsonFormProblem, parseExactJson, type ExactJson } from './json_values.ts'
import { parsePolicies } from './parse_policy.ts'
import type { Policy } from './syntax.ts'
import { bareTree } from '../../../test/support/cedar_tree.ts'

const WHERE = 'permit (principal, action, resource)'

/** Cedar's own JSON form of a policy text. */
function toJson(text: string): ExactJson {
  const answer = text.includes('?') ? templateToJson(text) : policyToJson(text)
  assert.ok(answer.type === 'success', text)
  return parseExactJson(JSON.stringify(answer.json))
}

function parse(text: string): Policy {
  return parsePolicies(text).policies[0] ?? assert.fail(text)
}

function policy(more: Record<string, unknown>): ExactJson {
  const all = { op: 'All' }
  const whole = { effect: 'permit', principal: all, action: all, resource: all, conditions: [], ...more }
  return parseExactJson(JSON.stringify(whole))
}

function when(body: unknown): ExactJson {
  return policy({ conditions: [{ kind: 'when', body }] })
}

suite('json_policy', () => {
  test('readJsonPolicy reads what Cedar writes as the text it was written from', () => {
    const texts = [
      '@id("x") @note forbid (principal, action, resource) when { true } unless { false };',
      'permit (principal == User::"a", action == Action::"r", resource in Doc::"d");',
      'permit (principal is User, action in Action::"r", resource is N::Doc in Doc::"d");',
      'permit (principal in ?principal, action in [Action::"r", Action::"w"], resource == ?resource);',
      'permit (principal is User in ?principal, action, resource);',
      `${WHERE} when { principal.a.b == [1, -2, "x", true, User::"a", {a: 1, "b c": context}] };`,
      `${WHERE} when { !(1 < 2 && 1 <= 2 || 1 > 2 || 1 >= 2 && 1 != 2) };`,
      `${WHERE} when { 1 + 2 - 3 * 4 == -(context.a) };`,
      `${WHERE} when { principal in [resource, action] && principal is User && principal is User in resource };`,
      `${WHERE} when { principal has a && context has a.b.c && resource has "d e" };`,
      `${WHERE} when { context.a like "a*\\*b**" && context.b like "" && context.c like "*" };`,
      `${WHERE} when { [1].contains(2) && [1].containsAll([2]) && [1].containsAny([2]) && [].isEmpty() };`,
      `${WHERE} when { principal.hasTag("a") && principal.getTag("b") };`,
      `${WHERE} when { if true then false else true };`,
      `${WHERE} when { ip("::1").isInRange(ip("::/0")) && decimal("1.0").lessThan(decimal("2.0")) };`,
      `${WHERE} when { datetime("2024-01-01").offset(duration("1h")).toDate() == context.at };`,
    ]
    for (const text of texts)
      assert.deepEqual(bareTree(readJsonPolicy(toJson(text))), bareTree(parse(text)), text)
  })

  test('readJsonPolicy takes values with the escapes of entity files', () => {
    const value = {
      a: [1, 'x', false],
      e: { __entity: { type: 'User', id: 'a' } },
      i: { __extn: { fn: 'ip', arg: '::1' } },
    }
    const read = readJsonPolicy(when({ '==': { left: { Value: value }, right: { Var: 'context' } } }))
    const text = `${WHERE} when { {a: [1, "x", false], e: User::"a", i: ip("::1")} == context };`
    assert.deepEqual(bareTree(read), bareTree(parse(text)))
    const offset = {
      fn: 'offset',
      args: [{ __extn: { fn: 'datetime', arg: '1970-01-01' } }, { __extn: { fn: 'duration', arg: '1ms' } }],
    }
    const at = readJsonPolicy(when({ Value: { __extn: offset } }))
    assert.deepEqual(
      bareTree(at),
      bareTree(parse(`${WHERE} when { datetime("1970-01-01").offset(duration("1ms")) };`)),
    )
  })

  test('readJsonPolicy refuses what is not of the form', () => {
    const user = { type: 'User', id: 'a' }
    const rows: readonly (readonly [why: string, json: ExactJson])[] = [
      ['no object', 'permit'],
      ['no effect', policy({ effect: 'allow' })],
      ['a member of its own', policy({ more: 1 })],
      ['an annotation that is no text', policy({ annotations: { id: 1 } })],
      ['no scope', policy({ principal: undefined })],
      ['an operator that is none', policy({ principal: { op: '<' } })],
      ['the wrong slot', policy({ principal: { op: '==', slot: '?resource' } })],
      ['no entity', policy({ principal: { op: '==' } })],
      ['no id', policy({ principal: { op: '==', entity: { type: 'User' } } })],
      ['no name of a type', policy({ principal: { op: 'is', entity_type: 'a b' } })],
      ['a reserved name', policy({ principal: { op: 'is', entity_type: 'N::in' } })],
      ['no type', policy({ principal: { op: 'is' } })],
      ['an action operator that is none', policy({ action: { op: 'is', entity_type: 'Action' } })],
      ['no action', policy({ action: { op: '==', entity: user } })],
      ['no actions', policy({ action: { op: 'in', entities: [user] } })],
      ['a slot for an action', policy({ action: { op: '==', slot: '?action' } })],
      ['no conditions', policy({ conditions: {} })],
      ['a condition that is none', policy({ conditions: [{ kind: 'if', body: { Value: true } }] })],
      ['an empty expression', when({})],
      ['no expression', when(true)],
      ['two expressions', when({ Value: 1, Var: 'context' })],
      ['an unknown expression', when({ '/': { left: { Value: 1 }, right: { Value: 1 } } })],
      ['a slot', when({ Slot: '?principal' })],
      ['a variable that is none', when({ Var: 'subject' })],
      ['a fraction', parseFraction()],
      ['nothing', when({ Value: null })],
      ['an expression as text', when({ Value: { __expr: 'ip("::1")' } })],
      ['a function that is none', when({ Value: { __extn: { fn: 'url', arg: 'x' } } })],
      ['no parameter', when({ Value: { __extn: { fn: 'ip' } } })],
      ['a side missing', when({ '==': { left: { Value: 1 } } })],
      ['has of nothing', when({ has: { left: { Var: 'context' }, attr: [] } })],
      ['like without a text', when({ like: { left: { Var: 'context' }, pattern: [1] } })],
      ['is without a type', when({ is: { left: { Var: 'principal' }, entity_type: '1' } })],
      ['an integer too large', when({ Value: 'n' })],
      ['too deep', when(nested(10_000))],
      ['too deep a value', when({ Value: nestedValue(5_000) })],
      ['too deep as a tree', when(chain(150))],
    ]
    for (const [why, json] of rows.filter(([why]) => why !== 'an integer too large'))
      assert.throws(() => readJsonPolicy(json), JsonFormProblem, why)
    const large = parseExactJson('{"Value": 9223372036854775808}')
    const body = {
      effect: 'permit',
      principal: { op: 'all' },
      action: { op: 'all' },
      resource: { op: 'all' },
    }
    assert.throws(
      () => readJsonPolicy({ ...body, conditions: [{ kind: 'when', body: large }] }),
      JsonFormProblem,
    )
  })
})

function parseFraction(): ExactJson {
  assert.throws(() => parseExactJson('1.5'), JsonFormProblem)
  return when({ Value: {}, Record: {} })
}

/** Not through text: JSON of that depth is refused earlier. */
function nested(levels: number): unknown {
  let inner: unknown = { Value: true }
  for (let level = 0; level < 300 && level < levels; level++) inner = { '!': { arg: inner } }
  return inner
}

function nestedValue(levels: number): unknown {
  let inner: unknown = 1
  for (let level = 0; level < 300 && level < levels; level++) inner = [inner]
  return inner
}

/** Within the depth of the JSON, but each level is two in the tree. */
function chain(levels: number): unknown {
  let inner: unknown = { Var: 'context' }
  for (let level = 0; level < levels; level++)
    inner = { is: { left: { '.': { left: inner, attr: 'a' } }, entity_type: 'User' } }
  return inner
}

test('readJsonPolicy stops at a depth, wherever it comes from', () => {
  const nest = (levels: number, start: ExactJson, wrap: (inner: ExactJson) => ExactJson): ExactJson => {
    let json = start
    for (let level = 0; level < levels; level++) json = wrap(json)
    return json
  }
  const yes = { Value: true }
  const deep: readonly (readonly [why: string, levels: (count: number) => ExactJson])[] = [
    ['not', (count) => nest(count, yes, (arg) => ({ '!': { arg } }))],
    ['sets', (count) => nest(count, yes, (inner) => ({ Set: [inner] }))],
    ['records', (count) => nest(count, yes, (inner) => ({ Record: { a: inner } }))],
    ['calls', (count) => nest(count, yes, (inner) => ({ ip: [inner] }))],
    ['sets of values', (count) => ({ Value: nest(count, true, (inner) => [inner]) })],
    ['records of values', (count) => ({ Value: nest(count, true, (inner) => ({ a: inner })) })],
    ['extension values', (count) => ({ Value: nest(count, '', (arg) => ({ __extn: { fn: 'ip', arg } })) })],
  ]
  for (const [why, levels] of deep) {
    assert.doesNotThrow(() => readJsonPolicy(when(levels(LIMITS.expressionDepth - 10))), why)
    for (const count of [LIMITS.expressionDepth + 10, 50_000])
      assert.throws(() => readJsonPolicy(when(levels(count))), JsonFormProblem, `${why} ${count}`)
  }
})
