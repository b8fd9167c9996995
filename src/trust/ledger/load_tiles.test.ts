import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { intent, KEYS, LEDGER, openOn } from '../../../test/support/ledger_fixture.ts'
import { countReads, planHome, type PlannedLog } from '../../../test/support/tiled_fixture.ts'
import { changesSince } from './changes.ts'
import { segmentPath } from './layout.ts'
import { encodeGroup, encodeHead, scanSegment } from './raw_segment.ts'
import { mendTiles } from './tile_mender.ts'
import { tileFile } from './tile_files.ts'
import { verifyLedger } from './verify.ts'

/** A whole tile of bundle hashes in raw segments, and one more in use. */
const PLAN = [
  { kind: 'raw', count: 40_960 },
  { kind: 'raw', count: 24_576 },
  { kind: 'raw', count: 100 },
] as const
const BUSY = { isBusy: () => true }
const TILE = { level: 1, index: 0 }

async function tiled(): Promise<PlannedLog> {
  const planned = await planHome(PLAN)
  await mendTiles(planned, async () => true)
  return planned
}

test('openLedger reads no full raw segment: the tiles of its bundles are on disk', async () => {
  const { files, folder, hashes } = await tiled()
  const counts = countReads(files)
  const ledger = await openOn(files, BUSY)
  assert.equal(ledger.size, hashes.length)
  const path = segmentPath(folder, 0, 'raw')
  // Its first entry, and its last group.
  assert.ok((counts.get(path) ?? 0) < ((await files.facts(path))?.bytes ?? 0) / 3)
  await ledger.append(intent(1))
  await ledger.close()
  const again = await openOn(files, BUSY)
  assert.equal(again.size, hashes.length + 1)
  await again.close()
})

test('openLedger reads what tiles do not prove, and writes them anew: a tile is wrong', async () => {
  const { files, folder, hashes } = await tiled()
  const right = await files.read(tileFile(folder, TILE))
  files.tamper(tileFile(folder, TILE), Buffer.from(right).fill(9, 100, 110))
  const ledger = await openOn(files, BUSY)
  assert.equal(ledger.size, hashes.length)
  await ledger.append(intent(1))
  await ledger.checkpoint()
  await ledger.close()
  assert.deepEqual(await files.read(tileFile(folder, TILE)), right)
})

test('openLedger refuses what the checkpoint does not cover: a raw segment was replaced and no tile stands for it', async () => {
  const { files, folder } = await planHome(PLAN)
  const other = await planHome([{ kind: 'raw', count: 24_576 }])
  const strange = await other.files.read(segmentPath(other.folder, 0, 'raw'))
  files.tamper(segmentPath(folder, 40_960, 'raw'), strange)
  await assert.rejects(openOn(files, BUSY), { code: 'ledger.corrupt' })
})

test('changesSince refuses a raw segment that is not what its tile says: though the ledger opens', async () => {
  const { files, folder, hashes } = await tiled()
  const path = segmentPath(folder, 40_960, 'raw')
  const other = await planHome([
    { kind: 'raw', count: 40_960 },
    { kind: 'raw', count: 24_576 },
  ])
  const raw = scanSegment(await other.files.read(segmentPath(other.folder, 40_960, 'raw'))) ?? assert.fail()
  const [group] = raw.groups
  const leaf = utf8(`{"at":2,"id":"${'0'.repeat(16)}","kind":"change","v":1}`)
  const forged = raw.groups.map((each) =>
    encodeGroup(each.first, each === group ? each.leaves.with(0, leaf) : each.leaves, each.sealed),
  )
  files.tamper(path, Buffer.concat([encodeHead(folder.origin, 40_960), ...forged]))
  const ledger = await openOn(files, BUSY)
  assert.equal(ledger.size, hashes.length)
  await ledger.close()
  const parts = { files, directory: LEDGER, sidecarKey: KEYS.sidecarKey, since: undefined }
  await assert.rejects(changesSince(parts), { code: 'ledger.corrupt' })
})

test('openLedger refuses a missing segment: though its tiles are there', async () => {
  const { files, folder } = await tiled()
  files.tamper(segmentPath(folder, 40_960, 'raw'), undefined)
  await assert.rejects(openOn(files, BUSY), { code: 'ledger.corrupt' })
})

test('append fills tiles as the log grows: one is written when the checkpoint covers it, whatever else there is to do', async () => {
  const { files, folder } = await planHome([
    { kind: 'raw', count: 65_280 },
    { kind: 'raw', count: 200 },
  ])
  const ledger = await openOn(files, BUSY)
  await Promise.all(Array.from({ length: 100 }, async (_, at) => ledger.append(intent(at))))
  assert.equal(await files.facts(tileFile(folder, TILE)), undefined)
  await ledger.checkpoint()
  await ledger.close()
  const report = await verifyLedger({ files, directory: LEDGER })
  assert.deepEqual(report.problems, [])
  assert.equal((await files.facts(tileFile(folder, TILE)))?.bytes, 8_192)
})

for (const code of ['ENOSPC', 'EIO'])
  test(`append goes on when a tile cannot be written: ${code}, and it is tried again`, async () => {
    const { files, folder } = await planHome([
      { kind: 'raw', count: 65_280 },
      { kind: 'raw', count: 300 },
    ])
    let isBroken = true
    files.judge = ({ path }) => (isBroken && path.includes('/tile') ? { code } : 'go')
    const ledger = await openOn(files, BUSY)
    await ledger.append(intent(1))
    await ledger.checkpoint()
    await ledger.close()
    assert.match(ledger.state().problems.join(' '), new RegExp(`tiles cannot be written: ${code}`))
    isBroken = false
    const again = await openOn(files, BUSY)
    await again.append(intent(2))
    await again.close()
    assert.deepEqual(again.state().problems, [])
    assert.equal((await files.facts(tileFile(folder, TILE)))?.bytes, 8_192)
  })
