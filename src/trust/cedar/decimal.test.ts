import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDecimal } from './decimal.ts'
import { EvaluationError } from './evaluation_error.ts'

test('parseDecimal takes four digits behind the point and 64 bits, and nothing else', () => {
  const rows: readonly (readonly [text: string, expected: number | bigint | undefined])[] = [
    ['0.0', 0],
    ['-0.0', 0],
    ['1.5', 15_000],
    ['-1.0001', -10_001],
    ['-0.5', -5_000],
    ['0000000000000000000000000000000000001.2', 12_000],
    ['922337203685477.5807', 9_223_372_036_854_775_807n],
    ['922337203685477.5808', undefined],
    ['-922337203685477.5808', -9_223_372_036_854_775_808n],
    ['-922337203685477.5809', undefined],
    [`${'9'.repeat(10_000)}.0`, undefined],
    ['1.23456', undefined],
    ['1', undefined],
    ['1.', undefined],
    ['.5', undefined],
    ['+1.0', undefined],
    [' 1.0', undefined],
    ['1.0\n', undefined],
    ['１.0', undefined],
    ['1e1.0', undefined],
    ['', undefined],
  ]
  for (const [text, expected] of rows) {
    if (expected === undefined) assert.throws(() => parseDecimal(text), EvaluationError, text)
    else assert.equal(parseDecimal(text).value, expected, text)
  }
})
