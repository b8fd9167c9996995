import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BidiDepth } from './bidi_depth.ts'

const CASES: readonly (readonly [why: string, text: string, isEven: boolean])[] = [
  ['nothing', 'abc', true],
  ['an embedding', '\u202aabc', false],
  ['an embedding that is closed', '\u202babc\u202c', true],
  ['an isolate', '\u2067abc', false],
  ['an isolate that is closed', '\u2068abc\u2069', true],
  ['an isolate that ends what is open inside', '\u2066a\u202bb\u2069', true],
  ['an isolate that an embedding cannot end', '\u2066a\u202c', false],
  ['an embedding around an isolate', '\u202aa\u2066b\u2069', false],
  ['closings without an opening', 'a\u202cb\u2069', true],
  ['an override, which nothing closes', 'a\u202eb', true],
  ['the end of a line', '\u202a\u2066abc\n', true],
  ['the end of a paragraph', '\u2066abc\u2029', true],
]

for (const [why, text, isEven] of CASES) {
  test(`BidiDepth is ${isEven ? 'even' : 'open'} behind: ${why}`, () => {
    const depth = new BidiDepth()
    for (const unit of text) depth.see(unit.charCodeAt(0))
    assert.equal(depth.isEven, isEven)
  })
}

test('BidiDepth keeps no more than can be open', () => {
  const depth = new BidiDepth()
  for (let at = 0; at < 1_000; at++) depth.see(0x2066)
  for (let at = 0; at < 125; at++) depth.see(0x2069)
  assert.ok(depth.isEven)
})
