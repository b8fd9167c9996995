import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  backUpOnce,
  furnishedDisk,
  HOME,
  openLog,
  record,
  SECRET,
  SMALL,
  TARGET,
} from '../../../test/support/backup_fixture.ts'
import { HandClock, newestFolder } from '../../../test/support/ledger_fixture.ts'
import { SURVIVALS, type SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { segmentPath } from '#trust/ledger/layout.ts'
import { backupFiles } from './backup_files.ts'
import { BackupFolder } from './backup_folder.ts'
import { checkBackup, type CheckedBackup } from './check_backup.ts'
import type { Manifest } from './manifest.ts'

const NOW = new HandClock().now()

async function check(files: SimulatedFiles): Promise<CheckedBackup> {
  const folder = await BackupFolder.open(files, TARGET, SECRET)
  const manifest = await folder.manifest()
  return await checkBackup(folder, manifest, { now: NOW, onFile: () => undefined })
}

/** Checks a backup, and that it holds so many entries at least. */
async function checkWhole(files: SimulatedFiles, least: number): Promise<Manifest> {
  const { manifest, ledger } = await check(files)
  assert.deepEqual(ledger?.problems, [])
  assert.ok((ledger?.entries ?? 0) >= least, `${ledger?.entries} of ${least} entries`)
  assert.ok((manifest.head?.size ?? 0) >= least, 'the checkpoint covers them')
  return manifest
}

test('backUp keeps what a home is made of, and nothing of the process that runs', async () => {
  const files = await furnishedDisk()
  const ledger = await openLog(files)
  await record(ledger, 0, 200)
  await ledger.checkpoint()
  await ledger.settled()
  await backUpOnce(files)
  const manifest = await checkWhole(files, 400)
  const paths = manifest.files.map(({ path }) => path)
  const { origin } = ledger
  assert.equal(manifest.head?.origin, origin)
  for (const [path] of SMALL) assert.ok(paths.includes(path), path)
  for (const name of ['ledger.pem', 'sidecar.key']) assert.ok(paths.includes(`keys/${name}`))
  assert.ok(paths.some((path) => path.endsWith('.leaves')) && paths.some((path) => path.endsWith('.raw')))
  const left = [
    'running.json',
    'lock.db',
    'counters',
    'admin.sock',
    'head.tmp',
    'ledger/reserve',
    'anchors/files',
  ]
  assert.deepEqual(
    paths.filter((path) => left.includes(path)),
    [],
  )
  const folder = await BackupFolder.open(files, TARGET, SECRET)
  const inside = backupFiles(folder.store, manifest.files)
  for (const [path, text] of SMALL) assert.equal(Buffer.from(await inside.read(path)).toString(), text)
  const checkpoint = manifest.files.find(({ path }) => path.endsWith('/checkpoint'))
  assert.deepEqual(await inside.read('head'), await inside.read(checkpoint?.path ?? ''))
  await ledger.close()
})

test('backUp leaves nothing readable in its folder', async () => {
  const files = await furnishedDisk()
  const ledger = await openLog(files)
  await record(ledger, 0, 5)
  await ledger.close()
  await backUpOnce(files)
  for (const [path, bytes] of files.all()) {
    if (!path.startsWith(TARGET)) continue
    const text = Buffer.from(bytes).toString('latin1')
    for (const word of ['models', 'permit', 'policies', 'PRIVATE KEY', 'xxxxxxxx'])
      assert.ok(!text.includes(word), `${word} in ${path}`)
  }
})

test('backUp copies only what is new, and removes what is not in the home any more', async () => {
  const files = await furnishedDisk()
  const ledger = await openLog(files)
  await record(ledger, 0, 200)
  await ledger.checkpoint()
  await ledger.settled()
  const first = await backUpOnce(files)
  assert.equal(first.progress.copiedFiles, first.progress.files)
  const again = await backUpOnce(files)
  assert.deepEqual([again.progress.copiedFiles, again.progress.files], [0, first.progress.files])
  await record(ledger, 200, 200)
  await ledger.checkpoint()
  await ledger.settled()
  await files.unlink(`${HOME}/policies/a b.cedar`)
  const later = await backUpOnce(files)
  const sealed = first.manifest.files.filter(({ path }) => path.endsWith('.leaves'))
  const objects = new Set(later.manifest.files.map(({ object }) => object))
  assert.ok(sealed.length > 0 && sealed.every(({ object }) => objects.has(object)))
  assert.ok(later.progress.copiedFiles < later.progress.files - sealed.length)
  const manifest = await checkWhole(files, 800)
  assert.ok(!manifest.files.some(({ path }) => path.endsWith('.cedar')))
  const names = await files.list(`${TARGET}/objects`)
  assert.deepEqual(names.map((name) => `objects/${name}`).sort(), [...objects].sort())
  await ledger.close()
})

test('backUp is consistent beside a ledger that goes on at each of its steps', async () => {
  const files = await furnishedDisk()
  const ledger = await openLog(files)
  await record(ledger, 0, 100)
  let written = 100
  let works: Promise<unknown> = Promise.resolve()
  let inside = false
  files.judge = ({ path, kind }) => {
    if (inside || !path.startsWith(TARGET) || kind !== 'rename') return 'go'
    inside = true
    const from = written
    written += 30
    works = works.then(async () => {
      await record(ledger, from, 30)
      await ledger.checkpoint()
      await ledger.settled()
      inside = false
    })
    return 'go'
  }
  for (let runs = 0; runs < 4; runs++) {
    const least = ledger.size
    await backUpOnce(files)
    await works
    const { ledger: report } = await check(files)
    assert.deepEqual(report?.problems, [])
    assert.ok((report?.entries ?? 0) >= least)
  }
  assert.ok(written > 200, `${written} entries were written meanwhile`)
  await ledger.close()
})

test('backUp takes what was sealed between its steps, with a checkpoint that covers it', async () => {
  for (const moment of ['the segment is read', 'the checkpoint was read']) {
    const files = await furnishedDisk()
    const ledger = await openLog(files, { isBusy: () => true })
    await record(ledger, 0, 150)
    await ledger.checkpoint()
    let times = 0
    const seal = async (): Promise<void> => {
      if (++times !== 1) return
      await record(ledger, 150, 150)
      await ledger.sealNow(() => true)
    }
    const { read, readRange } = { read: files.read.bind(files), readRange: files.readRange.bind(files) }
    files.readRange = async (path, from, length) => {
      if (moment === 'the segment is read' && path.endsWith('.raw')) await seal()
      return await readRange(path, from, length)
    }
    files.read = async (path) => {
      const bytes = await read(path)
      if (moment !== 'the segment is read' && path.endsWith('/checkpoint')) await seal()
      return bytes
    }
    await backUpOnce(files)
    Object.assign(files, { read, readRange })
    assert.ok(times >= (moment === 'the segment is read' ? 1 : 2), `${times} looks`)
    await checkWhole(files, 600)
    await ledger.close()
  }
})

test('backUp reads a file again that was replaced while it was read, and gives up on one that always is', async () => {
  for (const isLasting of [false, true]) {
    const files = await furnishedDisk()
    const readRange = files.readRange.bind(files)
    let times = 0
    files.readRange = async (path, from, length) => {
      const bytes = await readRange(path, from, length)
      if (path.endsWith('gatehouse.yaml') && (isLasting || times < 1))
        files.tamper(path, Buffer.from(`models: {} # ${++times}\n`))
      return bytes
    }
    if (isLasting) await assert.rejects(backUpOnce(files), { code: 'home.unwritable' })
    else {
      const { manifest } = await backUpOnce(files)
      const folder = await BackupFolder.open(files, TARGET, SECRET)
      const text = await backupFiles(folder.store, manifest.files).read('gatehouse.yaml')
      assert.equal(Buffer.from(text).toString(), 'models: {} # 1\n')
    }
  }
})

test('backUp says what it left out because it is no plain file', async () => {
  const files = await furnishedDisk()
  const read = files.readRange.bind(files)
  files.readRange = async (path, from, length) => {
    if (path.endsWith('current')) throw Object.assign(new Error('a link'), { code: 'ELOOP' })
    return await read(path, from, length)
  }
  assert.deepEqual((await backUpOnce(files)).skipped, ['policy/current'])
})

test('backUp takes a home that has no ledger yet', async () => {
  const files = await furnishedDisk()
  const { manifest } = await backUpOnce(files)
  assert.equal(manifest.head, undefined)
  assert.equal((await check(files)).ledger, undefined)
})

const DAMAGES: readonly (readonly [
  why: string,
  part: 'raw' | 'checkpoint',
  change: (bytes: Buffer) => Buffer,
])[] = [
  ['an entry of the active segment was changed', 'raw', (bytes) => flipped(bytes, 200)],
  ['the head of the active segment is gone', 'raw', (bytes) => flipped(bytes, 3)],
  ['entries that the checkpoint covers are gone', 'raw', (bytes) => bytes.subarray(0, 60)],
  ['the checkpoint is none', 'checkpoint', () => Buffer.alloc(0)],
]
for (const [why, part, change] of DAMAGES)
  test(`backUp refuses a ledger that would not open, and leaves the backup before it: ${why}`, async () => {
    const files = await furnishedDisk()
    const ledger = await openLog(files, { segmentBytes: 1e9 })
    await record(ledger, 0, 10)
    await ledger.close()
    await backUpOnce(files)
    const folder = await newestFolder(files)
    const path = part === 'raw' ? segmentPath(folder, 0, 'raw') : `${folder.path}/checkpoint`
    files.tamper(path, change(Buffer.from(await files.read(path))))
    await assert.rejects(backUpOnce(files), { code: 'ledger.corrupt' })
    await checkWhole(files, 20)
  })

test('backUp refuses a folder that holds something else, and another key', async () => {
  const files = await furnishedDisk()
  await backUpOnce(files)
  await assert.rejects(BackupFolder.prepare(files, TARGET, { ...SECRET, bytes: Buffer.alloc(32) }), {
    code: 'backup.key',
  })
  await assert.rejects(BackupFolder.make(files, HOME), { code: 'usage.wrong' })
  await assert.rejects(BackupFolder.open(files, HOME, SECRET), { code: 'backup.damaged' })
  await files.makeDirectory('/anchor/other/objects')
  await BackupFolder.make(files, '/anchor/other')
  files.tamper('/anchor/other/objects/mine', Buffer.from('x'))
  await assert.rejects(BackupFolder.make(files, '/anchor/other'), { code: 'usage.wrong' })
})

test('backUp leaves the backup before it whole whatever step a crash comes at, and the next run ends it', async () => {
  const prepared = await furnishedDisk()
  const ledger = await openLog(prepared)
  await record(ledger, 0, 60)
  await ledger.checkpoint()
  await ledger.settled()
  const early = prepared.reopen('kept')
  await backUpOnce(prepared)
  await record(ledger, 60, 60)
  await ledger.close()
  for (const [from, least, stride] of [
    [early, 0, 4],
    [prepared, 120, 1],
  ] as const) {
    const steps = await backUpUntil(from.reopen('kept'), Number.POSITIVE_INFINITY)
    assert.ok(steps > 10, `${steps} steps`)
    for (let step = 0; step < steps; step += stride) {
      const files = from.reopen('kept')
      await backUpUntil(files, step)
      const after = files.reopen(SURVIVALS[step % SURVIVALS.length] ?? 'lost')
      if (least > 0) await checkWhole(after, least)
      await backUpUntil(after, Number.POSITIVE_INFINITY)
      await checkWhole(after, least === 0 ? 120 : 240)
    }
  }
})

test('backUp leaves the backup before it whole when the disk is full or fails, and the next run ends it', async () => {
  const prepared = await furnishedDisk()
  const ledger = await openLog(prepared)
  await record(ledger, 0, 60)
  await ledger.checkpoint()
  await backUpOnce(prepared)
  await record(ledger, 60, 60)
  await ledger.close()
  const steps = await backUpUntil(prepared.reopen('kept'), Number.POSITIVE_INFINITY)
  for (let step = 0; step < steps; step += 2) {
    const files = prepared.reopen('kept')
    const code = step % 4 === 0 ? 'ENOSPC' : 'EIO'
    files.judge = ({ number }) => (number === step ? { code } : 'go')
    // What fails behind the manifest fails no more than the cleaning up.
    await backUpOnce(files).catch(() => undefined)
    files.judge = () => 'go'
    await checkWhole(files, 120)
    await backUpOnce(files)
    await checkWhole(files, 240)
  }
})

async function backUpUntil(files: SimulatedFiles, crashAt: number): Promise<number> {
  files.judge = ({ number }) => (number >= crashAt ? 'crash' : 'go')
  try {
    await backUpOnce(files)
  } catch (thrown) {
    if (crashAt === Number.POSITIVE_INFINITY) throw thrown
  }
  files.judge = () => 'go'
  return files.steps.length
}

function flipped(bytes: Buffer, at: number): Buffer {
  bytes[at] = (bytes[at] ?? 0) ^ 1
  return bytes
}

const HARMS: readonly (readonly [why: string, harm: (bytes: Buffer) => Uint8Array | undefined])[] = [
  ['missing', () => undefined],
  ['empty', () => new Uint8Array(0)],
  ['cut short', (bytes) => bytes.subarray(0, -1)],
  ['longer', (bytes) => Buffer.concat([bytes, Buffer.of(0)])],
]
for (const [why, harm] of HARMS)
  test(`backUp writes anew, without being asked, what is not there as long as it should be: ${why}`, async () => {
    const files = await backedUp()
    const { manifest } = await backUpOnce(files)
    for (const { object } of manifest.files)
      files.tamper(`${TARGET}/${object}`, harm(Buffer.from(await files.read(`${TARGET}/${object}`))))
    const { progress, repaired } = await backUpOnce(files)
    assert.deepEqual([progress.copiedFiles, repaired], [manifest.files.length, []])
    await checkWhole(files, 100)
  })

test('backUp writes anew what does not read back, where it is asked to: any object, and no other', async () => {
  const files = await backedUp()
  const { manifest } = await backUpOnce(files)
  for (const { object, path } of manifest.files) {
    const bytes = Buffer.from(await files.read(`${TARGET}/${object}`))
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
    files.tamper(`${TARGET}/${object}`, bytes)
    // Without it a run believes what it does not need, and refuses to end where it needs it.
    const { progress } = await backUpOnce(files).catch(() => ({ progress: undefined }))
    assert.ok(progress === undefined || progress.copiedFiles === 0, path)
    const { repaired, ...second } = await backUpOnce(files, { isRepair: true })
    assert.deepEqual([repaired, second.progress.copiedFiles], [[path], 1])
  }
  await checkWhole(files, 100)
})

async function backedUp(): Promise<SimulatedFiles> {
  const files = await furnishedDisk()
  const ledger = await openLog(files)
  await record(ledger, 0, 50)
  await ledger.checkpoint()
  await ledger.settled()
  await ledger.close()
  return files
}
