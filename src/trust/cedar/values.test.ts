import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import { EvaluationError } from './evaluation_error.ts'
import { callExtension } from './extensions.ts'
import {
  asEntity,
  asExtension,
  asLong,
  asSet,
  asText,
  asTruth,
  canonicalText,
  EntityValue,
  isEqual,
  RecordValue,
  SetValue,
  type Value,
} from './values.ts'

const SEED = 20_260_302

const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.boolean(),
    fc.constantFrom<Value>(0, 1, 2n ** 60n, 'a', '1', 'true', 'User::"a"', '[]'),
    fc
      .constantFrom('User', 'Doc')
      .chain((type) => fc.constantFrom('a', 'b').map((id) => new EntityValue(type, id))),
    fc.constantFrom('1.0', '1.00', '2.0').map((text) => callExtension('decimal', [text])),
    fc.constantFrom('1.0.0.0', '::1', '1.0.0.0/8').map((text) => callExtension('ip', [text])),
    fc.constantFrom('1ms', '2ms').map((text) => callExtension('duration', [text])),
    fc.array(tie('value'), { maxLength: 3 }).map((elements) => new SetValue(elements)),
    fc
      .array(fc.tuple(fc.constantFrom('a', 'b', 'a:1'), tie('value')), { maxLength: 2 })
      .map((fields) => new RecordValue(new Map(fields))),
  ),
}))

suite('values', () => {
  test('isEqual agrees with canonical texts, both ways', () => {
    fc.assert(
      fc.property(value, value, (left, right) => {
        assert.equal(isEqual(left, right), canonicalText(left) === canonicalText(right))
        assert.equal(isEqual(left, right), isEqual(right, left))
        assert.ok(isEqual(left, left))
      }),
      { seed: SEED, numRuns: 3_000 },
    )
  })

  test('SetValue agrees with comparing each element', () => {
    const list = fc.array(value, { maxLength: 4 })
    fc.assert(
      fc.property(list, list, value, (left, right, one) => {
        const [a, b] = [new SetValue(left), new SetValue(right)]
        const isIn = (wanted: Value, among: readonly Value[]): boolean =>
          among.some((each) => isEqual(each, wanted))
        assert.equal(a.has(one), isIn(one, left))
        assert.equal(
          a.hasAll(b),
          right.every((each) => isIn(each, left)),
        )
        assert.equal(
          a.hasAny(b),
          right.some((each) => isIn(each, left)),
        )
        assert.equal(a.size, left.filter((each, index) => !isIn(each, left.slice(0, index))).length)
        assert.equal(a.values().length, a.size)
      }),
      { seed: SEED, numRuns: 2_000 },
    )
  })

  test('entities gives the elements of a set of entities, and refuses any other', () => {
    const user = new EntityValue('User', 'a')
    assert.deepEqual(
      [...new SetValue([user, new EntityValue('User', 'a')]).entities()],
      [new EntityValue('User', 'a')],
    )
    assert.deepEqual([...new SetValue([]).entities()], [])
    for (const other of [1, 'a', true, new SetValue([]), new RecordValue(new Map())])
      assert.throws(() => new SetValue([user, other]).entities(), EvaluationError)
  })

  test('each cast takes its own type only', () => {
    const all: readonly Value[] = [
      true,
      1,
      2n ** 60n,
      'a',
      new EntityValue('User', 'a'),
      new SetValue([]),
      new RecordValue(new Map()),
      callExtension('ip', ['::1']),
      callExtension('decimal', ['1.0']),
    ]
    const rows: readonly (readonly [why: string, cast: (value: Value) => Value, taken: readonly number[]])[] =
      [
        ['truth', asTruth, [0]],
        ['integer', asLong, [1, 2]],
        ['text', asText, [3]],
        ['entity', asEntity, [4]],
        ['set', asSet, [5]],
        ['address', (one) => asExtension(one, 'ipaddr'), [7]],
      ]
    for (const [why, cast, taken] of rows) {
      for (const [index, one] of all.entries()) {
        if (taken.includes(index)) assert.equal(cast(one), one, why)
        else assert.throws(() => cast(one), EvaluationError, `${why} ${index}`)
      }
    }
  })
})

test('values of different extension types are different, also where they hold the same number', () => {
  const made = [
    callExtension('decimal', ['0.0001']),
    callExtension('duration', ['1ms']),
    callExtension('datetime', ['1970-01-01T00:00:00.001Z']),
    callExtension('ip', ['0.0.0.1']),
    callExtension('ip', ['::1']),
    callExtension('ip', ['0.0.0.1/31']),
    1,
    '1',
    true,
  ]
  for (const left of made)
    for (const right of made) {
      assert.equal(isEqual(left, right), left === right)
      assert.equal(canonicalText(left) === canonicalText(right), left === right)
      assert.equal(new SetValue([left]).has(right), left === right)
    }
})

test('SetValue holds no order: two sets of the same elements have one text', () => {
  const [a, b] = [new EntityValue('User', 'a'), new SetValue(['x'])]
  assert.equal(canonicalText(new SetValue([1, 'y', a, b])), canonicalText(new SetValue([b, a, 'y', 1])))
  assert.ok(new SetValue([new SetValue([a, 1])]).has(new SetValue([1, a])))
})
