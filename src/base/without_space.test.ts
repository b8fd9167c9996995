import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withoutSpace } from './without_space.ts'

const ROWS: readonly (readonly [why: string, text: string, rest: string])[] = [
  ['nothing to leave out', 'plain“text”', 'plain“text”'],
  ['white space and colons', ' a b\r\n\tc:d\u0000', 'abcd'],
  ['escaped white space', 'a\\nb\\r\\nc\\td', 'abcd'],
  ['white space escaped twice', 'a\\\\nb\\\\\\\\r', 'ab'],
  ['other escapes stay', '\\"a\\x\\', '\\"a\\x\\'],
  ['all but one of a row of backslashes', 'a\\\\"\\\\\\', 'a\\"\\'],
]

for (const [why, text, rest] of ROWS) {
  test(`withoutSpace leaves out: ${why}`, () => {
    assert.equal(withoutSpace(Buffer.from(text)).toString(), rest)
  })
}
