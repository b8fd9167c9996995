import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findSuppressions, judgeSuppressions } from './suppressions.ts'

const DISABLE = ['// oxlint', 'disable-next-line no-shadow'].join('-')
const EXPECT = ['// @ts', 'expect-error'].join('-')

const CASES: readonly (readonly [why: string, source: string, expected: readonly boolean[]])[] = [
  ['none', 'const a = 1', []],
  ['without a reason', `${DISABLE}\n`, [false]],
  ['with a reason', `${DISABLE} -- the outer name is the word of the specification`, [true]],
  ['a reason too short', `${EXPECT}: because`, [false]],
  ['a type error with a reason', `${EXPECT}: a permit made by hand must not compile`, [true]],
  ['two', `${DISABLE}\nx()\n${EXPECT}: a permit made by hand must not compile`, [false, true]],
]

test('findSuppressions finds each, and whether it has a reason', () => {
  for (const [why, source, expected] of CASES) {
    const found = findSuppressions(['a.ts'], () => source)
    assert.deepEqual(
      found.map(({ hasReason }) => hasReason),
      expected,
      why,
    )
  }
})

test('judgeSuppressions fails: more than allowed, fewer than allowed, or without a reason', () => {
  const good = { place: 'a.ts:1', hasReason: true }
  assert.equal(judgeSuppressions([good], 1).length, 0)
  assert.equal(judgeSuppressions([good, good], 1).length, 1)
  assert.equal(judgeSuppressions([], 1).length, 1)
  assert.equal(judgeSuppressions([{ ...good, hasReason: false }], 1).length, 1)
})
