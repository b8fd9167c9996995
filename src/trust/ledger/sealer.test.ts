import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMITS } from '#base/limits.ts'
import {
  emptyDisk,
  HandClock,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
} from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { segmentPath } from './layout.ts'
import type { SegmentMark } from './load.ts'
import { Sealer } from './sealer.ts'
import { SidecarBox } from './sidecar.ts'
import { Space } from './space.ts'
import { TileRows } from './tile_rows.ts'
import { TiledLog } from './tiled_log.ts'

interface Scene {
  readonly files: SimulatedFiles
  readonly sealer: Sealer
  readonly sealed: SegmentMark[]
  readonly mark: SegmentMark
  readonly space: Space
  readonly rawBytes: number
}

/** A log with one full segment of 256 entries, and a process that is busy for ever. */
async function scene(waitingBytes: number, covered = 256): Promise<Scene> {
  const files = await emptyDisk()
  const ledger = await openOn(files, { segmentBytes: 10_000, isBusy: () => true })
  await Promise.all(Array.from({ length: 256 }, async (_, at) => ledger.append(intent(at))))
  await ledger.close()
  const folder = await newestFolder(files)
  const sealed: SegmentMark[] = []
  const space = new Space({
    files,
    directory: LEDGER,
    clock: new HandClock(),
    maxBytes: undefined,
    reserveBytes: 0,
    usedBytes: 0,
  })
  const rawBytes = (await files.facts(segmentPath(folder, 0, 'raw')))?.bytes ?? 0
  const sealer = new Sealer({
    files,
    folder,
    box: new SidecarBox(KEYS.sidecarKey, folder.origin),
    space,
    rows: new TileRows(),
    isBusy: () => true,
    onSealed: (mark) => sealed.push(mark),
  })
  const mark = { kind: 'raw', first: 0, count: 256, at: 1, bytes: waitingBytes } as const
  sealer.add(mark)
  sealer.sealUpTo(covered)
  return { files, sealer, sealed, mark, space, rawBytes }
}

test('Sealer waits for a quiet moment: few bytes wait', async () => {
  const { files, sealer, sealed } = await scene(LIMITS.unsealedBytes)
  await sealer.close()
  assert.deepEqual(sealed, [])
  const folder = await newestFolder(files)
  assert.ok((await files.facts(segmentPath(folder, 0, 'raw'))) !== undefined)
})

test('Sealer waits no longer: more bytes wait than may', async () => {
  const { files, sealer, sealed, mark, space, rawBytes } = await scene(LIMITS.unsealedBytes + 1)
  for (let turn = 0; turn < 10_000 && sealed.length === 0; turn++) await new Promise(setImmediate)
  await sealer.close()
  const folder = await newestFolder(files)
  const bytesOf = async (name: string): Promise<number> => (await files.read(`${folder.path}/${name}`)).length
  const [leaves, sidecar] = [await bytesOf('000000000000.leaves'), await bytesOf('000000000000.sidecar')]
  assert.deepEqual(sealed, [{ ...mark, kind: 'sealed', bytes: leaves + sidecar + 8_192 }])
  assert.equal(space.usedBytes, leaves + sidecar + 8_192 - rawBytes, 'beside what was there before')
  assert.equal(sealer.problem, undefined)
  const log = new TiledLog(files, folder)
  const tile = await log.tile({ level: 0, index: 0, width: 256 })
  assert.deepEqual(await files.read(`${folder.path}/tile/0/000`), tile)
})

test('Sealer seals nothing that no checkpoint covers whole', async () => {
  const { files, sealer, sealed } = await scene(LIMITS.unsealedBytes + 1, 255)
  const raw = segmentPath(await newestFolder(files), 0, 'raw')
  await sealer.settled()
  assert.deepEqual([sealed.length, files.all().has(raw), sealer.problem], [0, true, undefined])
  sealer.sealUpTo(256)
  await sealer.settled()
  assert.deepEqual([sealed.length, files.all().has(raw), sealer.problem], [1, false, undefined])
  await sealer.close()
})

test('Sealer writes what is missing of tiles: in a home from before there were any', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { segmentBytes: 10_000 })
  await Promise.all(Array.from({ length: 600 }, async (_, at) => ledger.append(intent(at))))
  await ledger.checkpoint()
  await ledger.settled()
  await ledger.close()
  const folder = await newestFolder(files)
  const tiles = [...files.all()].filter(([path]) => path.includes('/tile/'))
  assert.ok(tiles.length >= 1)
  for (const [path] of tiles) files.tamper(path, undefined)
  const again = await openOn(files, { segmentBytes: 10_000 })
  await again.append(intent(601))
  await again.checkpoint()
  await again.settled()
  assert.deepEqual(again.state().problems, [])
  await again.close()
  for (const [path, bytes] of tiles) assert.deepEqual(await files.read(path), bytes)
  assert.equal((await new TiledLog(files, folder).signed()).head.size, 601)
})
