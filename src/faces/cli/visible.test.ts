import assert from 'node:assert/strict'
import { test } from 'node:test'
import { painter } from './style.ts'
import { visibleJson, visibleText } from './visible.ts'

const ROWS: readonly [why: string, text: string, shown: string][] = [
  ['letters of any script', 'Zoë 東京 שלום 😀', 'Zoë 東京 שלום 😀'],
  ['lines and columns', 'a\n\tb', 'a\n\tb'],
  ['our own colours', painter({ isTty: true, env: {} })('red', 'x'), '\u001b[31mx\u001b[0m'],
  ['a command to the terminal', '\u001b[2J\u001b]0;x\u0007', String.raw`\u{1b}[2J\u{1b}]0;x\u{7}`],
  ['text that is made invisible', '\u001b[8mx', String.raw`\u{1b}[8mx`],
  ['the same commands in one character', '\u009b2J', String.raw`\u{9b}2J`],
  ['a line that is written over', 'denied\rallowed', String.raw`denied\u{d}allowed`],
  ['marks that turn the order around', '\u202etxt.exe\u202c', String.raw`\u{202e}txt.exe\u{202c}`],
  ['what is not drawn', 'a\u200bb\u{e0041}c', String.raw`a\u{200b}b\u{e0041}c`],
  ['line ends that are none to programs', 'a\u0085b\u2028c\u2029d', String.raw`a\u{85}b\u{2028}c\u{2029}d`],
  ['half a character', 'a\ud800b', String.raw`a\u{d800}b`],
]

for (const [why, text, shown] of ROWS) {
  test(`visibleText hides nothing, and changes nothing else: ${why}`, () => {
    assert.equal(visibleText(text), shown)
  })

  test(`visibleJson hides nothing, and says the same: ${why}`, () => {
    const json = visibleJson({ [text]: text })
    assert.deepEqual(JSON.parse(json), { [text]: text })
    assert.doesNotMatch(json, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u)
  })
}
