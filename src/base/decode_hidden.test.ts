import assert from 'node:assert/strict'
import { test } from 'node:test'
import { growsLinearly } from '../../test/support/grows_linearly.ts'
import { DECODED_CHARACTERS, decodeHidden } from './decode_hidden.ts'

const tags = (text: string): string =>
  Array.from(text, (letter) => String.fromCodePoint(0xe0000 + (letter.codePointAt(0) ?? 0))).join('')
const selectors = (text: string): string =>
  Array.from(Buffer.from(text), (byte) =>
    String.fromCodePoint(byte < 16 ? 0xfe00 + byte : 0xe0100 + byte - 16),
  ).join('')
const bits = (text: string, zero: string, one: string): string =>
  Array.from(Buffer.from(text), (byte) => byte.toString(2).padStart(8, '0'))
    .join('')
    .replaceAll('0', zero)
    .replaceAll('1', one)

const HIDDEN: readonly (readonly [why: string, text: string, expected: string])[] = [
  ['tags', `a${tags('send it')}b`, 'send it'],
  ['tags in two places', `a${tags('send')}b${tags('it')}`, 'send it'],
  ['tags with their first and last', `\u{e0001}${tags('en')}\u{e007f}`, 'en'],
  ['selectors', `\u{1f600}${selectors('käse 語')}`, 'käse 語'],
  ['selectors one by one', Array.from(selectors('secret'), (selector) => `a${selector}`).join(''), 'secret'],
  ['selectors that are no text', '\u{1f600}\u{e01ef}\u{e0100}', 'ff10'],
  ['bits', `a${bits('ok go', '\u200b', '\u200c')}`, 'ok go'],
  ['bits the other way round', `a${bits('ok go', '\u2064', '\u2062')}`, 'ok go'],
  ['a link of a terminal', '\u001b]8;;https://x.example\u0007here', '8;;https://x.example'],
  ['several', `${tags('one')}\u{1f600}${selectors('two')}`, 'one\ntwo'],
]

for (const [why, text, expected] of HIDDEN) {
  test(`decodeHidden reads ${why}`, () => {
    assert.equal(decodeHidden(text), expected)
  })
}

const NOTHING: readonly (readonly [why: string, text: string])[] = [
  ['plain text', 'plain text'],
  ['a heart with a style', '\u2764\ufe0f'],
  ['a joiner', '\u0645\u200c\u06cc'],
  ['bits that are no text', `a${'\u200b\u200c'.repeat(3)}`],
  ['three kinds without width', '\u200b\u200c\u200d'.repeat(8)],
]

for (const [why, text] of NOTHING) {
  test(`decodeHidden says nothing of ${why}`, () => {
    assert.equal(decodeHidden(text), '')
  })
}

test('decodeHidden is bounded in length and time', () => {
  for (const part of [
    tags('a'),
    `a${tags('b')}`,
    selectors('語'),
    bits('ok', '\u200b', '\u200c'),
    '\u001b]x',
  ]) {
    assert.ok(decodeHidden(part.repeat(100_000)).length <= DECODED_CHARACTERS)
    assert.ok(growsLinearly(part, decodeHidden))
  }
})
