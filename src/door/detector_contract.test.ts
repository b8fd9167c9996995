import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { test } from 'node:test'
import { fillerOf } from '../../test/support/planted_secrets.ts'
import { isQuick } from '../../test/support/is_quick.ts'
import { DETECTORS } from './detectors/all.ts'

/** What holds for every detector, whatever it looks for. */

const SEED = 7
const MIB_CHARACTERS = 1_000_000
const JUNK_MS = 50

const fill = fillerOf(SEED)
const JUNK: readonly (readonly [why: string, text: string])[] = [
  ['letters and digits', fill(`{base62:${MIB_CHARACTERS}}`)],
  ['base 64', fill(`{base64:${MIB_CHARACTERS}}`)],
  ['one letter', 'a'.repeat(MIB_CHARACTERS)],
  ['backslashes', '\\'.repeat(MIB_CHARACTERS)],
  ['dashes', '-'.repeat(MIB_CHARACTERS)],
  ['two-byte letters', '語 '.repeat(MIB_CHARACTERS / 2)],
]

test('DETECTORS lists each file in its folder once, by name, under the id of the file', () => {
  const files = readdirSync(new URL('detectors', import.meta.url))
    .filter((file) => !file.endsWith('.test.ts') && file !== 'all.ts')
    .map((file) => file.replace(/\.ts$/, ''))
  assert.deepEqual(
    DETECTORS.map(({ id }) => id),
    files.sort(),
  )
})

for (const detector of DETECTORS) {
  test(`${detector.id} says why it exists`, () => {
    assert.match(detector.why, /^[A-Z].+\.$/)
  })

  test(`${detector.id} finds nothing in nothing`, () => {
    for (const text of ['', ' ', '\n', '\ud83d', 'x'.repeat(15)]) assert.deepEqual(detector.find(text), [])
  })

  for (const [why, text] of JUNK) {
    test(`${detector.id} is quick, sure and orderly over 1 MB of ${why}`, () => {
      const found = detector.find(text)
      assert.ok(isQuick(JUNK_MS, () => detector.find(text)))
      assert.deepEqual(detector.find(text), found)
      let last = 0
      for (const { rule, start, end } of found) {
        assert.match(rule, /^[a-z]+\.[a-z_]+$/)
        assert.ok(start >= last && start < end && end <= text.length)
        last = end
      }
    })
  }
}
