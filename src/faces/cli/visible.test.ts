import assert from 'node:assert/strict'
import { test } from 'node:test'
import { painter } from './style.ts'
import { visibleJson, visibleText, visibleValue } from './visible.ts'

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
  ['gaps that are no spaces', 'a\u00a0\u2003b\u2800\u3164c', String.raw`a\u{a0}\u{2003}b\u{2800}\u{3164}c`],
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

const VALUES: readonly [why: string, text: string, shown: string][] = [
  ['words', 'all is well', 'all is well'],
  ['a line of its own', 'echo\n  policies  default', String.raw`echo\u{a}\u{20} policies\u{20} default`],
  ['a line of its own by the width of the window', `echo${' '.repeat(3)}x`, String.raw`echo\u{20}\u{20} x`],
  ['columns', 'a\tb', String.raw`a\u{9}b`],
  ['what visibleText shows', 'a\u202e', String.raw`a\u{202e}`],
]

for (const [why, text, shown] of VALUES)
  test(`visibleValue keeps a value in its line: ${why}`, () => assert.equal(visibleValue(text), shown))
