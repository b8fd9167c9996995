import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseDatetime } from './datetime.ts'
import { EvaluationError } from './evaluation_error.ts'

test('parseDatetime takes dates, and times with Z or an offset', () => {
  const rows: readonly (readonly [text: string, expected: number | undefined])[] = [
    ['1970-01-01', 0],
    ['1970-01-01T00:00:00.001Z', 1],
    ['2024-02-29', Date.UTC(2024, 1, 29)],
    ['2023-02-29', undefined],
    ['1900-02-29', undefined],
    ['2000-02-29', Date.UTC(2000, 1, 29)],
    ['0000-01-01', -62_167_219_200_000],
    ['0099-12-31', -59_011_545_600_000],
    ['9999-12-31T23:59:59.999Z', 253_402_300_799_999],
    ['2024-10-15T11:35:00+0100', Date.UTC(2024, 9, 15, 10, 35)],
    ['2024-10-15T11:35:00.250-0130', Date.UTC(2024, 9, 15, 13, 5, 0, 250)],
    ['2024-10-15T11:35:00+2400', undefined],
    ['2024-10-15T11:35:00+0060', undefined],
    ['2024-10-15T24:00:00Z', undefined],
    ['2024-10-15T11:60:00Z', undefined],
    ['2024-10-15T11:35:60Z', undefined],
    ['2024-10-15T11:35:00', undefined],
    ['2024-10-15T11:35:00.25Z', undefined],
    ['2024-10-15T11:35:00+01:00', undefined],
    ['2024-10-15Z', undefined],
    ['2024-13-01', undefined],
    ['2024-00-01', undefined],
    ['2024-01-00', undefined],
    ['2024-1-1', undefined],
    ['02024-01-01', undefined],
    ['2024-01-01\n', undefined],
    ['', undefined],
  ]
  for (const [text, expected] of rows) {
    if (expected === undefined) assert.throws(() => parseDatetime(text), EvaluationError, text)
    else assert.equal(parseDatetime(text).value, expected, text)
  }
})
