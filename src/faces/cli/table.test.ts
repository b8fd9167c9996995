import assert from 'node:assert/strict'
import test from 'node:test'
import { drawTable } from './table.ts'

test('drawTable makes columns as wide as they must be', () => {
  assert.equal(
    drawTable(
      ['A', 'B', 'C'],
      [
        ['long', 'x'],
        ['y', 'wide', 'z'],
      ],
    ),
    'A     B     C\nlong  x\ny     wide  z',
  )
})

test('drawTable draws as many rows as a report of a month has for every caller and day', () => {
  const rows = Array.from({ length: 300_000 }, (_, at) => [String(at)])
  assert.equal(drawTable(['N'], rows).split('\n').length, rows.length + 1)
})
