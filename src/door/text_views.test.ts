import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { isQuick } from '../../test/support/is_quick.ts'
import { viewsOf } from './text_views.ts'

const SEED = 20_261_122
const WORD = 'needle'

const NONE: readonly (readonly [why: string, text: string])[] = [
  ['prose', 'Nothing hides here, not even with an é or a 50% share.'],
  ['short words of another script', '鍵は見えない'],
  ['escaped quotes and backslashes', String.raw`quote\"backslash\\`],
  ['an emoji without a selector', '🔑'],
  ['a run that is too short', 'a'.repeat(31)],
  ['the empty text', ''],
]

for (const [why, text] of NONE) {
  test(`viewsOf gives none: ${why}`, () => {
    assert.deepEqual(viewsOf(text), [])
  })
}

const HIDDEN: readonly (readonly [why: string, hidden: string])[] = [
  ['zero-width spaces', 'ne\u200bed\u200ble'],
  ['a soft hyphen', 'need\u00adle'],
  ['word joiners', 'n\u2060eedle'],
  ['a byte order mark', 'need\ufeffle'],
  ['a bidi control', 'need\u202ele'],
  ['a variation selector', 'n\ufe0feedle'],
  ['a selector of the supplement', 'need\u{e0101}le'],
  ['tags', 'ne\u{e0041}\u{e0042}edle'],
  ['a filler', 'need\u3164le'],
  ['an escape of JSON', String.raw`n\u0065edle`],
  ['an escape of JSON in JSON', String.raw`n\\u0065edle`],
  ['an escape of JSON in JSON in JSON', String.raw`n\\\\u0065edle`],
  ['an escape with two digits', String.raw`\x6eeedle`],
  [
    'all letters escaped',
    Array.from(WORD)
      .map((letter) => `\\u00${letter.charCodeAt(0).toString(16)}`)
      .join(''),
  ],
  ['percent signs', 'n%65%65dle'],
  ['several at once', 'n\u200b%65\\u0065d\u00adle'],
]

for (const [why, hidden] of HIDDEN) {
  test(`viewsOf shows what is hidden, and where it stands: ${why}`, () => {
    const text = `before ${hidden} after`
    const [view] = viewsOf(text)
    assert.ok(view !== undefined)
    const start = view.text.indexOf(WORD)
    assert.ok(start >= 0)
    assert.deepEqual(view.original(start, start + WORD.length), [7, 7 + hidden.length])
  })
}

test('viewsOf undoes escaped line ends, so that their letter is no part of the next word', () => {
  assert.equal(viewsOf(String.raw`a\nb\\tc`)[0]?.text, 'a\nb\tc')
})

test('viewsOf undoes an escaped slash', () => {
  assert.equal(viewsOf(String.raw`a\/b\\/c`)[0]?.text, 'a/b/c')
})

test('viewsOf leads every part back to a stretch that holds it', () => {
  const piece = fc.constantFrom(
    'a',
    'bc',
    '\u200b',
    '\\u0041',
    '%42',
    '\\/',
    '\u00ad',
    '\u{e0101}',
    ' ',
    '鍵',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.nat(), fc.nat(), (pieces, first, second) => {
      const text = pieces.join('')
      const [view] = viewsOf(text)
      if (view === undefined || view.text === '') return
      const start = first % view.text.length
      const end = start + 1 + (second % (view.text.length - start))
      const [from, to] = view.original(start, end)
      assert.ok(from >= 0 && from < to && to <= text.length)
      const again = viewsOf(text.slice(from, to))[0]?.text ?? text.slice(from, to)
      assert.equal(again, view.text.slice(start, end))
    }),
    { seed: SEED, numRuns: 2_000 },
  )
})

const DECODED: readonly (readonly [
  why: string,
  before: string,
  encoding: 'base64' | 'base64url',
  after: string,
])[] = [
  ['alone', '', 'base64', ''],
  ['in a URL of data', 'data:text/plain;base64,', 'base64', ''],
  ['in quotes', '{"data":"', 'base64', '"}'],
  ['after a slash', 'path/', 'base64url', '.'],
  ['after dashes', 'x: --', 'base64url', '!'],
]

for (const [why, before, encoding, after] of DECODED) {
  test(`viewsOf decodes a long run of base 64, and leads back to all of it: ${why}`, () => {
    const encoded = Buffer.from(`a ${WORD} in a long enough text, é`).toString(encoding)
    const text = before + encoded + after
    const view = viewsOf(text).find((one) => one.text.includes(WORD))
    if (why === 'after a slash')
      return assert.equal(view, undefined, 'a path in front is not told from base 64')
    assert.deepEqual(view?.original(2, 3), [before.length, before.length + encoded.length])
  })
}

test('viewsOf decodes each of several runs', () => {
  const encoded = (text: string): string => Buffer.from(text.padEnd(30)).toString('base64')
  const text = `${encoded('one')} some words between ${encoded('two')}, ${encoded('three')}`
  assert.deepEqual(
    viewsOf(text).map((view) => view.text.trim()),
    ['one', 'two', 'three'],
  )
})

test('viewsOf decodes only the beginning of a very long run', () => {
  const [view] = viewsOf('A'.repeat(1_000_000))
  assert.equal(view?.text.length, 49_152)
})

const HOSTILE = [
  '\\',
  '\\u',
  '%',
  '%4',
  '\u200b',
  '\u00ad',
  '\\u0041',
  '%41',
  'a',
  '\u{e0101}',
  `${'a'.repeat(32)} `,
]

for (const part of HOSTILE) {
  test(`viewsOf is linear over 1 MB of ${JSON.stringify(part.slice(0, 8))}`, () => {
    const text = part.repeat(Math.ceil(1_000_000 / part.length))
    assert.ok(isQuick(500, () => viewsOf(text)))
  })
}
