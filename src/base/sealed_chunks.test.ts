import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CHUNK_BYTES,
  chunksIn,
  openChunk,
  plainLength,
  sealChunk,
  sealedLength,
  SEALED_CHUNK_BYTES,
} from './sealed_chunks.ts'

const KEY = Buffer.alloc(32, 7)
const PLAIN = Buffer.from('a chunk')

test('openChunk opens what sealChunk made, at its own place alone', () => {
  const places = [0, 1, 2, 255, 256, 2 ** 40].flatMap((number) =>
    [false, true].map((isLast) => ({ number, isLast })),
  )
  for (const made of places) {
    const sealed = sealChunk(KEY, made, PLAIN)
    for (const asked of places) {
      const isSame = asked.number === made.number && asked.isLast === made.isLast
      const opened = openChunk(KEY, asked, sealed)
      assert.deepEqual(opened && Buffer.from(opened), isSame ? PLAIN : undefined)
    }
    assert.equal(openChunk(Buffer.alloc(32, 8), made, sealed), undefined, 'another key')
  }
})

test('openChunk opens nothing that was changed or cut: at every bit and length', () => {
  const place = { number: 3, isLast: true }
  const sealed = sealChunk(KEY, place, PLAIN)
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Buffer.from(sealed)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.equal(openChunk(KEY, place, changed), undefined)
  }
  for (let length = 0; length < sealed.length; length++)
    assert.equal(openChunk(KEY, place, sealed.subarray(0, length)), undefined)
})

const LENGTHS = [
  ['nothing is one empty chunk', 0, 1],
  ['one byte', 1, 1],
  ['a whole chunk', CHUNK_BYTES, 1],
  ['one byte more', CHUNK_BYTES + 1, 2],
  ['many', 10 * CHUNK_BYTES - 1, 10],
] as const

for (const [why, plain, chunks] of LENGTHS)
  test(`plainLength takes back what sealedLength gives: ${why}`, () => {
    assert.equal(chunksIn(plain), chunks)
    assert.equal(plainLength(sealedLength(plain)), plain)
  })

test('plainLength knows lengths that no text has', () => {
  for (const bytes of [0, 15, SEALED_CHUNK_BYTES + 15, SEALED_CHUNK_BYTES + 16])
    assert.equal(plainLength(bytes), undefined)
})
