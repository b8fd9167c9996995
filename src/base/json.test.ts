import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { deepFreeze, isJsonObject, printJson, type JsonValue } from './json.ts'

test('deepFreeze freezes every level and gives the same value back', () => {
  const inner = { list: [{ deep: 1 }] }
  const value = { inner }
  assert.equal(deepFreeze(value), value)
  for (const part of [value, inner, inner.list, inner.list[0]]) assert.ok(Object.isFrozen(part))
})

test('isJsonObject is true for objects only', () => {
  assert.equal(isJsonObject({}), true)
  for (const other of [[], null, 'a', 1, true, undefined]) assert.equal(isJsonObject(other), false)
})

const PRINTED: readonly string[] = [
  '{"__proto__":[1],"a":{"__proto__":[[]]}}',
  '{"1":[2],"2":[1],"a":[],"":[null]}',
  '[[["a"],{"b":["c"]}]]',
  '"\\ud83d"',
]

test('printJson prints a frozen value as JSON.stringify does', () => {
  const seed = 20_261_122
  for (const text of PRINTED) assert.equal(printJson(deepFreeze(JSON.parse(text) as JsonValue)), text)
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 6 }), (value) => {
      const frozen = deepFreeze(JSON.parse(JSON.stringify(value)) as JsonValue)
      assert.equal(printJson(frozen), JSON.stringify(frozen))
    }),
    { seed, numRuns: 2_000 },
  )
})
