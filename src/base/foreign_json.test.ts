import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readForeignJson } from './foreign_json.ts'

const LIMITS = { jsonDepth: 3, jsonNodes: 10 }

const READ: readonly (readonly [why: string, text: string])[] = [
  ['a number', '1'],
  ['the deepest', '[[[1]]]'],
  ['as many values as may be', '[1,2,3,4,5,6,7,8,9]'],
  ['empty arrays and objects, counted once', '[[],{},[],{},[],{},[],{},[]]'],
  ['commas and brackets in strings', '{"a":",,,,,,,,,[[[[[{{{{{\\",,\\\\"}'],
  ['the same member twice, as JSON.parse', '{"a":1,"a":2}'],
]

for (const [why, text] of READ) {
  test(`readForeignJson reads: ${why}`, () => {
    const value = readForeignJson(text, LIMITS)
    assert.deepEqual(value, JSON.parse(text))
    assert.ok(Object.isFrozen(value))
  })
}

const UNREAD: readonly (readonly [why: string, text: string])[] = [
  ['no JSON', '<html>'],
  ['nothing', ''],
  ['nested too deep', '[[[[1]]]]'],
  ['objects nested too deep', '{"a":{"b":{"c":{}}}}'],
  ['too many elements', `[${'1,'.repeat(30)}1]`],
  ['too many members', `{${Array.from({ length: 30 }, (_, at) => `"m${at}":"x"`).join(',')}}`],
  ['too many arrays', `[${'[1],'.repeat(20)}1]`],
]

for (const [why, text] of UNREAD) {
  test(`readForeignJson gives nothing for: ${why}`, () => {
    assert.equal(readForeignJson(text, LIMITS), undefined)
  })
}

test('readForeignJson freezes all through', () => {
  const value = readForeignJson('{"a":[{}]}', LIMITS) as { a: readonly object[] }
  assert.ok(Object.isFrozen(value.a) && Object.isFrozen(value.a[0]))
})
