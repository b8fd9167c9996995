import assert from 'node:assert/strict'
import { test } from 'node:test'
import { foldedName } from './folded_name.ts'

const SAME: readonly (readonly [why: string, left: string, right: string])[] = [
  ['upper case', 'MODEL', 'model'],
  ['the long s', 'me\u017f\u017fages', 'messages'],
  ['the Kelvin sign', 'to\u212aens', 'tokens'],
  ['full width', '\uff4dodel', 'model'],
  ['mathematical letters', '\u{1d426}odel', 'model'],
  ['a circled letter', '\u24c2odel', 'model'],
  ['a ligature', 'pre\ufb01x', 'prefix'],
  ['sharp s', 'stra\u00dfe', 'STRASSE'],
  ['both small sigmas', '\u03bf\u03b4\u03bf\u03c2', '\u039f\u0394\u039f\u03a3'],
  ['a composed and a taken apart letter', '\u00e9', 'e\u0301'],
  ['separators left out', 'maxTokens', 'max_tokens'],
  ['another separator', 'max-tokens', 'max_tokens'],
  ['a dot', 'api.base', 'api_base'],
  ['colons', 'tensorzero::extra_body', 'tensorzeroExtraBody'],
  ['a slash', 'api/base', 'api_base'],
  ['what shows nothing', 'mo\u200b\u00addel\ufe0f', 'model'],
]

for (const [why, left, right] of SAME) {
  test(`foldedName gives the same for: ${why}`, () => {
    assert.equal(foldedName(left), foldedName(right))
  })
}

test('foldedName keeps different names apart', () => {
  const names = ['model', 'models', 'mode1', 'modal', 'top_p', 'top_k', '', 'м\u043edel']
  assert.equal(new Set(names.map(foldedName)).size, names.length)
})

test('foldedName joins every character that simple case folding joins with a letter, and is settled after once', () => {
  const letters = Array.from('abcdefghijklmnopqrstuvwxyz')
  const isLetter = /^[a-z]$/iu
  const odd: string[] = []
  for (let code = 0; code <= 0x10_ffff; code += 1) {
    const character = String.fromCodePoint(code)
    if (!isLetter.test(character)) continue
    const letter = letters.find((one) => new RegExp(`^${one}$`, 'iu').test(character))
    assert.equal(foldedName(character), letter, `U+${code.toString(16)}`)
    if (code > 0x7f) odd.push(character)
  }
  assert.deepEqual(odd, ['\u017f', '\u212a'])
})

test('foldedName gives the same when it is applied again: each character of the first plane', () => {
  for (let code = 0; code <= 0xffff; code += 1) {
    if (code >= 0xd800 && code <= 0xdfff) continue
    const once = foldedName(`a${String.fromCharCode(code)}b`)
    assert.equal(foldedName(once), once, `U+${code.toString(16)}`)
  }
})
