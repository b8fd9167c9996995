import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, release, sameBytes, toBase64, toBase64Url, toHex, utf8 } from './bytes.ts'

test('bytes print in the usual forms, from a view into a larger buffer too', () => {
  const view = Uint8Array.of(9, 251, 255, 9).subarray(1, 3)
  assert.equal(toHex(view), 'fbff')
  assert.equal(toBase64(view), '+/8=')
  assert.equal(toBase64Url(view), '-_8')
})

test('concat joins and sameBytes compares', () => {
  assert.ok(sameBytes(concat(utf8('a'), utf8('ß')), utf8('aß')))
  assert.equal(sameBytes(utf8('a'), utf8('b')), false)
})

test('release gives back large bytes, and leaves alone what shares its memory with strangers', () => {
  const large = Buffer.alloc(2 * Buffer.poolSize)
  release(large.subarray(5))
  assert.equal(large.length, 0)
  const stranger = Buffer.from('a stranger')
  for (const small of [Buffer.from('small'), Buffer.allocUnsafe(100), new Uint8Array(Buffer.poolSize)])
    release(small)
  assert.equal(stranger.toString(), 'a stranger')
})
