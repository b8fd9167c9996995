import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { NODE_FILES, type Files } from '#base/files.ts'
import {
  backUpOnce,
  furnishedDisk,
  openLog,
  record,
  SECRET,
  TARGET,
} from '../../../test/support/backup_fixture.ts'
import { HandClock } from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { BackupFolder } from './backup_folder.ts'
import { newBackupKey, type BackupSecret } from './backup_key.ts'
import { checkBackup } from './check_backup.ts'
import { HEADS } from './backup_head.ts'
import { restore, type Restored } from './restore.ts'

const MANIFESTS = ['manifest', 'manifest.copy'] as const
const OTHER_SECRET: BackupSecret = { kind: 'key', bytes: Buffer.alloc(32, 8) }

async function backedUp(): Promise<SimulatedFiles> {
  const files = await furnishedDisk()
  const ledger = await openLog(files)
  await record(ledger, 0, 100)
  await ledger.checkpoint()
  await ledger.settled()
  await ledger.close()
  await backUpOnce(files)
  return files
}

async function restored(files: SimulatedFiles): Promise<Restored> {
  const folder = await BackupFolder.open(files, TARGET, SECRET)
  const check = async (): Promise<void> => {}
  const parts = {
    files,
    folder,
    home: '/anchor/again',
    clock: new HandClock(),
    check,
    onFile: () => undefined,
  }
  return await restore(parts, { isForced: true, known: [] })
}

/** What a check of a backup that is whole otherwise names. */
async function verify(files: Files, place = TARGET): Promise<readonly string[]> {
  const folder = await BackupFolder.open(files, place, SECRET)
  const manifest = await folder.manifest()
  const checked = await checkBackup(folder, manifest, { now: new HandClock().now(), onFile: () => undefined })
  return checked.damaged
}

/** Ways in which a file is not what was written. */
async function damages(bytes: Buffer): Promise<ReadonlyMap<string, Uint8Array | undefined>> {
  const flipped = (at: number): Buffer => {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    return changed
  }
  const { head } = await newBackupKey(OTHER_SECRET)
  const { head: sibling } = await newBackupKey(SECRET)
  return new Map<string, Uint8Array | undefined>([
    ['its first bit', flipped(0)],
    ['a bit in its middle', flipped(bytes.length >> 1)],
    ['a bit near its end', flipped(bytes.length - 8)],
    ['half of it', bytes.subarray(0, bytes.length >> 1)],
    ['nothing in it', new Uint8Array(0)],
    ['far too much in it', Buffer.alloc(200_000, 65)],
    ['the head of another backup', Buffer.from(head)],
    ['the head of another backup with the same secret', Buffer.from(sibling)],
    ['gone', undefined],
  ])
}

for (const name of [...HEADS, ...MANIFESTS])
  test(`a damaged ${name} keeps nobody from a backup: its twin is read, verify names it, the next run mends it`, async () => {
    const files = await backedUp()
    const bytes = Buffer.from(await files.read(`${TARGET}/${name}`))
    const { manifest } = await restored(files)
    for (const [how, content] of await damages(bytes)) {
      files.tamper(`${TARGET}/${name}`, content)
      const isMissingCopy = how === 'gone' && name.endsWith('.copy')
      const damaged = isMissingCopy ? [] : [name]
      const again = await restored(files)
      assert.deepEqual(again.manifest, manifest, how)
      assert.deepEqual(again.damaged, damaged, how)
      assert.deepEqual(await verify(files), damaged, how)
      const { repaired } = await backUpOnce(files)
      assert.deepEqual(repaired, damaged, how)
      assert.deepEqual(await verify(files), [], how)
      assert.deepEqual((await restored(files)).damaged, [], how)
    }
  })

test('a backup whose head, or whose manifest, is damaged twice opens for nobody', async () => {
  for (const names of [HEADS, MANIFESTS]) {
    const files = await backedUp()
    for (const name of names) {
      const bytes = Buffer.from(await files.read(`${TARGET}/${name}`))
      files.tamper(`${TARGET}/${name}`, bytes.subarray(1))
    }
    await assert.rejects(restored(files), { code: 'backup.damaged' })
    for (const name of names) files.tamper(`${TARGET}/${name}`, undefined)
    await assert.rejects(restored(files), { code: 'backup.damaged' })
  }
})

