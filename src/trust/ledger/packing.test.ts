import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { toBase64Url, utf8 } from '#base/bytes.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import { randomBytes } from '#base/crypto.ts'
import { emptyDisk, intent, KEYS, outcome, packOf } from '../../../test/support/ledger_fixture.ts'
import { makeLeaf, parseLeaf } from './leaf.ts'
import { mayHoldId } from './id_filter.ts'
import { joinLines } from './packed_text.ts'
import {
  compress,
  decompress,
  firstPackedLeaf,
  hasRightDigest,
  hasRightFilter,
  PACKED_HEAD_BYTES,
  packedHeadBytes,
  packLeaves,
  parsePackedHead,
  unpackLeaves,
} from './packing.ts'
import { pseudonymOf } from './pseudonym.ts'
import { readPackedHead } from './segment_reader.ts'

function realLeaves(count: number): Uint8Array[] {
  const leaves: Uint8Array[] = []
  for (let at = 0; leaves.length < count; at++) {
    const before = intent(at)
    for (const draft of [before, outcome(before, at)])
      leaves.push(makeLeaf(draft, randomBytes(32), (value) => pseudonymOf(KEYS.pseudonymKey, value)).bytes)
  }
  return leaves.slice(0, count)
}

test('unpackLeaves gives back every leaf byte for byte: as the door writes them', async () => {
  const leaves = realLeaves(768)
  const packed = await packOf(512, 1_795_000_000_000, leaves)
  assert.deepEqual((await unpackLeaves(packed))?.map(text), leaves.map(text))
  const head = parsePackedHead(packed)
  assert.equal(head?.first, 512)
  assert.equal(head.count, 768)
  assert.equal(head.at, 1_795_000_000_000)
  assert.equal(head.tiles.length, 3)
  assert.equal(head.filter.length, 480, 'ten bits for each of 384 ids, of an intent and its outcome')
  for (const leaf of leaves) {
    const { id } = parseLeaf(leaf)
    assert.ok(typeof id === 'string' && mayHoldId(head.filter, id))
  }
  assert.ok(hasRightFilter(head, leaves))
  assert.ok(!hasRightFilter(head, realLeaves(768)))
})

test('unpackLeaves gives back every leaf byte for byte: whatever text imitates ids and hashes', async () => {
  const hash = (): string => toBase64Url(randomBytes(32))
  const tricky = fc.oneof(
    fc.string({ unit: 'grapheme', maxLength: 30 }),
    fc.constantFrom('\n', '","id":"0000000000000000"', 'ÿÿÿ'),
    fc.nat(3).map((at) => `"${'0123'.charAt(at).repeat(43)}"`),
    fc.nat(3).map((at) => 'abcd'.charAt(at).repeat(43)),
    fc.nat(9).map((at) => `${at}`.repeat(16)),
    fc.constant(0).map(hash),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(tricky, tricky, tricky), { minLength: 1, maxLength: 40 }),
      async (some) => {
        const leaves = Array.from({ length: 256 }, (_, at) => {
          const [id, name, value] = some[at % some.length] ?? ['', '', '']
          return utf8(canonicalJson({ id, [name]: value, list: [value, id] }))
        })
        assert.deepEqual((await unpackLeaves(await packOf(0, 0, leaves)))?.map(text), leaves.map(text))
      },
    ),
    { seed: 20_266, numRuns: 60 },
  )
})

test('unpackLeaves gives nothing, or other leaves than hashed: any changed byte, with the digest made right or not', async () => {
  const leaves = realLeaves(256)
  const packed = await packOf(0, 0, leaves)
  assert.ok(hasRightDigest(packed))
  for (let at = 0; at < packed.length; at += 7) {
    const changed = Uint8Array.from(packed)
    changed[at] = (changed[at] ?? 0) ^ 0x20
    assert.ok(!hasRightDigest(changed))
    // It must not throw; what comes out is checked against the tree.
    await unpackLeaves(changed)
  }
})

test('parsePackedHead gives nothing: too short, another file, no whole bundles', async () => {
  const packed = await packOf(0, 0, realLeaves(256))
  const bytes = packedHeadBytes(packed) ?? 0
  assert.ok(parsePackedHead(packed.subarray(0, bytes)) !== undefined)
  assert.equal(parsePackedHead(packed.subarray(0, bytes - 1)), undefined)
  assert.equal(packedHeadBytes(packed.subarray(0, 35)), undefined)
  assert.equal(packedHeadBytes(Buffer.alloc(100)), undefined)
  const odd = Buffer.from(packed)
  odd.writeUInt32BE(255, 20)
  assert.equal(packedHeadBytes(odd), undefined)
  assert.equal(await unpackLeaves(Buffer.alloc(10)), undefined)
})

