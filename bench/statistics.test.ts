import assert from 'node:assert/strict'
import { test } from 'node:test'
import { median, pairedDifference, pairedRatio, quantile, slope } from './statistics.ts'

test('median is the middle: of odd, even and no values', () => {
  for (const [values, expected] of [
    [[], 0],
    [[3], 3],
    [[3, 1, 2], 2],
    [[4, 1, 2, 3], 2.5],
  ] as const) {
    assert.equal(median(values), expected)
  }
})

test('quantile takes one of the values', () => {
  const sorted = Array.from({ length: 100 }, (_, index) => index + 1)
  assert.equal(quantile(sorted, 0.5), 51)
  assert.equal(quantile(sorted, 0.99), 100)
  assert.equal(quantile([], 0.5), 0)
})

test('pairedRatio compares within a round: a slow round slows both', () => {
  assert.equal(pairedRatio([100, 10, 50], [50, 5, 25]), 2)
  assert.equal(pairedRatio([100, undefined], [undefined, 50]), null)
  assert.equal(pairedRatio([100], [0]), null)
})

test('pairedDifference compares within a round', () => {
  assert.equal(pairedDifference([110, 1_010, 60], [100, 1_000, 50]), 10)
  assert.equal(pairedDifference([], []), null)
})

test('slope is that of the closest line, and none without two places', () => {
  for (const [points, expected] of [
    [[], null],
    [[[1, 5]], null],
    [
      [
        [0, 100],
        [1, 102],
        [2, 104],
      ],
      2,
    ],
    [
      [
        [0, 10],
        [1, 14],
        [2, 12],
        [3, 8],
      ],
      -0.8,
    ],
  ] as const) {
    assert.equal(slope(points), expected)
  }
})
