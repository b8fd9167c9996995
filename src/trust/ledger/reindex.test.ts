import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '#base/crypto.ts'
import { planLog, type PlannedLog } from '../../../test/support/tiled_fixture.ts'
import { segmentPath } from './layout.ts'
import { hasRightDigest, hasRightFilter } from './packing.ts'
import { reindex, type Reindexed, type ReindexPlace } from './reindex.ts'
import { openSealed } from './segment_reader.ts'
import { readTile, tileFile } from './tile_files.ts'

const PLAN = [
  { kind: 'sealed', count: 512 },
  { kind: 'sealed', count: 512 },
  { kind: 'raw', count: 300 },
] as const

async function run({ files }: PlannedLog): Promise<Reindexed> {
  return await reindex({ files, directory: '/ledger' }, undefined, () => true)
}

test('reindex makes tiles and filters anew: those that are missing or wrong, and then no more', async () => {
  const log = await planLog(PLAN)
  const { files, folder, hashes } = log
  assert.deepEqual(await run(log), { checked: 6, tiles: 4, filters: 0, next: undefined })
  files.tamper(tileFile(folder, { level: 0, index: 1 }), Buffer.alloc(8_192))
  files.tamper(tileFile(folder, { level: 0, index: 3 }), Buffer.alloc(3))
  files.tamper(tileFile(folder, { level: 0, index: 2 }), undefined)
  const path = segmentPath(folder, 512, 'leaves')
  const right = await files.read(path)
  const wrong = Buffer.from(right.subarray(0, -32))
  // Where the filter stands, behind the head and two hashes; the file is made right again.
  wrong[110] = (wrong[110] ?? 0) ^ 0xff
  files.tamper(path, Buffer.concat([wrong, sha256(wrong)]))
  assert.deepEqual(await run(log), { checked: 6, tiles: 3, filters: 1, next: undefined })
  assert.deepEqual(await files.read(path), right)
  assert.deepEqual(await run(log), { checked: 6, tiles: 0, filters: 0, next: undefined })
  const tile = await readTile(files, folder, { level: 0, index: 3 })
  assert.deepEqual(tile && Buffer.from(tile), Buffer.concat(hashes.slice(768, 1_024)))
})

test('reindex goes on where it stopped: one step at a time', async () => {
  const { files } = await planLog(PLAN)
  let next: ReindexPlace | undefined
  let [calls, tiles] = [0, 0]
  do {
    const done = await reindex({ files, directory: '/ledger' }, next, () => false)
    assert.equal(done.checked, 1)
    calls += 1
    tiles += done.tiles
    next = done.next
  } while (next !== undefined)
  assert.deepEqual([calls, tiles], [6, 4])
})

test('reindex makes nothing of entries that are not what was signed', async () => {
  const log = await planLog(PLAN)
  const { files, folder } = log
  const other = await planLog([{ kind: 'sealed', count: 256 }, ...PLAN])
  files.tamper(
    segmentPath(folder, 512, 'leaves'),
    await other.files.read(segmentPath(other.folder, 256, 'leaves')),
  )
  await assert.rejects(run(log), { code: 'ledger.corrupt' })
  assert.equal(await readTile(files, folder, { level: 0, index: 2 }), undefined)
})

test('reindex writes whole files: the machine stops at any step, and the next call goes on', async () => {
  const planned = await planLog(PLAN)
  const path = segmentPath(planned.folder, 0, 'leaves')
  const wrong = Buffer.from(await planned.files.read(path))
  wrong[110] = (wrong[110] ?? 0) ^ 0xff
  planned.files.tamper(path, wrong)
  for (let number = 0; ; number++) {
    const files = planned.files.reopen('kept')
    files.judge = (step) => (step.number === number ? 'crash' : 'go')
    const done = await run({ ...planned, files }).catch(() => undefined)
    if (done !== undefined) return
    for (const survival of ['lost', 'torn'] as const) {
      const after = files.reopen(survival)
      await run({ ...planned, files: after })
      const again = await run({ ...planned, files: after.reopen('lost') })
      assert.deepEqual([again.tiles, again.filters], [0, 0], `step ${number}, ${survival}`)
      const bytes = await after.read(path)
      const sealed = (await openSealed(bytes)) ?? assert.fail()
      assert.ok(hasRightDigest(bytes) && hasRightFilter(sealed.head, sealed.leaves))
    }
  }
})
