import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, rename, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { NODE_FILES } from '#base/files.ts'
import {
  backUpOnce,
  furnishedDisk,
  HOME,
  openLog,
  record,
  SECRET,
  TARGET,
} from '../../../test/support/backup_fixture.ts'
import { HandClock, newestFolder } from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { BackupFolder } from './backup_folder.ts'
import { sourceOf } from './object_store.ts'
import { restore } from './restore.ts'

const OTHER = '/elsewhere/home'

type Disk = ReadonlyMap<string, Uint8Array>

async function recordIn(files: SimulatedFiles, count: number, home = HOME): Promise<void> {
  const ledger = await openLog(files, { directory: `${home}/ledger` })
  await record(ledger, 0, count)
  await ledger.checkpoint()
  await ledger.settled()
  await ledger.close()
}

/** A home, its backup, and the files as they were a while before it. */
async function backedUpDisk(): Promise<{ files: SimulatedFiles; earlier: Disk }> {
  const files = await furnishedDisk()
  await recordIn(files, 40)
  const earlier = files.all()
  await recordIn(files, 40)
  await backUpOnce(files)
  return { files, earlier }
}

/** Puts the ledger of a home back to what it was. */
function setBack(files: SimulatedFiles, earlier: Disk): void {
  const isLedger = (file: string): boolean => file.startsWith(`${HOME}/ledger/`)
  for (const file of files.all().keys()) if (isLedger(file)) files.tamper(file, undefined)
  for (const [file, bytes] of earlier) if (isLedger(file)) files.tamper(file, bytes)
}

/** Another home with the same keys, and none of its entries. */
async function makeOther(files: SimulatedFiles): Promise<void> {
  for (const folder of ['keys', 'policies', 'policy']) await files.makeDirectory(`${OTHER}/${folder}`)
  for (const [file, bytes] of files.all())
    if (file.startsWith(`${HOME}/`) && !file.startsWith(`${HOME}/ledger`))
      files.tamper(OTHER + file.slice(HOME.length), bytes)
  await recordIn(files, 10, OTHER)
}

function inBackup(files: SimulatedFiles): Disk {
  return new Map([...files.all()].filter(([file]) => file.startsWith(`${TARGET}/`)))
}

interface Stranger {
  readonly why: string
  readonly home?: string
  readonly make: (files: SimulatedFiles, earlier: Disk) => Promise<void>
}

const STRANGERS: readonly Stranger[] = [
  { why: 'another home', home: OTHER, make: makeOther },
  {
    why: 'the same one, emptied and made anew',
    make: async (files) => {
      setBack(files, new Map())
      await recordIn(files, 200)
    },
  },
  {
    why: 'the same one without its ledger',
    make: async (files) => {
      const { path: folder } = await newestFolder(files)
      setBack(files, new Map())
      await files.removeDirectory(folder)
    },
  },
  { why: 'the same one, set back', make: async (files, earlier) => setBack(files, earlier) },
  {
    why: 'a copy of it that ran on, with more entries',
    make: async (files, earlier) => {
      setBack(files, earlier)
      await recordIn(files, 100)
    },
  },
]

for (const { why, home = HOME, make } of STRANGERS)
  test(`backUp leaves a backup alone that the home does not continue, unless it is told to delete it: ${why}`, async () => {
    const { files, earlier } = await backedUpDisk()
    const before = inBackup(files)
    await make(files, earlier)
    for (const isRepair of [false, true]) {
      await assert.rejects(backUpOnce(files, { home, isRepair }), { code: 'backup.foreign' })
      assert.deepEqual(inBackup(files), before)
    }
    const { manifest } = await backUpOnce(files, { home, mayDeleteOther: true })
    const folder = await BackupFolder.open(files, TARGET, SECRET)
    assert.deepEqual(await folder.manifest(), manifest)
    await backUpOnce(files, { home })
  })

