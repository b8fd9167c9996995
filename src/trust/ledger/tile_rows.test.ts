import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '#base/crypto.ts'
import type { FullTile } from './tile_files.ts'
import { TileRows } from './tile_rows.ts'

function hash(level: number, at: number): Uint8Array {
  return sha256(Buffer.from(`${level} ${at}`))
}

/** Adds the hashes of a level from the place `from` on. */
function fill(rows: TileRows, level: number, from: number, count: number): void {
  for (let at = from; at < from + count; at++) rows.add(level, hash(level, at))
}

function places(tiles: readonly FullTile[]): readonly string[] {
  return tiles.map(({ level, index }) => `${level}/${index}`)
}

test('TileRows gives the full tiles of each level, with its own copy of the hashes', () => {
  const rows = new TileRows()
  const given = Buffer.alloc(32)
  for (let at = 0; at < 511; at++) {
    given.set(hash(0, at))
    rows.add(0, given)
  }
  fill(rows, 1, 0, 256)
  const [first, second, ...more] = rows.waiting(Infinity)
  assert.deepEqual([first?.level, first?.index, second?.level, second?.index], [0, 0, 1, 0])
  assert.deepEqual(more, [])
  const wanted = Array.from({ length: 256 }, (_, at) => hash(0, at))
  assert.deepEqual(Buffer.from(first?.hashes ?? []), Buffer.concat(wanted))
})

const SIZES: readonly [size: number, waiting: readonly string[]][] = [
  [255, []],
  [256, ['0/0']],
  [511, ['0/0']],
  [512, ['0/0', '0/1']],
  [65_535, ['0/0', '0/1']],
  [65_536, ['0/0', '0/1', '1/0']],
  [131_071, ['0/0', '0/1', '1/0']],
  [131_072, ['0/0', '0/1', '1/0', '1/1']],
]

for (const [size, waiting] of SIZES)
  test(`waiting gives the tiles that the first entries fill, and no others: ${size} entries`, () => {
    const rows = new TileRows()
    fill(rows, 0, 0, 512)
    fill(rows, 1, 0, 512)
    assert.deepEqual(places(rows.waiting(size)), waiting)
  })

test('drop forgets the tiles that are on disk: others wait on', () => {
  const rows = new TileRows()
  fill(rows, 1, 0, 3 * 256)
  rows.drop(rows.waiting(131_072))
  assert.deepEqual(places(rows.waiting(Infinity)), ['1/2'])
})

test('TileRows keeps as many tiles as it may: those that come last are given up, until there is room', () => {
  const rows = new TileRows(2)
  fill(rows, 1, 0, 3 * 256)
  assert.deepEqual(places(rows.waiting(Infinity)), ['1/0', '1/1'])
  rows.drop(rows.waiting(65_536))
  fill(rows, 1, 3 * 256, 256)
  assert.deepEqual(places(rows.waiting(Infinity)), ['1/1', '1/3'])
})

test('skip leaves a tile out: those behind it keep their numbers', () => {
  const rows = new TileRows()
  rows.skip(0)
  fill(rows, 0, 256, 256)
  rows.skip(0)
  fill(rows, 0, 768, 256)
  const tiles = rows.waiting(Infinity)
  assert.deepEqual(places(tiles), ['0/1', '0/3'])
  assert.deepEqual(Buffer.from(tiles[0]?.hashes.subarray(0, 32) ?? []), Buffer.from(hash(0, 256)))
})
