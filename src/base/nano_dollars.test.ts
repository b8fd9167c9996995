import assert from 'node:assert/strict'
import test from 'node:test'
import { printDollars, shortDollars, toNanoDollars } from './nano_dollars.ts'

test('toNanoDollars takes what is written with six digits after the point, and nothing finer', () => {
  const cases: readonly (readonly [why: string, dollars: number, nano: number | undefined])[] = [
    ['whole dollars', 5, 5_000_000_000],
    ['a fraction that binary numbers do not have', 0.075, 75_000_000],
    ['the finest there is', 0.000001, 1_000],
    ['nothing', 0, 0],
    ['finer', 0.0000005, undefined],
    ['less than nothing', -1, undefined],
    ['more than can be counted', 1e9, undefined],
    ['no number', Number.NaN, undefined],
  ]
  for (const [why, dollars, nano] of cases) assert.equal(toNanoDollars(dollars), nano, why)
})

test('printDollars keeps every digit, and shortDollars drops the zeros at the end', () => {
  const cases: readonly (readonly [nano: number | bigint, all: string, short: string])[] = [
    [0, '0.000000000', '$0'],
    [1, '0.000000001', '$0.000000001'],
    [5_000_000_000, '5.000000000', '$5'],
    [10_500_000_000n, '10.500000000', '$10.5'],
    [123_456_789_012_345_678_901n, '123456789012.345678901', '$123456789012.345678901'],
  ]
  for (const [nano, all, short] of cases) {
    assert.equal(printDollars(nano), all)
    assert.equal(shortDollars(nano), short)
  }
})