test('a wrong secret is one, whatever is damaged beside it', async () => {
  const files = await backedUp()
  const open = async (): Promise<BackupFolder> => await BackupFolder.open(files, TARGET, OTHER_SECRET)
  await assert.rejects(open(), { code: 'backup.key' })
  for (const name of HEADS) {
    const bytes = await files.read(`${TARGET}/${name}`)
    files.tamper(`${TARGET}/${name}`, new Uint8Array(4))
    await assert.rejects(open(), { code: 'backup.key' }, name)
    files.tamper(`${TARGET}/${name}`, bytes)
  }
})

test('a backup of the time before the copies is whole, and the next run makes them', async () => {
  const files = await backedUp()
  for (const name of [HEADS[1], MANIFESTS[1]]) files.tamper(`${TARGET}/${name}`, undefined)
  assert.deepEqual(await verify(files), [])
  assert.deepEqual((await backUpOnce(files)).repaired, [])
  for (const [one, other] of [HEADS])
    assert.deepEqual(await files.read(`${TARGET}/${other}`), await files.read(`${TARGET}/${one}`))
  assert.ok(await files.facts(`${TARGET}/${MANIFESTS[1]}`))
})

for (const code of ['EIO', 'EACCES', 'EFBIG', 'ENOTPLAIN'])
  test(`the error ${code} keeps nobody from a backup whichever of its four it comes at, and is named`, async () => {
    for (const name of [...HEADS, ...MANIFESTS]) {
      const files = await backedUp()
      const { read, readRange } = { read: files.read.bind(files), readRange: files.readRange.bind(files) }
      const refuse = (path: string): void => {
        if (path === `${TARGET}/${name}`) throw Object.assign(new Error('refused'), { code })
      }
      files.read = async (path) => {
        refuse(path)
        return await read(path)
      }
      files.readRange = async (path, from, length) => {
        refuse(path)
        return await readRange(path, from, length)
      }
      assert.deepEqual(await verify(files), [name])
      assert.deepEqual((await backUpOnce(files)).repaired, [name])
    }
  })

test('a pipe, or a folder, in the place of one of the four is named, and a folder refused before a run', async (t) => {
  const place = await mkdtemp(path.join(tmpdir(), 'gatehouse-backup-'))
  t.after(async () => await rm(place, { recursive: true }))
  for (const name of [...HEADS, ...MANIFESTS]) {
    const ours = path.join(place, name)
    await BackupFolder.make(NODE_FILES, ours)
    const folder = await BackupFolder.prepare(NODE_FILES, ours, SECRET)
    const manifest = { madeAt: 1, version: '1.2.3', head: undefined, files: [] }
    await folder.finish(manifest)
    await rm(path.join(ours, name))
    execFileSync('mkfifo', [path.join(ours, name)])
    assert.deepEqual(await verify(NODE_FILES, ours), [name])
    await (await BackupFolder.prepare(NODE_FILES, ours, SECRET)).finish(manifest)
    assert.deepEqual(await verify(NODE_FILES, ours), [])
    await rm(path.join(ours, name))
    await mkdir(path.join(ours, name))
    assert.deepEqual(await verify(NODE_FILES, ours), [name])
    await assert.rejects(BackupFolder.prepare(NODE_FILES, ours, SECRET), { code: 'usage.wrong' })
  }
})

test('a run that is cut between both manifests leaves the one before it as the copy, which is named', async () => {
  const files = await backedUp()
  const before = await files.read(`${TARGET}/manifest.copy`)
  const { manifest: old } = await restored(files)
  await record(await openLog(files), 100, 10)
  files.judge = ({ kind, path: at }) =>
    kind === 'rename' && at === `${TARGET}/manifest.copy` ? { code: 'ENOSPC' } : 'go'
  await assert.rejects(backUpOnce(files))
  files.judge = () => 'go'
  assert.deepEqual(await files.read(`${TARGET}/manifest.copy`), before)
  const { manifest, damaged } = await restored(files)
  assert.notDeepEqual(manifest, old)
  assert.deepEqual(damaged, ['manifest.copy'])
  assert.deepEqual(await verify(files), ['manifest.copy'])
  assert.deepEqual((await backUpOnce(files)).repaired, ['manifest.copy'])
  assert.deepEqual(await verify(files), [])
})
