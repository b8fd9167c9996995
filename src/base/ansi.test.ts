import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beginsAnsi, endOfAnsi } from './ansi.ts'

const SEQUENCES: readonly (readonly [why: string, text: string, length: number])[] = [
  ['a colour', '\u001b[38;5;1mx', 9],
  ['a question', '\u001b[?25lx', 6],
  ['a colour cut off', '\u001b[38;5', 6],
  ['more parameters than there are', `\u001b[${'1'.repeat(100)}m`, 66],
  ['a charset', '\u001b(Bx', 3],
  ['a reset', '\u001bcx', 2],
  ['an escape before a letter beyond ASCII', '\u001bé', 1],
  ['an escape before spaces', '\u001b   é', 1],
  ['a title with a bell', '\u001b]0;t\u0007x', 6],
  ['a title with its end', '\u001b]0;t\u001b\\x', 7],
  ['a title with its end in one', '\u001b]0;t\u009cx', 6],
  ['a title without its end', '\u001b]0;t', 2],
  ['a title that another escape ends', '\u001b]0;t\u001b[1m', 2],
  ['a colour in one', '\u009b1mx', 3],
  ['a colour in one, cut off', '\u009b1', -1],
  ['a sign before a letter', '\u009bm', -1],
  ['a title in one', '\u009d0;t\u009cx', 5],
  ['a title in one without its end', '\u009d0;t', -1],
]

for (const [why, text, length] of SEQUENCES) {
  test(`endOfAnsi knows where it ends: ${why}`, () => {
    assert.ok(beginsAnsi(text.charCodeAt(0)))
    assert.equal(endOfAnsi(text, 0), length)
    assert.equal(endOfAnsi(`ab${text}`, 2), length < 0 ? length : length + 2)
  })
}

test('beginsAnsi holds for seven characters', () => {
  const all = Array.from({ length: 0x100 }, (_, code) => code).filter((code) => beginsAnsi(code))
  assert.deepEqual(all, [0x1b, 0x90, 0x98, 0x9b, 0x9d, 0x9e, 0x9f])
})
