import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PolicyValue } from '#base/decider.ts'
import { isLastingValue, LastingRecords } from './lasting_records.ts'
import type { RecordType } from './schema_types.ts'

const INNER: RecordType = {
  kind: 'record',
  fields: new Map([['n', { type: { kind: 'integer' }, isRequired: true }]]),
  required: 1,
}

test('isLastingValue is true only where nothing can be changed any more, however deep', () => {
  const rows: readonly (readonly [why: string, value: PolicyValue, expected: boolean])[] = [
    ['a text', 'a', true],
    ['a record', { n: 1 }, false],
    ['a frozen record', Object.freeze({ n: 1 }), true],
    ['a record in a frozen one', Object.freeze({ inner: { n: 1 } }), false],
    ['a list in a frozen record', Object.freeze({ list: ['a'] }), false],
    ['all of it', Object.freeze({ list: Object.freeze(['a']), inner: Object.freeze({ n: 1 }) }), true],
  ]
  for (const [why, value, expected] of rows) assert.equal(isLastingValue(value), expected, why)
})

test('valueOf makes the value of a lasting record once, also of one in another', () => {
  const records = new LastingRecords()
  const inner = Object.freeze({ n: 1 })
  assert.equal(records.valueOf(inner), records.valueOf(inner))
  const whole = records.valueOf({ inner, other: 'a' })
  assert.equal(whole.fields.get('inner'), records.valueOf(inner))
  assert.equal(whole.fields.get('other'), 'a')
})

test('valueOf reads again what can change', () => {
  const records = new LastingRecords()
  const record = { n: 1 }
  const before = records.valueOf(record)
  record.n = 2
  assert.deepEqual([before.fields.get('n'), records.valueOf(record).fields.get('n')], [1, 2])
})

test('hasType remembers what it said of a lasting record, type by type, and never of another', () => {
  const records = new LastingRecords()
  let checks = 0
  const check = (): boolean => ++checks > 0
  const record = Object.freeze({ n: 1 })
  for (let at = 0; at < 3; at += 1) assert.ok(records.has(record, INNER, check))
  assert.equal(checks, 1)
  assert.ok(records.has(record, { ...INNER }, check), 'another type is another question')
  assert.equal(checks, 2)
  const open = { n: 1 }
  for (let at = 0; at < 3; at += 1) assert.ok(records.has(open, INNER, check))
  assert.equal(checks, 5)
  assert.equal(records.hasType(Object.freeze({ n: 'a' }), INNER), false)
  assert.equal(records.hasType(Object.freeze({ n: 1, more: 1 }), INNER), false)
  assert.equal(records.hasType(record, INNER), true)
})
