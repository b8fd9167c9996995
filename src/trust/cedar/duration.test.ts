import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDuration } from './duration.ts'
import { EvaluationError } from './evaluation_error.ts'

test('parseDuration takes units from days to milliseconds, each once and in order', () => {
  const rows: readonly (readonly [text: string, expected: number | bigint | undefined])[] = [
    ['0ms', 0],
    ['-0d', 0],
    ['1d2h3m4s5ms', 93_784_005],
    ['-1d1ms', -86_400_001],
    ['5m', 300_000],
    ['5ms', 5],
    ['00000000000000000000000000007s', 7_000],
    ['9223372036854775807ms', 9_223_372_036_854_775_807n],
    ['9223372036854775808ms', undefined],
    ['-9223372036854775808ms', -9_223_372_036_854_775_808n],
    ['106751991167d7h12m55s808ms', undefined],
    ['-106751991167d7h12m55s808ms', -9_223_372_036_854_775_808n],
    [`${'9'.repeat(10_000)}d`, undefined],
    ['1s1d', undefined],
    ['1d1d', undefined],
    ['1', undefined],
    ['1.5h', undefined],
    ['1h ', undefined],
    ['+1h', undefined],
    ['-', undefined],
    ['', undefined],
    ['1H', undefined],
  ]
  for (const [text, expected] of rows) {
    if (expected === undefined) assert.throws(() => parseDuration(text), EvaluationError, text)
    else assert.equal(parseDuration(text).value, expected, text)
  }
})
