import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { hasDisguise, Undisguiser, type View } from './text_views.ts'

const SEED = 20_261_122
const WORD = 'needle'

function viewOf(text: string): View {
  assert.ok(hasDisguise(text))
  return new Undisguiser().view(text)
}

const NONE: readonly (readonly [why: string, text: string])[] = [
  ['prose', 'Nothing hides here, not even with an é or a 50% share.'],
  ['short words of another script', '鍵は見えない'],
  ['escaped quotes and backslashes', String.raw`quote\"backslash\\`],
  ['an emoji without a selector', '🔑'],
  ['lower case after an equals sign', 'https://x/?a=be&b=1f'],
  ['tabs and line ends', 'a\tb\r\nc\n'],
  ['other escapes', String.raw`\d \S \( \8 \41 \777`],
  ['the empty text', ''],
]

for (const [why, text] of NONE) {
  test(`hasDisguise does not hold for: ${why}`, () => {
    assert.equal(hasDisguise(text), false)
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
  ['a null', 'nee\u0000dle'],
  ['a control of the terminal', 'nee\u001bdle'],
  ['a control of Latin-1', 'nee\u0085dle'],
  ['a format character far out', 'nee\u{13430}dle'],
  ['an escape in braces', String.raw`n\u{65}\u{000065}dle`],
  ['an escape with eight digits', String.raw`n\U00000065edle`],
  ['octal escapes', String.raw`n\145\145dle`],
  ['quoted-printable', 'n=65=65dle'],
  ['a soft line end', 'nee=\ndle'],
  ['a soft line end of Windows', 'nee=\r\ndle'],
  ['several at once', 'n\u200b%65\\u0065d\u00adle'],
]

for (const [why, hidden] of HIDDEN) {
  test(`Undisguiser shows what is hidden, and where it stands: ${why}`, () => {
    const text = `before ${hidden} after`
    const view = viewOf(text)
    const start = view.text.indexOf(WORD)
    assert.ok(start >= 0)
    assert.deepEqual(view.original(start, start + WORD.length), [7, 7 + hidden.length])
  })
}

const UNDONE: readonly (readonly [why: string, text: string, shown: string])[] = [
  ['escaped line ends, so that their letter is no part of the next word', String.raw`a\nb\\tc`, 'a\nb\tc'],
  ['escaped slashes', String.raw`a\/b\\/c`, 'a/b/c'],
  ['signs that Markdown escapes', String.raw`a\_b\-c\.d\~`, 'a_b-c.d~'],
  ['pairs of surrogates', String.raw`\ud83d\udd11 \u{1f511} \U0001F511`, '🔑 🔑 🔑'],
  ['beside letters of other scripts', String.raw`鍵\u0041é🔑\u0042`, '鍵Aé🔑B'],
  [
    'what is no escape, beside one',
    String.raw`%41 %4 %zz \u00 \u{} \u{41 \u{1234567} \x4 \U00110000 =4 =\q \400`,
    String.raw`A %4 %zz \u00 \u{} \u{41 \u{1234567} \x4 \U00110000 =4 =\q \400`,
  ],
  ['at the very end', 'a%41=', 'aA='],
  ['backslashes without end', `%41${'\\'.repeat(9)}`, `A${'\\'.repeat(9)}`],
]

for (const [why, text, shown] of UNDONE) {
  test(`Undisguiser undoes: ${why}`, () => {
    assert.equal(viewOf(text).text, shown)
  })
}

test('Undisguiser serves one text after the other', () => {
  const undisguiser = new Undisguiser()
  for (const [, text, shown] of [...UNDONE, ...UNDONE.toReversed()])
    assert.equal(undisguiser.view(text).text, shown)
  assert.equal(undisguiser.view('%41'.repeat(5_000)).text, 'A'.repeat(5_000))
  assert.equal(undisguiser.view('語%41').text, '語A')
})

test('Undisguiser leads every part back to a stretch that holds it', () => {
  const piece = fc.constantFrom(
    'a',
    'bc',
    '\u200b',
    '\\u0041',
    '%42',
    '\\/',
    '\\101',
    '=41',
    '=\n',
    '\u0001',
    '\u00ad',
    '\u{e0101}',
    ' ',
    '鍵',
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.nat(), fc.nat(), (pieces, first, second) => {
      const text = pieces.join('')
      const view = new Undisguiser().view(text)
      if (view.text === '') return
      const start = first % view.text.length
      const end = start + 1 + (second % (view.text.length - start))
      const [from, to] = view.original(start, end)
      assert.ok(from >= 0 && from < to && to <= text.length)
      const again = new Undisguiser().view(text.slice(from, to)).text
      assert.equal(again, view.text.slice(start, end))
    }),
    { seed: SEED, numRuns: 2_000 },
  )
})
