import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SegmentMark } from './load.ts'
import { bytesPerEntry, DAY_MS, daysLeft } from './state.ts'

const NOW = 1_795_000_000_000

function mark(daysAgo: number, first: number, more: Partial<SegmentMark> = {}): SegmentMark {
  return { kind: 'sealed', first, count: 1_000, at: NOW - daysAgo * DAY_MS, bytes: 100_000, ...more }
}

const FORECASTS: readonly [
  why: string,
  marks: readonly SegmentMark[],
  entries: number,
  left: number | undefined,
  expected: number | undefined,
][] = [
  ['1,000 entries a day at 100 bytes', [mark(2, 0), mark(1, 1_000)], 2_000, 1_000_000, 10],
  ['only the last week counts', [mark(100, 0), mark(8, 1_000), mark(2, 9_000)], 9_000, 1_000_000, 10],
  ['no space known', [mark(2, 0)], 1_000, undefined, undefined],
  ['no entries', [], 0, 1_000_000, undefined],
  ['too short a time', [mark(0.0001, 0)], 1_000, 1_000_000, undefined],
  ['nothing since', [mark(2, 1_000)], 1_000, 1_000_000, undefined],
  ['no time known', [mark(2, 0, { at: undefined })], 1_000, 1_000_000, undefined],
]

for (const [why, marks, entries, left, expected] of FORECASTS)
  test(`daysLeft says ${expected ?? 'nothing'}: ${why}`, () => {
    const days = daysLeft(marks, NOW, entries, left)
    assert.equal(days === undefined ? undefined : Math.round(days * 1_000) / 1_000, expected)
  })

const SIZES: readonly [why: string, marks: readonly SegmentMark[], expected: number | undefined][] = [
  ['nothing yet', [], undefined],
  ['an empty active segment', [mark(1, 0, { kind: 'raw', count: 0 })], undefined],
  ['the active one when none is sealed', [mark(1, 0, { kind: 'raw', bytes: 500_000 })], 500],
  [
    'the newest sealed one',
    [mark(3, 0, { bytes: 90_000 }), mark(2, 0), mark(1, 0, { kind: 'raw', bytes: 500_000 })],
    100,
  ],
]

for (const [why, marks, expected] of SIZES)
  test(`bytesPerEntry takes ${why}`, () => {
    assert.equal(bytesPerEntry(marks), expected)
  })
