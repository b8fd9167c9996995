import assert from 'node:assert/strict'
import { test } from 'node:test'
import { undoEscapes } from './undo_escapes.ts'

const ROWS: readonly (readonly [why: string, text: string, undone: string | undefined])[] = [
  ['nothing to undo', 'plain “text”', undefined],
  ['escapes that stay', 'a\\nb \\', undefined],
  ['four hexadecimal digits', '\\u0041\\u006a\\u006A', 'Ajj'],
  ['a letter beyond ASCII', '\\u00e9\\u20ac', 'é€'],
  ['too few digits', '\\u004 \\u00', undefined],
  ['a slash and a quote', '\\/ \\"', '/ "'],
  ['doubled backslashes', 'a\\\\b', 'a\\b'],
  ['doubled backslashes before an escape', '\\\\\\\\u0041 \\\\"', 'A "'],
  ['percent and two digits', '%41%6a%6A %c3%a9', 'Ajj é'],
  ['percent without digits', '50% %zz %4', undefined],
  ['a byte of a program', '\\x41\\\\x6a\\x6A', 'Ajj'],
  ['code points', '\\u{41}\\u{00006a}\\\\u{1F600}', 'Aj\u{1f600}'],
  ['no code points', '\\u{} \\u{41 \\u{110000} \\u{z}', undefined],
  ['decimal entities', '&#65;&#0106;&#233;&#128512;', 'Aj\u00e9\u{1f600}'],
  ['hexadecimal entities', '&#x41;&#X6a;&#x20AC;', 'Aj\u20ac'],
  ['entities without an end', '&#65 &#x41', 'A A'],
  ['no entities', '& &# &#; &#x; &#xg &amp; &#1114112; &a', undefined],
  ['one layer only', '%2541 \\u005cu0041', '%41 \\u0041'],
]

for (const [why, text, undone] of ROWS) {
  test(`undoEscapes undoes: ${why}`, () => {
    assert.equal(undoEscapes(Buffer.from(text))?.toString(), undone)
  })
}
