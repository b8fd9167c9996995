import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { parseDuration, printTime } from './duration.ts'

const READ: readonly (readonly [why: string, text: string, expected: number])[] = [
  ['days', '30d', 2_592_000_000],
  ['hours', '12h', 43_200_000],
  ['minutes', '45m', 2_700_000],
  ['seconds', '1s', 1_000],
]
for (const [why, text, expected] of READ) {
  test(`parseDuration reads: ${why}`, () => assert.equal(parseDuration(text, 'x'), expected))
}

const REFUSED: readonly (readonly [why: string, text: string])[] = [
  ['no unit', '30'],
  ['nothing', ''],
  ['zero', '0d'],
  ['a sign', '-1d'],
  ['a fraction', '1.5d'],
  ['an unknown unit', '3w'],
  ['more digits than any time of ours', '1234567d'],
  ['something around it', ' 3d '],
]
for (const [why, text] of REFUSED) {
  test(`parseDuration refuses: ${why}`, () => {
    assert.throws(
      () => parseDuration(text, 'expires-in'),
      (thrown) => thrown instanceof Fault && thrown.code === 'usage.wrong',
    )
  })
}

test('printTime prints UTC to the second: people compare it with their logs', () => {
  assert.equal(printTime(Date.UTC(2026, 10, 22, 3, 4, 5, 678)), '2026-11-22 03:04:05Z')
})
