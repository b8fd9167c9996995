import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fnv1a } from './fnv1a.ts'

test('fnv1a answers the published vectors, of a whole text and of a part', () => {
  const vectors: readonly (readonly [text: string, hash: number])[] = [
    ['', 0x811c9dc5],
    ['a', 0xe40c292c],
    ['foobar', 0xbf9cf968],
  ]
  for (const [text, hash] of vectors) {
    assert.equal(fnv1a(text), hash)
    assert.equal(fnv1a(`<${text}>`, 1, 1 + text.length), hash)
  }
})
