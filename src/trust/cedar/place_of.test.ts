import assert from 'node:assert/strict'
import { test } from 'node:test'
import { placeOf } from './place_of.ts'

test('placeOf counts lines and columns from 1, whatever stands behind the place', () => {
  const text = 'permit\n  (\n\nü😀x\n'
  const rows: readonly (readonly [why: string, at: number, line: number, column: number])[] = [
    ['the first character', 0, 1, 1],
    ['in the first line', 3, 1, 4],
    ['the end of a line', 6, 1, 7],
    ['the first of the next', 7, 2, 1],
    ['in the second line', 9, 2, 3],
    ['an empty line', 11, 3, 1],
    ['UTF-16 code units', 15, 4, 4],
    ['the end of the text', text.length, 5, 1],
  ]
  for (const [why, at, line, column] of rows) assert.deepEqual(placeOf(text, at), { line, column }, why)
})
