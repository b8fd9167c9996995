import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  planBundles,
  planLog,
  recordReads,
  type PlannedBundles,
  type PlannedLog,
} from '../../../test/support/tiled_fixture.ts'
import type { Head } from './checkpoint.ts'
import { CompactRange, rootOf } from './merkle.ts'
import { TileEdge } from './tile_edge.ts'
import { TileEntries } from './tile_entries.ts'
import { tileFile, writeTiles } from './tile_files.ts'

function edgeOf({ files, folder }: Pick<PlannedLog, 'files' | 'folder'>): TileEdge {
  return TileEdge.empty({ files, folder, entries: new TileEntries(files, folder) })
}

function headOf({ folder, roots }: PlannedBundles, bundles: number): Head {
  const range = new CompactRange()
  for (const root of roots.slice(0, bundles)) range.appendSubtree(8, root)
  return { origin: folder.origin, size: range.size, root: range.root() }
}

/** The root of the tile of a level, of the hashes of bundles. */
function above(roots: readonly Uint8Array[], index: number): Uint8Array {
  return rootOf(roots.slice(index * 256, index * 256 + 256))
}

function bytesOf(hashes: readonly Uint8Array[]): Buffer {
  return Buffer.concat(hashes)
}

const SIZES = [1, 2, 255, 256, 257, 511, 512, 600]

for (const size of SIZES)
  test(`grownTo has the partial tiles of the tree: of ${size} entries`, async () => {
    const log = await planLog([{ kind: 'raw', count: 600 }])
    const { folder, hashes } = log
    const own = hashes.slice(0, size)
    const edge = await edgeOf(log).grownTo({ origin: folder.origin, size, root: rootOf(own) })
    const bundles = Math.floor(size / 256)
    assert.equal(edge.size, size)
    assert.deepEqual(edge.row(0, bundles), bytesOf(own.slice(bundles * 256)))
    assert.equal(edge.row(0, bundles - 1), undefined)
    const roots = Array.from({ length: bundles }, (_, at) => above(own, at))
    assert.deepEqual(edge.row(1, 0), bundles === 0 ? undefined : bytesOf(roots))
  })

for (const bundles of [1, 255, 256, 257, 512, 514])
  test(`grownTo reads no entry where the last bundle is whole: of ${bundles} bundles`, async () => {
    const log = await planBundles([200, 56, 256, 2])
    const { roots } = log
    const edge = await edgeOf(log).grownTo(headOf(log, bundles))
    const tiles = Math.floor(bundles / 256)
    assert.deepEqual(edge.row(0, bundles), bytesOf([]))
    assert.deepEqual(edge.row(1, tiles), bytesOf(roots.slice(tiles * 256, bundles)))
    const tops = Array.from({ length: tiles }, (_, at) => above(roots, at))
    assert.deepEqual(edge.row(2, 0), tiles === 0 ? undefined : bytesOf(tops))
  })

test('grownTo reads only what is new: proven hashes are not asked for again', async () => {
  const log = await planBundles([200, 56, 2, 1])
  const { files, folder } = log
  const edge = await (await edgeOf(log).grownTo(headOf(log, 256))).grownTo(headOf(log, 258))
  const asked = recordReads(files)
  const grown = await edge.grownTo(headOf(log, 259))
  assert.deepEqual(
    new Set(asked.filter((each) => each.includes('/0'))),
    new Set([
      `list ${folder.path}`,
      `range ${folder.path}/${String(258 * 256).padStart(12, '0')}.raw`,
      `range ${folder.path}/${String(258 * 256).padStart(12, '0')}.leaves`,
    ]),
  )
  assert.deepEqual(grown.row(1, 1), bytesOf(log.roots.slice(256, 259)))
})

test('grownTo reads the tiles on disk, where there are any, and not what they were made of', async () => {
  const log = await planBundles([256, 256, 2])
  const { files, folder, roots } = log
  for (const index of [0, 1])
    await writeTiles(files, folder, [
      { level: 1, index, hashes: bytesOf(roots.slice(index * 256, index * 256 + 256)) },
    ])
  const asked = recordReads(files)
  const edge = await edgeOf(log).grownTo(headOf(log, 514))
  assert.deepEqual(
    asked.filter((each) => each.startsWith('read ')),
    [0, 1].map((index) => `read ${tileFile(folder, { level: 1, index })}`),
  )
  for (const first of [0, 65_536])
    assert.ok(!asked.some((each) => each.endsWith(`/${String(first).padStart(12, '0')}.leaves`)), `${first}`)
  assert.deepEqual(edge.row(2, 0), bytesOf([above(roots, 0), above(roots, 1)]))
})

for (const index of [0, 1])
  test(`grownTo makes hashes anew from the entries where a tile on disk is wrong: tile ${index}`, async () => {
    const log = await planBundles([256, 256, 2])
    const { files, folder, roots } = log
    await writeTiles(files, folder, [{ level: 1, index, hashes: Buffer.alloc(8_192, 9) }])
    const edge = await edgeOf(log).grownTo(headOf(log, 514))
    assert.deepEqual(edge.row(2, 0), bytesOf([above(roots, 0), above(roots, 1)]))
  })

test('tileFromEntries makes a tile of the hashes of bundles, or of entries: at its place', async () => {
  const bundles = await planBundles([256, 256, 2])
  const edge = await edgeOf(bundles).grownTo(headOf(bundles, 514))
  for (const index of [0, 1])
    assert.deepEqual(
      await edge.tileFromEntries(1, index),
      bytesOf(bundles.roots.slice(index * 256, index * 256 + 256)),
    )
  const log = await planLog([{ kind: 'raw', count: 600 }])
  const { folder, hashes } = log
  const low = await edgeOf(log).grownTo({ origin: folder.origin, size: 600, root: rootOf(hashes) })
  assert.deepEqual(Buffer.from(await low.tileFromEntries(0, 1)), bytesOf(hashes.slice(256, 512)))
})

test('grownTo refuses entries that do not come to the root: and what was proven stays', async () => {
  const log = await planBundles([256, 2])
  const { folder, roots } = log
  const edge = await edgeOf(log).grownTo(headOf(log, 257))
  const other = { ...headOf(log, 258), root: roots[0] ?? assert.fail() }
  for (const before of [edgeOf(log), edge])
    await assert.rejects(before.grownTo(other), {
      code: 'ledger.corrupt',
      detail: {
        place: `${folder.path} entries 0 to ${258 * 256 - 1}`,
        what: 'not the entries that the checkpoint covers',
      },
    })
  assert.equal(edge.size, 257 * 256)
  assert.equal((await edge.grownTo(headOf(log, 258))).size, 258 * 256)
})
