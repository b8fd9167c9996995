import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ShownText } from './shown_text.ts'
import { Undisguiser } from './text_views.ts'

const SEED = 20_261_122

/** What is shown of a text, and how much of it is kept at its end. */
function shown(text: string): readonly [shown: string, kept: number] {
  let out = ''
  const shownText = new ShownText((unit) => (out += String.fromCharCode(unit)))
  for (let at = 0; at < text.length; at++) shownText.take(text.charCodeAt(at))
  return [out, shownText.kept]
}

const SHOWN: readonly (readonly [why: string, text: string, shown: string, kept: number])[] = [
  ['plain text', 'a "b" 語', 'a "b" 語', 0],
  ['escapes', String.raw`\u0041\x42\103%44=45\U00000046\u{47}\n\/`, 'ABCDEFG\n/', 0],
  ['an escape behind many backslashes', String.raw`\\\\u0041`, 'A', 0],
  ['a pair', '\ud83d\ude00', '😀', 0],
  ['lone halves', 'a\ude00\ud83d b', 'a\ude00\ud83d b', 0],
  ['nothing of what is invisible', 'a\u200b\u{e0041}\u0001b', 'ab', 0],
  ['nothing of a soft line end', 'a=\nb=\r\nc', 'abc', 0],
  ['what is no escape', '%4g =4a \\q \\u12x \\400 =\rx', '%4g =4a \\q \\u12x \\400 =\rx', 0],
  ['two backslashes for any number', '\\\\\\\\q', '\\\\q', 0],
  ['an escape behind what is none', '\\u00\\u0041%%42', '\\u00A%B', 0],
  ['nothing of a beginning', 'a\\\\u00', 'a', 5],
  ['nothing of half a pair', 'a\ud83d', 'a', 1],
]

for (const [why, text, expected, kept] of SHOWN) {
  test(`ShownText shows: ${why}`, () => {
    assert.deepEqual(shown(text), [expected, kept])
  })
}

test('ShownText knows what it undid', () => {
  const shownText = new ShownText(() => undefined)
  const take = (text: string): void => Array.from(text).forEach((unit) => shownText.take(unit.charCodeAt(0)))
  const knows = (): readonly boolean[] => [shownText.hasEscapes, shownText.hasInvisible]
  take('a\\q%4')
  assert.deepEqual(knows(), [false, false])
  take('1')
  assert.deepEqual(knows(), [true, false])
  take('\u200b')
  assert.deepEqual(knows(), [true, true])
  shownText.settle()
  assert.deepEqual(knows(), [false, false])
})

test('ShownText shows what Undisguiser shows', () => {
  const piece = fc.constantFrom(
    ...'a|0|41|u|U|x|{|}|\\|%|=|\r|\n|/|\\u0041|\\u{1f511}|\\x42|%41|=41|\\101|\\ud83d|00000041|\u200b|\ud83d|\ude00|\udb40|\udc41|語|\u0001|g'.split(
      '|',
    ),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 16 }), (pieces) => {
      const text = `${pieces.join('')} .`
      const few = (all: string): string => all.replaceAll(/\\{2,}/g, '\\\\')
      assert.equal(few(shown(text)[0]), few(new Undisguiser().view(text).text))
    }),
    { seed: SEED, numRuns: 10_000 },
  )
})
