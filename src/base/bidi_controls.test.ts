import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFractions } from '../../test/support/planted_secrets.ts'
import { BIDI_SPAN, looseBidiControls } from './bidi_controls.ts'

const SEED = 20_261_122
const ROUNDS = 300
const PARTS = [
  ...Array.from('\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\n'),
  'a',
  'a'.repeat(40),
  'a'.repeat(300),
]

const LOOSE: readonly (readonly [why: string, text: string, expected: readonly number[]])[] = [
  ['none in a plain text', 'a\nb', []],
  ['none of a pair', '\u202aa\u202c', []],
  ['none of pairs in pairs', '\u2067a\u202bb\u202cc\u2069', []],
  ['both of a pair that crosses another', '\u202aa\u2066b\u202cc\u2069', [0, 4]],
  ['an embedding that its isolate ends', '\u2066a\u202bb\u2069', [2]],
  ['all that a line ends', '\u202aa\u2066b\r\u2069\u202c', [0, 2, 5, 6]],
  ['what separators of paragraphs end', '\u202aa\u2029b\u202c', [0, 4]],
  ['an override to the right, and what closes it', '\u202ea\u202c', [0, 2]],
  ['no override to the left that is closed', '\u202d1\u202c', []],
  ['all in a row of five', '\u2066\u2067\u2069\u2069\u2066a\u2069', [0, 1, 2, 3, 4, 6]],
  ['no row of four', '\u2066\u2067\u2069\u2069', []],
  ['none closed just in time', `\u2066${'a'.repeat(BIDI_SPAN - 1)}\u2069`, []],
  ['both that are too far apart', `\u2066${'a'.repeat(BIDI_SPAN)}\u2069`, [0, BIDI_SPAN + 1]],
]

for (const [why, text, expected] of LOOSE) {
  test(`looseBidiControls gives ${why}`, () => {
    assert.deepEqual(looseBidiControls(text), expected)
  })
}

test('looseBidiControls depends on nothing farther away than the longest pair', () => {
  const random = randomFractions(SEED)
  for (let round = 0; round < ROUNDS; round++) {
    const text = Array.from({ length: 60 }, () => PARTS[Math.floor(random() * PARTS.length)]).join('')
    const middle = Math.floor(random() * text.length)
    const from = Math.max(0, middle - 2 * BIDI_SPAN)
    const window = looseBidiControls(text.slice(from, middle + 2 * BIDI_SPAN)).map((at) => at + from)
    const isNear = (at: number): boolean => Math.abs(at - middle) < BIDI_SPAN - 8
    assert.deepEqual(
      window.filter(isNear),
      looseBidiControls(text).filter(isNear),
      `seed ${SEED}, round ${round}`,
    )
  }
})
