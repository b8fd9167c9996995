import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gather, planBundles, planLog } from '../../../test/support/tiled_fixture.ts'
import { SURVIVALS } from '../../../test/support/simulated_files.ts'
import { readTile, tileFile } from './tile_files.ts'
import { TiledLog } from './tiled_log.ts'
import { expectedTiles, mendTiles } from './tile_mender.ts'

const PLAN = [
  { kind: 'sealed', count: 512 },
  { kind: 'raw', count: 256 },
  { kind: 'sealed', count: 512 },
  { kind: 'raw', count: 300 },
] as const
const goOn = async (): Promise<boolean> => true

function tilesOf(files: { all(): Map<string, Uint8Array> }): readonly string[] {
  return [...files.all().keys()].filter((path) => path.includes('/tile/')).sort()
}

test('mendTiles writes what is missing: the tiles of sealed entries only', async () => {
  const { files, folder, hashes } = await planLog(PLAN)
  assert.equal(await mendTiles({ files, folder }, goOn), 4)
  assert.deepEqual(
    tilesOf(files),
    [0, 1, 3, 4].map((index) => tileFile(folder, { level: 0, index })),
  )
  const tile = await readTile(files, folder, { level: 0, index: 3 })
  assert.deepEqual(tile && Buffer.from(tile), Buffer.concat(hashes.slice(768, 1_024)))
  assert.equal(await mendTiles({ files, folder }, goOn), 0)
})

test('mendTiles writes the tiles above the leaves: those of raw segments too', async () => {
  const { files, folder } = await planLog([
    { kind: 'raw', count: 65_536 },
    { kind: 'raw', count: 10 },
  ])
  assert.equal(await mendTiles({ files, folder }, goOn), 1)
  assert.deepEqual(tilesOf(files), [tileFile(folder, { level: 1, index: 0 })])
})

test('mendTiles stops when it is told to: what it has written stays', async () => {
  const { files, folder } = await planLog(PLAN)
  let asked = 0
  assert.equal(await mendTiles({ files, folder }, async () => (asked += 1) < 3), 2)
  assert.equal(tilesOf(files).length, 2)
})

test('mendTiles writes tiles together: as many as share the syncs of their folders, and all of them', async () => {
  const { files, folder } = await planLog([
    { kind: 'sealed', count: 33 * 256 },
    { kind: 'raw', count: 10 },
  ])
  assert.equal(await mendTiles({ files, folder }, goOn), 33)
  assert.equal(tilesOf(files).length, 33)
  const syncs = files.steps.filter(({ kind, path }) => kind === 'syncDirectory' && path.endsWith('/tile/0'))
  assert.equal(syncs.length, 2)
})

test('mendTiles writes nothing that no checkpoint covers: the one on disk is older than the segments', async () => {
  const { files, folder } = await planLog(PLAN, 300)
  assert.equal(await mendTiles({ files, folder }, goOn), 1)
  assert.deepEqual(tilesOf(files), [tileFile(folder, { level: 0, index: 0 })])
})

const EXPECTED: readonly [bundles: number, above: readonly string[]][] = [
  [255, []],
  [256, ['1/0']],
  [511, ['1/0']],
  [514, ['1/0', '1/1']],
]

for (const [bundles, above] of EXPECTED)
  test(`expectedTiles gives the tiles above the leaves that a checkpoint covers: of ${bundles} bundles`, async () => {
    const { files, folder } = await planBundles([256, 256, 2], bundles)
    const places = await gather(expectedTiles(files, new TiledLog(files, folder)))
    const higher = places.filter(({ level }) => level > 0)
    assert.deepEqual(
      higher.map(({ level, index }) => `${level}/${index}`),
      above,
    )
    // Those of leaves are of the segments that are followed by another one.
    assert.deepEqual(
      places.slice(higher.length).map(({ index }) => index),
      Array.from({ length: 512 }, (_, index) => index),
    )
  })

test('mendTiles writes whole tiles or none: the machine stops at any step, and the next call goes on', async () => {
  const { files: before, folder, hashes } = await planLog(PLAN)
  for (let number = 0; ; number++) {
    const files = before.reopen('kept')
    files.judge = (step) => (step.number === number ? 'crash' : 'go')
    const done = await mendTiles({ files, folder }, goOn).catch(() => undefined)
    if (done !== undefined) {
      assert.ok(number > 10, `${number} steps`)
      return
    }
    for (const survival of SURVIVALS) {
      const after = files.reopen(survival)
      for (const path of tilesOf(after).filter((each) => !each.endsWith('.tmp')))
        assert.equal((await after.read(path)).length, 8_192, `step ${number}, ${survival}: ${path}`)
      await mendTiles({ files: after, folder }, goOn)
      // What the first process had not synced may be lost even now; then it is missing again.
      const rest = after.reopen('lost')
      await mendTiles({ files: rest, folder }, goOn)
      for (const index of [0, 1, 3, 4]) {
        const tile = await readTile(rest, folder, { level: 0, index })
        const expected = Buffer.concat(hashes.slice(index * 256, index * 256 + 256))
        assert.deepEqual(tile && Buffer.from(tile), expected, `step ${number}, ${survival}: ${index}`)
      }
    }
  }
})
