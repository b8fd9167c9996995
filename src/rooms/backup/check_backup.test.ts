import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  backUpOnce,
  furnishedDisk,
  HOME,
  openLog,
  record,
  SECRET,
  TARGET,
} from '../../../test/support/backup_fixture.ts'
import { HandClock } from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { Fault } from '#base/fault.ts'
import { BackupFolder } from './backup_folder.ts'
import { checkBackup, type CheckedBackup } from './check_backup.ts'

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

async function check(files: SimulatedFiles): Promise<CheckedBackup> {
  const folder = await BackupFolder.open(files, TARGET, SECRET)
  const manifest = await folder.manifest()
  return await checkBackup(folder, manifest, { now: new HandClock().now(), onFile: () => undefined })
}

test('checkBackup finds a bit that was flipped in any object', async () => {
  const files = await backedUp()
  assert.deepEqual((await check(files)).ledger?.problems, [])
  const paths = [...files.all().keys()].filter((path) => path.startsWith(`${TARGET}/objects/`))
  assert.ok(paths.length > 10)
  for (const path of paths) {
    const bytes = Buffer.from(await files.read(path))
    const changed = Buffer.from(bytes)
    changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 4
    files.tamper(path, changed)
    await assert.rejects(check(files), { code: 'backup.damaged' }, path)
    files.tamper(path, undefined)
    await assert.rejects(check(files), { code: 'backup.damaged' }, `${path} is gone`)
    files.tamper(path, bytes)
  }
  assert.deepEqual((await check(files)).ledger?.problems, [])
})

test('checkBackup names all files that are damaged, with their objects', async () => {
  const files = await backedUp()
  const folder = await BackupFolder.open(files, TARGET, SECRET)
  const [first, second] = (await folder.manifest()).files.filter(({ path }) => path.startsWith('policy/'))
  files.tamper(`${TARGET}/${first?.object}`, new Uint8Array(0))
  files.tamper(`${TARGET}/${second?.object}`, undefined)
  await assert.rejects(check(files), (thrown) => {
    assert.ok(thrown instanceof Fault)
    const named = [first, second].map((file) => `${file?.path} (${file?.object})`).join(', ')
    return thrown.say === `Missing or damaged in the backup: ${named}.` && thrown.detail['count'] === 2
  })
})

test('checkBackup finds an object of an older run in the place of another', async () => {
  const files = await backedUp()
  const folder = await BackupFolder.open(files, TARGET, SECRET)
  const before = (await folder.manifest()).files.find(({ path }) => path === 'gatehouse.yaml')
  const older = await files.read(`${TARGET}/${before?.object}`)
  files.tamper(`${HOME}/gatehouse.yaml`, Buffer.from('models: {  }\n'))
  await backUpOnce(files)
  const after = (await folder.manifest()).files.find(({ path }) => path === 'gatehouse.yaml')
  assert.notEqual(after?.object, before?.object)
  files.tamper(`${TARGET}/${after?.object}`, older)
  await assert.rejects(check(files), { code: 'backup.damaged' })
})

test('backUp refuses a home whose keys are not whole: the copy could not be opened', async () => {
  const files = await backedUp()
  await files.unlink(`${HOME}/keys/sidecar.key`)
  await assert.rejects(backUpOnce(files), { code: 'backup.damaged' })
  assert.deepEqual((await check(files)).ledger?.problems, [], 'the backup before it holds')
})
