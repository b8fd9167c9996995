import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { EvaluationError } from './evaluation_error.ts'
import {
  JsonFormProblem,
  parseExactJson,
  readJsonEntities,
  readJsonValue,
  readRecord,
} from './json_values.ts'
import { readSchema } from './read_schema.ts'
import { canonicalText } from './values.ts'

function read(text: string): string {
  return canonicalText(readJsonValue(parseExactJson(text)))
}

suite('json_values', () => {
  test('parseExactJson keeps every digit', () => {
    const rows: readonly (readonly [text: string, expected: unknown])[] = [
      ['9007199254740991', 9_007_199_254_740_991],
      ['9007199254740993', 9_007_199_254_740_993n],
      ['-9223372036854775808', -9_223_372_036_854_775_808n],
      ['-0', 0],
      ['{"a": [1, null]}', { a: [1, null] }],
    ]
    for (const [text, expected] of rows) assert.deepEqual(parseExactJson(text), expected, text)
    for (const text of ['1.5', '1e3', '{', '', `${'['.repeat(100_000)}${']'.repeat(100_000)}`])
      assert.throws(() => parseExactJson(text), JsonFormProblem, text.slice(0, 20))
  })

  test('readJsonValue reads values with their escapes', () => {
    const rows: readonly (readonly [text: string, expected: string])[] = [
      ['9223372036854775807', '9223372036854775807'],
      ['["b", 1, true, "b"]', '["b",1,true]'],
      ['{"__entity": {"type": "User", "id": "a"}}', 'User::"a"'],
      ['{"type": "User", "id": "a"}', '{"id":"a","type":"User"}'],
      ['{"__extn": {"fn": "decimal", "arg": "1.5"}}', 'decimal(15000/0/0)'],
    ]
    for (const [text, expected] of rows) assert.equal(read(text), expected, text)
  })

  test('readJsonValue refuses what is no value', () => {
    const texts = [
      'null',
      '9223372036854775808',
      '{"__expr": "1"}',
      '{"__extn": {"fn": "isIpv4", "arg": "::1"}}',
      '{"__extn": {"fn": "ip"}}',
      '{"__entity": {"type": "User"}}',
      '{"__entity": []}',
    ]
    for (const text of texts) assert.throws(() => read(text), JsonFormProblem, text)
    assert.throws(() => read('{"__extn": {"fn": "ip", "arg": "nowhere"}}'), EvaluationError)
    assert.throws(() => readRecord([]), JsonFormProblem)
  })

  test('readJsonEntities lets a schema stand for the escapes', () => {
    const schema = readSchema('entity User = { boss: User, at: ipaddr, all: Set<User>, in: { u: User } };')
    const user = '{"type": "User", "id": "b"}'
    const text = `[{"uid": {"type": "User", "id": "a"}, "parents": [${user}], "attrs": {"boss": ${user}, "at": "::1", "all": [${user}], "in": {"u": ${user}}, "more": ${user}}}]`
    const [node] = readJsonEntities(parseExactJson(text), schema)
    assert.ok(node !== undefined)
    const values = ['boss', 'at', 'all', 'in', 'more'].map((name) =>
      canonicalText(node.attribute(name) ?? false),
    )
    assert.deepEqual(values, [
      'User::"b"',
      'ipaddr(1/6/128)',
      '[User::"b"]',
      '{"u":User::"b"}',
      '{"id":"b","type":"User"}',
    ])
    assert.deepEqual(node.parents, [{ type: 'User', id: 'b' }])
    assert.throws(() => readJsonEntities({}), JsonFormProblem)
  })
})
