import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex, utf8 } from '#base/bytes.ts'
import { sha256 } from '#base/crypto.ts'
import { LIMITS } from '#base/limits.ts'
import { CompactRange, leafHash, nodeHash, rootOf } from './merkle.ts'

test('leafHash and nodeHash prefix what they hash: RFC 9162 section 2.1.1', () => {
  // SHA-256 of the single byte 0x00, a well-known value of Certificate Transparency.
  const empty = '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d'
  assert.equal(toHex(leafHash(new Uint8Array(0))), empty)
  assert.notDeepEqual(nodeHash(leafHash(utf8('a')), leafHash(utf8('b'))), leafHash(utf8('ab')))
})

test('CompactRange has the root of RFC 9162: by its recursive definition, at every size', () => {
  const hashes = Array.from({ length: 130 }, (_, at) => leafHash(utf8(`leaf ${at}`)))
  const range = new CompactRange()
  for (const [at, hash] of hashes.entries()) {
    assert.deepEqual(range.root(), at === 0 ? rootOf([]) : recursiveRoot(hashes.slice(0, at)))
    range.append(hash)
    assert.equal(range.size, at + 1)
  }
  assert.equal(toHex(rootOf([])), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
})

test('CompactRange appends whole subtrees: the root is that of the leaves', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 70 }), (level, more) => {
      const hashes = Array.from({ length: 2 ** level * 2 + more }, (_, at) => leafHash(utf8(`${at}`)))
      const range = new CompactRange()
      range.appendSubtree(level, rootOf(hashes.slice(0, 2 ** level)))
      range.appendSubtree(level, rootOf(hashes.slice(2 ** level, 2 ** level * 2)))
      for (const hash of hashes.slice(2 ** level * 2)) range.append(hash)
      assert.deepEqual(range.root(), rootOf(hashes))
    }),
    { seed: 20_261 },
  )
})

test('CompactRange tells the hashes of level 1 and above: from leaves, and where whole bundles are appended', () => {
  const hashes = Array.from({ length: 600 }, (_, at) => leafHash(utf8(`leaf ${at}`)))
  const bundles = [hashes.slice(0, 256), hashes.slice(256, 512)].map(rootOf)
  const told: [level: number, hash: string][] = []
  const range = new CompactRange((level, hash) => told.push([level, toHex(hash)]))
  for (const hash of hashes) range.append(hash)
  const expected = bundles.map((hash) => [1, toHex(hash)])
  assert.deepEqual(told, expected)
  told.length = 0
  const ofBundles = new CompactRange((level, hash) => told.push([level, toHex(hash)]))
  for (let at = 0; at < 128; at++) for (const hash of bundles) ofBundles.appendSubtree(8, hash)
  assert.equal(told.length, 257)
  assert.deepEqual(told.slice(0, 2), expected)
  assert.deepEqual(told.at(-1), [2, toHex(ofBundles.root())])
})

test('leafHash takes what is longer than any entry: for whoever hashes leaves of others', () => {
  for (const length of [LIMITS.leafBytes, LIMITS.leafBytes + 1, 200_000]) {
    const bytes = Buffer.alloc(1 + length, 7)
    bytes[0] = 0
    assert.deepEqual(leafHash(bytes.subarray(1)), sha256(bytes), String(length))
  }
})

test('CompactRange refuses a subtree at a wrong place: it would not be a node of the tree', () => {
  const range = new CompactRange()
  range.append(leafHash(utf8('a')))
  assert.throws(() => range.appendSubtree(1, leafHash(utf8('b'))), RangeError)
})

function recursiveRoot(hashes: readonly Uint8Array[]): Uint8Array {
  const [only] = hashes
  if (hashes.length === 1 && only !== undefined) return only
  let middle = 1
  while (middle * 2 < hashes.length) middle *= 2
  return nodeHash(recursiveRoot(hashes.slice(0, middle)), recursiveRoot(hashes.slice(middle)))
}
