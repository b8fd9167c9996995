import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256 } from '#base/crypto.ts'
import { packOf } from '../../../test/support/ledger_fixture.ts'
import { copyLog, planLog, type PlannedLog } from '../../../test/support/tiled_fixture.ts'
import { segmentPath } from './layout.ts'
import { joinLines } from './packed_text.ts'
import { hasRightDigest, hasRightFilter, packLeaves } from './packing.ts'
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
  assert.deepEqual(await run(log), { checked: 6, tiles: 4, filters: 0, removed: [], next: undefined })
  files.tamper(tileFile(folder, { level: 0, index: 1 }), Buffer.alloc(8_192))
  files.tamper(tileFile(folder, { level: 0, index: 3 }), Buffer.alloc(3))
  files.tamper(tileFile(folder, { level: 0, index: 2 }), undefined)
  const path = segmentPath(folder, 512, 'leaves')
  const right = await files.read(path)
  const wrong = Buffer.from(right.subarray(0, -32))
  // Where the filter stands, behind the head and two hashes; the file is made right again.
  wrong[110] = (wrong[110] ?? 0) ^ 0xff
  files.tamper(path, Buffer.concat([wrong, sha256(wrong)]))
  assert.deepEqual(await run(log), { checked: 6, tiles: 3, filters: 1, removed: [], next: undefined })
  assert.deepEqual(await files.read(path), right)
  assert.deepEqual(await run(log), { checked: 6, tiles: 0, filters: 0, removed: [], next: undefined })
  const tile = await readTile(files, folder, { level: 0, index: 3 })
  assert.deepEqual(tile && Buffer.from(tile), Buffer.concat(hashes.slice(768, 1_024)))
})

test('reindex removes tiles of entries that are not there, and names them: what is no tile stays', async () => {
  const log = await planLog(PLAN)
  const { files, folder } = log
  await run(log)
  await files.makeDirectory(`${folder.path}/tile/7/x001`)
  for (const name of ['tile/0/999', 'tile/7/x001/000', 'tile/0/notes.txt', 'tile/0/998.tmp'])
    files.tamper(`${folder.path}/${name}`, Buffer.alloc(8_192))
  const name = folder.path.split('/').at(-1)
  assert.deepEqual(await run(log), {
    checked: 6,
    tiles: 0,
    filters: 0,
    removed: [`${name}/tile/0/999`, `${name}/tile/7/x001/000`],
    next: undefined,
  })
  assert.deepEqual(
    [...files.all().keys()].filter((each) => /999|998|x001|notes/.test(each)),
    [`${folder.path}/tile/0/notes.txt`, `${folder.path}/tile/0/998.tmp`],
  )
  assert.deepEqual((await run(log)).removed, [])
})

test('reindex names what is in the place of the folder of tiles: a file', async () => {
  const log = await planLog(PLAN)
  const place = `${log.folder.path}/tile`
  log.files.tamper(place, Buffer.from('x'))
  await assert.rejects(run(log), {
    code: 'ledger.corrupt',
    detail: { place, what: 'not a folder of a ledger' },
  })
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

test('reindex looks at every log, and goes on in the one where it stopped', async () => {
  const log = await planLog(PLAN)
  const other = await copyLog(log, 2, 'OtherOtherOther0')
  const { files } = log
  const call = async (from: ReindexPlace | undefined): Promise<Reindexed> =>
    await reindex({ files, directory: '/ledger' }, from, () => true)
  const second = { log: '0002-OtherOtherOther0', step: 4 }
  // Of the second log two tiles are left, of the first one nothing is looked at.
  assert.deepEqual(await call(second), { checked: 2, tiles: 2, filters: 0, removed: [], next: undefined })
  assert.equal(await files.facts(tileFile(log.folder, { level: 0, index: 0 })), undefined)
  assert.equal(await files.facts(tileFile(other.folder, { level: 0, index: 1 })), undefined)
  const first = { log: '0001-TestedTestedTest', step: 5 }
  assert.deepEqual(await call(first), { checked: 7, tiles: 3, filters: 0, removed: [], next: undefined })
  // A log that is not there any more: it begins anew.
  const gone = { log: '0003-NowhereNowhere00', step: 5 }
  assert.deepEqual(await call(gone), { checked: 12, tiles: 3, filters: 0, removed: [], next: undefined })
})

test('reindex makes no tile that no checkpoint covers: the one on disk is older than the segments', async () => {
  const log = await planLog(PLAN, 600)
  assert.deepEqual(await run(log), { checked: 6, tiles: 2, filters: 0, removed: [], next: undefined })
})

test('reindex leaves alone what another writer of the same tile is at', async () => {
  const log = await planLog(PLAN)
  const { files, folder } = log
  const unfinished = `${tileFile(folder, { level: 0, index: 1 })}.tmp`
  files.tamper(unfinished, Buffer.alloc(100, 1))
  assert.equal((await run(log)).tiles, 4)
  assert.deepEqual(await files.read(unfinished), Buffer.alloc(100, 1))
})

const NO_FILTER = 'the entries do not match the hashes of their bundles'

const UNREADABLE: readonly [
  why: string,
  tamper: (bytes: Buffer, log: PlannedLog) => Promise<Uint8Array | undefined>,
  what: string,
][] = [
  ['the leaves of a segment are missing', async () => undefined, 'cannot be read'],
  ['it is no such file', async () => Buffer.alloc(500), 'cannot be read'],
  ['it is cut', async (bytes) => bytes.subarray(0, -40), 'cannot be read'],
  [
    'its second bundle has another hash',
    async (bytes) => {
      bytes[36 + 32] = (bytes[36 + 32] ?? 0) ^ 1
      return bytes
    },
    NO_FILTER,
  ],
  [
    'its entries are others, of other ids',
    async (_, { leaves }) => {
      const strange = leaves.slice(0, 512)
      const right = await openSealed(await packOf(512, 1, leaves.slice(512, 1_024)))
      const { tiles = assert.fail() } = right?.head ?? {}
      const text = joinLines(strange)
      return await packLeaves({ first: 512, at: 1, count: 512, text, ids: new Set(['0'.repeat(16)]), tiles })
    },
    NO_FILTER,
  ],
]

for (const [why, tamper, what] of UNREADABLE)
  test(`reindex makes no filter of what is not as it was sealed, and names the file: ${why}`, async () => {
    const log = await planLog(PLAN)
    const { files, folder } = log
    const place = segmentPath(folder, 512, 'leaves')
    const wrong = await tamper(Buffer.from(await files.read(place)), log)
    files.tamper(place, wrong)
    await assert.rejects(run(log), { code: 'ledger.corrupt', detail: { place, what } })
    assert.deepEqual(files.all().get(place), wrong && Buffer.from(wrong))
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
    if (done !== undefined) {
      assert.ok(number > 20, `${number} steps`)
      return
    }
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
