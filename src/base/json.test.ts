import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deepFreeze, isJsonObject } from './json.ts'

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