test('decompress is bounded: it gives nothing for more bytes than allowed or for no zstd', async () => {
  assert.equal(await decompress(Buffer.from('not zstd'), 100), undefined)
  assert.equal(await decompress(Buffer.alloc(0), 100), undefined)
  for (const length of [100, 200, 9 * 1_024 * 1_024]) {
    const zipped = await compress(Buffer.alloc(length, 'x'), {})
    assert.equal((await decompress(zipped, length))?.length, length)
    assert.equal((await decompress(zipped, length + 1))?.length, length)
    assert.equal(await decompress(zipped, length - 1), undefined)
  }
})

test('unpackLeaves gives nothing: the head says another length or number than the text has', async () => {
  const leaves = realLeaves(256)
  const packed = await packOf(0, 1, leaves)
  assert.deepEqual(
    [Buffer.from(packed).toString('latin1', 0, 8), Buffer.from(packed).readUInt32BE(20)],
    ['GHLEAF1\n', 256],
  )
  const TEXT_LENGTH = 28
  for (const more of [-1, 1]) {
    const changed = Buffer.from(packed)
    changed.writeUInt32BE(changed.readUInt32BE(TEXT_LENGTH) + more, TEXT_LENGTH)
    assert.equal(await unpackLeaves(changed), undefined, `${more}`)
  }
  assert.equal(await unpackLeaves(Buffer.concat([packed, Buffer.of(0)])), undefined)
  const tiles = [randomBytes(32), randomBytes(32)]
  const lines = joinLines(leaves)
  for (const text of [lines, lines.subarray(0, -1)])
    assert.equal(
      await unpackLeaves(await packLeaves({ first: 0, at: 1, count: 512, text, ids: new Set(), tiles })),
      undefined,
    )
})

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1')
}

test('parsePackedHead refuses sizes that no segment has: more entries, another filter', async () => {
  const packed = await packOf(0, 1, realLeaves(256))
  const COUNT = 20
  const FILTER = 24
  const rows: readonly (readonly [why: string, at: number, size: number, isRead: boolean])[] = [
    ['the largest filter', FILTER, 320, true],
    ['no filter', FILTER, 0, false],
    ['a filter of more than ten bits for each entry', FILTER, 321, false],
    ['a filter of 4 GB', FILTER, 0xffff_ffff, false],
    ['4,000 million entries', COUNT, 0xffff_ff00, false],
    ['more entries than the largest segment', COUNT, 8_948_224, false],
    ['no entries', COUNT, 0, false],
  ]
  for (const [why, at, size, isRead] of rows) {
    const changed = Buffer.from(packed)
    changed.writeUInt32BE(size, at)
    assert.equal(packedHeadBytes(changed) !== undefined, isRead, why)
  }
})

test('readPackedHead asks the disk for no more than the head of the largest segment', async () => {
  const files = await emptyDisk()
  const asked: number[] = []
  const readRange = files.readRange.bind(files)
  files.readRange = (path, from, length) => {
    asked.push(length)
    return readRange(path, from, length)
  }
  const packed = Buffer.from(await packOf(0, 1, realLeaves(256)))
  packed.writeUInt32BE(0xffff_ff00, 20)
  packed.writeUInt32BE(0xffff_ffff, 24)
  files.tamper('/home/pack', packed)
  assert.equal(await readPackedHead(files, '/home/pack'), undefined)
  assert.deepEqual(asked, [PACKED_HEAD_BYTES])
})

test('firstPackedLeaf unpacks no more than a line: however much the file would give', async () => {
  const [leaf = assert.fail()] = realLeaves(1)
  const endless = Buffer.alloc(64 * 1_024 * 1_024, 'x')
  for (const [why, text, expected] of [
    ['a line that does not end', endless, undefined],
    ['much behind the line', Buffer.concat([leaf, utf8('\n'), endless]), Buffer.from(leaf)],
  ] as const) {
    const tiles = [randomBytes(32)]
    const packed = await packLeaves({ first: 0, at: 1, count: 256, text, ids: new Set(), tiles })
    const before = process.memoryUsage().external
    const first = await firstPackedLeaf(async (from, length) => packed.subarray(from, from + length))
    assert.deepEqual(first, expected, why)
    const grown = process.memoryUsage().external - before
    assert.ok(grown < 8 * 1_024 * 1_024, `${why}: ${grown} bytes`)
  }
})
