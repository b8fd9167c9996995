import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PolicyValue } from '#base/decider.ts'
import { EMPTY_RECORD, toRecordValue } from './policy_value.ts'
import { canonicalText } from './values.ts'

test('toRecordValue gives each value its form, and refuses numbers that are no integers', () => {
  const rows: readonly (readonly [why: string, value: PolicyValue, expected: string])[] = [
    ['a text', 'eu', '"eu"'],
    ['a truth', true, 'true'],
    ['a number', 2 ** 53 - 1, '9007199254740991'],
    ['a negative zero', -0, '0'],
    ['a set', ['a', ['b'], 'a'], '["a",["b"]]'],
    ['an entity', { type: 'Model', id: 'echo' }, 'Model::"echo"'],
    ['a record', { type: 'Model', id: 3 }, '{"id":3,"type":"Model"}'],
    ['a larger record', { type: 'a', id: 'b', more: 'c' }, '{"id":"b","more":"c","type":"a"}'],
    ['a record with odd names', { __entity: 'x', ['__proto__']: 'y' }, '{"__entity":"x","__proto__":"y"}'],
  ]
  for (const [why, value, expected] of rows)
    assert.equal(canonicalText(toRecordValue({ value })), `{"value":${expected}}`, why)
  assert.equal(toRecordValue({}), EMPTY_RECORD)
  for (const value of [2 ** 53, 0.5, Number.NaN]) assert.throws(() => toRecordValue({ value }), TypeError)
})