test('backUp takes the home that a backup was restored to in its place, started or not, and the old one no more', async () => {
  const { files } = await backedUpDisk()
  await files.makeDirectory('/elsewhere')
  const folder = await BackupFolder.open(files, TARGET, SECRET)
  const parts = {
    files,
    folder,
    home: OTHER,
    clock: new HandClock(),
    check: async () => undefined,
    onFile: () => undefined,
  }
  const { manifest } = await restore(parts, { isForced: false, known: [] })
  await backUpOnce(files, { home: OTHER })
  const ledger = await openLog(files, { directory: `${OTHER}/ledger`, restored: manifest.head })
  await record(ledger, 0, 10)
  await ledger.checkpoint()
  await ledger.close()
  const later = await backUpOnce(files, { home: OTHER })
  assert.notEqual(later.manifest.head?.origin, manifest.head?.origin, 'it is another log')
  await recordIn(files, 100)
  await assert.rejects(backUpOnce(files), { code: 'backup.foreign' })
  await backUpOnce(files, { home: OTHER })
})

test('backUp leaves a backup alone whose older log the home has no more', async () => {
  const { files } = await backedUpDisk()
  const old = await newestFolder(files)
  const { manifest } = await backUpOnce(files)
  const ledger = await openLog(files, { restored: manifest.head })
  await ledger.close()
  await backUpOnce(files)
  for (const file of files.all().keys()) if (file.startsWith(`${old.path}/`)) files.tamper(file, undefined)
  await files.removeDirectory(old.path)
  await assert.rejects(backUpOnce(files), { code: 'backup.foreign' })
})

test('backUp says that it cannot tell whose backup it is where the manifest is damaged, and changes nothing', async () => {
  const { files } = await backedUpDisk()
  for (const name of ['manifest', 'manifest.copy']) {
    const bytes = Buffer.from(await files.read(`${TARGET}/${name}`))
    files.tamper(`${TARGET}/${name}`, bytes.subarray(1))
  }
  const before = inBackup(files)
  await assert.rejects(backUpOnce(files), { code: 'backup.damaged' })
  assert.deepEqual(inBackup(files), before)
  const { progress } = await backUpOnce(files, { mayDeleteOther: true })
  assert.equal(progress.copiedFiles, 0, 'the objects are those of this home')
  await backUpOnce(files)
})

test('has says that an object is not there where a link is, so that a run writes it anew', async (t) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-backup-'))
  t.after(async () => await rm(folder, { recursive: true }))
  await BackupFolder.make(NODE_FILES, folder)
  const { store } = await BackupFolder.prepare(NODE_FILES, folder, SECRET)
  const name = store.nameOf('a', 'b')
  await store.write(name, sourceOf(Buffer.from('content')))
  assert.equal(await store.has(name, 7), true)
  const object = path.join(folder, name)
  await rename(object, `${folder}/away`)
  await symlink(`${folder}/away`, object)
  assert.equal(await store.has(name, 7), false)
  await store.write(name, sourceOf(Buffer.from('content')))
  assert.equal(await store.has(name, 7), true)
})

for (const name of ['objects', 'manifest', 'manifest.copy', 'gatehouse-backup', 'gatehouse-backup.copy'])
  test(`BackupFolder is not written through a link, before a run and at its end: ${name}`, async (t) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'gatehouse-backup-'))
    t.after(async () => await rm(folder, { recursive: true }))
    const [ours, theirs] = [path.join(folder, 'a'), path.join(folder, 'b')]
    const manifest = { madeAt: 0, version: '1', head: undefined, files: [] }
    for (const at of [ours, theirs]) {
      await BackupFolder.make(NODE_FILES, at)
      await (await BackupFolder.prepare(NODE_FILES, at, SECRET)).finish(manifest)
    }
    await mkdir(path.join(theirs, 'objects'), { recursive: true })
    const object = path.join(theirs, 'objects', 'f'.repeat(64))
    await (await NODE_FILES.openForWriting(object)).close()
    const prepared = await BackupFolder.prepare(NODE_FILES, ours, SECRET)
    await rename(path.join(ours, name), path.join(ours, 'away'))
    await symlink(path.join(theirs, name), path.join(ours, name))
    await assert.rejects(BackupFolder.prepare(NODE_FILES, ours, SECRET), { code: 'usage.wrong' })
    // The manifest is replaced, whatever is in its place.
    if (!name.startsWith('manifest')) await assert.rejects(prepared.finish(manifest), { code: 'usage.wrong' })
    assert.deepEqual(await readdir(path.join(theirs, 'objects')), ['f'.repeat(64)])
  })
