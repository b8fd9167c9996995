import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseTilePath, tilePath, tileWidth, type TileAddress } from './tile_path.ts'

const PATHS: readonly [path: string, address: TileAddress][] = [
  // The example of the specification: index 1234067.
  ['tile/0/x001/x234/067', { level: 0, index: 1_234_067, width: 256 }],
  ['tile/0/000', { level: 0, index: 0, width: 256 }],
  ['tile/63/999', { level: 63, index: 999, width: 256 }],
  ['tile/1/x001/000', { level: 1, index: 1_000, width: 256 }],
  ['tile/0/000.p/1', { level: 0, index: 0, width: 1 }],
  ['tile/2/x010/007.p/255', { level: 2, index: 10_007, width: 255 }],
  ['tile/entries/x001/x234/067.p/8', { level: 'entries', index: 1_234_067, width: 8 }],
]

for (const [path, address] of PATHS)
  test(`tilePath and parseTilePath agree: ${path}`, () => {
    assert.equal(tilePath(address), path)
    assert.deepEqual(parseTilePath(path), address)
  })

const HOSTILE: readonly [why: string, path: string][] = [
  ['empty', ''],
  ['a parent', 'tile/0/../../origin'],
  ['a parent as an element', 'tile/0/x../000'],
  ['an encoded slash', 'tile/0/x001%2f000'],
  ['a backslash', String.raw`tile\0\000`],
  ['a slash before it', '/tile/0/000'],
  ['a line break behind it', 'tile/0/000\n'],
  ['a null byte', 'tile/0/000\0'],
  ['level 64', 'tile/64/000'],
  ['a level with a leading zero', 'tile/00/000'],
  ['a negative level', 'tile/-1/000'],
  ['a level in words', 'tile/data/000'],
  ['two digits', 'tile/0/00'],
  ['four digits', 'tile/0/0000'],
  ['no x before an element that is not the last', 'tile/0/001/234'],
  ['an x before the last element', 'tile/0/x001'],
  ['leading zero elements', 'tile/0/x000/001'],
  ['digits of another script', 'tile/0/００１'],
  ['width 0', 'tile/0/000.p/0'],
  ['width 256 by its number', 'tile/0/000.p/256'],
  ['a width with a leading zero', 'tile/0/000.p/01'],
  ['a width without a number', 'tile/0/000.p/'],
  ['a number beyond 2^53', 'tile/0/x999/x999/x999/x999/x999/999'],
  ['more elements than any number has', `tile/0/${'x001/'.repeat(50)}001`],
]

for (const [why, path] of HOSTILE)
  test(`parseTilePath refuses: ${why}`, () => {
    assert.equal(parseTilePath(path), undefined)
  })

test('parseTilePath reads back every path: random addresses', () => {
  const level = fc.oneof(fc.constant('entries' as const), fc.integer({ min: 0, max: 63 }))
  const index = fc.integer({ min: 0, max: 2 ** 45 - 1 })
  const width = fc.integer({ min: 1, max: 256 })
  const addresses = fc.record({ level, index, width }, { noNullPrototype: true })
  fc.assert(
    fc.property(addresses, (address) => assert.deepEqual(parseTilePath(tilePath(address)), address)),
    { seed: 6_962, numRuns: 1_000 },
  )
})

test('tileWidth counts what the specification counts: a tree of 70,000 entries, and one of 256', () => {
  assert.deepEqual(
    [
      tileWidth({ level: 0, index: 272 }, 70_000),
      tileWidth({ level: 0, index: 273 }, 70_000),
      tileWidth({ level: 0, index: 274 }, 70_000),
      tileWidth({ level: 1, index: 0 }, 70_000),
      tileWidth({ level: 1, index: 1 }, 70_000),
      tileWidth({ level: 2, index: 0 }, 70_000),
      tileWidth({ level: 3, index: 0 }, 70_000),
      tileWidth({ level: 'entries', index: 273 }, 70_000),
    ],
    [256, 112, 0, 256, 17, 1, 0, 112],
  )
  assert.deepEqual([tileWidth({ level: 0, index: 0 }, 256), tileWidth({ level: 1, index: 0 }, 256)], [256, 1])
  assert.equal(tileWidth({ level: 63, index: 0 }, Number.MAX_SAFE_INTEGER), 0)
})
