import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countReads, planLog, type PlannedLog } from '../../../test/support/tiled_fixture.ts'
import { rootOf } from './merkle.ts'
import { BundleTiles } from './tile_bundles.ts'
import { tileFile, writeTiles } from './tile_files.ts'

/** Hashes of 512 bundles that stand in two tiles; the third is missing. */
async function tiled(): Promise<{ readonly log: PlannedLog; readonly roots: readonly Uint8Array[] }> {
  const log = await planLog([{ kind: 'raw', count: 768 }])
  const own = [0, 256, 512].map((first) => rootOf(log.hashes.slice(first, first + 256)))
  const roots = Array.from({ length: 512 }, (_, at) => own[at - 254] ?? Buffer.alloc(32, at))
  for (const index of [0, 1]) {
    const hashes = Buffer.concat(roots.slice(256 * index, 256 * index + 256))
    await writeTiles(log.files, log.folder, [{ level: 1, index, hashes }])
  }
  return { log, roots }
}

const RANGES: readonly [why: string, first: number, end: number, bundles: number | undefined][] = [
  ['the first bundle', 0, 256, 1],
  ['a whole tile', 0, 65_536, 256],
  ['bundles of two tiles', 65_024, 66_048, 4],
  ['up to the end of the last tile', 130_816, 131_072, 1],
  ['no bundle', 256, 256, 0],
  ['one that is in no tile', 130_816, 131_328, undefined],
  ['none that is in a tile', 131_072, 131_328, undefined],
  ['a segment that starts inside a bundle', 100, 512, undefined],
  ['a segment that ends inside a bundle', 256, 300, undefined],
]

for (const [why, first, end, bundles] of RANGES)
  test(`rootsOf gives the hash of each bundle, where tiles have them all: ${why}`, async () => {
    const { log, roots } = await tiled()
    const found = await new BundleTiles(log.files, log.folder).rootsOf(first, end)
    const wanted = bundles === undefined ? undefined : roots.slice(first / 256, first / 256 + bundles)
    assert.deepEqual(
      found?.map((hash) => Buffer.from(hash)),
      wanted?.map((hash) => Buffer.from(hash)),
    )
  })

test('rootsOf reads a tile once: for segments in order', async () => {
  const { log } = await tiled()
  const counts = countReads(log.files)
  const tiles = new BundleTiles(log.files, log.folder)
  for (const first of [0, 512, 65_024, 65_536, 66_048]) await tiles.rootsOf(first, first + 512)
  assert.deepEqual(
    [...counts],
    [0, 1].map((index) => [tileFile(log.folder, { level: 1, index }), 8_192]),
  )
})

/** Entries of the log stand for the bundles 254, 255 and 256: the first two in one tile, the last in the next. */
const FIRST = 254 * 256
const LEAVES: readonly [
  why: string,
  first: number,
  take: (log: PlannedLog) => PlannedLog['leaves'],
  agrees: boolean,
][] = [
  ['they are the ones', FIRST, ({ leaves }) => leaves, true],
  ['whole bundles and some more', FIRST, ({ leaves }) => leaves.slice(0, 700), true],
  ['less than a bundle', FIRST, ({ leaves }) => leaves.slice(1, 200), true],
  ['the first is another one', FIRST, ({ leaves }) => leaves.with(0, leaves[1] ?? assert.fail()), false],
  ['the last is another one', FIRST, ({ leaves }) => leaves.with(767, leaves[1] ?? assert.fail()), false],
  ['they stand at another place', FIRST + 256, ({ leaves }) => leaves, false],
  ['no tile is there to say so', 131_072, ({ leaves }) => leaves, true],
]

for (const [why, first, take, agrees] of LEAVES)
  test(`agreesWith tells whether a tile has another hash for a bundle of these entries: ${why}`, async () => {
    const { log } = await tiled()
    assert.equal(await new BundleTiles(log.files, log.folder).agreesWith(first, take(log)), agrees)
  })
