import assert from 'node:assert/strict'
import { test } from 'node:test'
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

async function verify(files: SimulatedFiles): Promise<void> {
  const folder = await BackupFolder.open(files, TARGET, SECRET)
  const manifest = await folder.manifest()
  await checkBackup(folder, manifest, { now: new HandClock().now(), onFile: () => undefined })
}

/** Ways in which a file is not what was written. */
async function damages(bytes: Buffer): Promise<ReadonlyMap<string, Uint8Array | undefined>> {
  const flipped = (at: number): Buffer => {
    const changed = Buffer.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    return changed
  }
  const { head } = await newBackupKey(OTHER_SECRET)
  return new Map<string, Uint8Array | undefined>([
    ['its first bit', flipped(0)],
    ['a bit in its middle', flipped(bytes.length >> 1)],
    ['a bit near its end', flipped(bytes.length - 8)],
    ['half of it', bytes.subarray(0, bytes.length >> 1)],
    ['nothing in it', new Uint8Array(0)],
    ['far too much in it', Buffer.alloc(200_000, 65)],
    ['the head of another backup', Buffer.from(head)],
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
      if (isMissingCopy) await verify(files)
      else await assert.rejects(verify(files), { code: 'backup.damaged', message: new RegExp(name) }, how)
      const { repaired } = await backUpOnce(files)
      assert.deepEqual(repaired, damaged, how)
      await verify(files)
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
  await verify(files)
  assert.deepEqual((await backUpOnce(files)).repaired, [])
  for (const [one, other] of [HEADS])
    assert.deepEqual(await files.read(`${TARGET}/${other}`), await files.read(`${TARGET}/${one}`))
  assert.ok(await files.facts(`${TARGET}/${MANIFESTS[1]}`))
})
