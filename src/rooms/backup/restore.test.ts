import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { verifyLedger } from '#trust/ledger/verify.ts'
import {
  backUpOnce,
  furnishedDisk,
  openLog,
  record,
  SECRET,
  SMALL,
  TARGET,
} from '../../../test/support/backup_fixture.ts'
import { HandClock, KEYS, PUBLIC_KEYS } from '../../../test/support/ledger_fixture.ts'
import { SURVIVALS, type SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { BackupFolder } from './backup_folder.ts'
import { readRestoredMark, removeRestoredMark } from './restored_mark.ts'
import { restore, type Restored, type RestoreParts } from './restore.ts'

const PLACE = '/elsewhere/home'
const ENTRIES = 120

/** A disk with a backup and a folder to restore into. */
async function backedUpDisk(): Promise<SimulatedFiles> {
  const files = await furnishedDisk()
  const ledger = await openLog(files)
  await record(ledger, 0, ENTRIES / 2)
  await ledger.checkpoint()
  await ledger.settled()
  await ledger.close()
  await backUpOnce(files)
  await files.makeDirectory('/elsewhere')
  await files.syncDirectory('/')
  files.steps.length = 0
  return files
}

interface Options {
  readonly isForced?: boolean
  readonly known?: readonly string[]
  readonly check?: RestoreParts['check']
}

async function restoreOnce(files: SimulatedFiles, options: Options = {}): Promise<Restored> {
  const { isForced = false, known = [], check = async () => undefined } = options
  const folder = await BackupFolder.open(files, TARGET, SECRET)
  const parts = { files, folder, home: PLACE, clock: new HandClock(), check, onFile: () => undefined }
  return await restore(parts, { isForced, known })
}

async function checkHome(files: SimulatedFiles): Promise<void> {
  for (const [path, text] of SMALL)
    assert.equal(Buffer.from(await files.read(`${PLACE}/${path}`)).toString(), text, path)
  const keys = { logKeys: PUBLIC_KEYS, sidecarKey: KEYS.sidecarKey }
  const report = await verifyLedger({ files, directory: `${PLACE}/ledger`, keys })
  assert.deepEqual([report.problems, report.entries], [[], ENTRIES])
  const mark = await readRestoredMark(files, PLACE)
  assert.equal(mark?.head?.size, ENTRIES)
}

test('restore puts the home of a backup where there is none', async () => {
  const files = await backedUpDisk()
  const checked: string[] = []
  const check = async (place: string): Promise<void> => {
    checked.push(place)
    assert.deepEqual(await files.list(PLACE), [], 'nothing is there before it was checked')
  }
  const { aside } = await restoreOnce(files, { check, known: ['a checkpoint'] })
  assert.equal(aside, undefined)
  assert.deepEqual(checked, [`${PLACE}.restoring`])
  await checkHome(files)
  assert.deepEqual((await readRestoredMark(files, PLACE))?.known, ['a checkpoint'])
  assert.deepEqual(await files.list('/elsewhere'), ['home'])
  await removeRestoredMark(files, PLACE)
  assert.equal(await readRestoredMark(files, PLACE), undefined)
})

test('restore takes an empty folder, and refuses one that is not', async () => {
  const files = await backedUpDisk()
  await files.makeDirectory(PLACE)
  await restoreOnce(files)
  await checkHome(files)
  await assert.rejects(restoreOnce(files), { code: 'home.occupied' })
})

test('restore moves a home aside only when it is told to, and never over another', async () => {
  const files = await backedUpDisk()
  await files.makeDirectory(PLACE)
  for (const number of [1, 2]) {
    files.tamper(`${PLACE}/mine`, utf8(`home ${number}`))
    const { aside } = await restoreOnce(files, { isForced: true })
    assert.equal(aside, `${PLACE}.before-${number}`)
    assert.equal(Buffer.from(await files.read(`${aside}/mine`)).toString(), `home ${number}`)
    await checkHome(files)
  }
})

test('restore makes no home of files that do not pass the check', async () => {
  const files = await backedUpDisk()
  const check = async (): Promise<void> => Promise.reject(new Fault('home.newer'))
  await assert.rejects(restoreOnce(files, { check }), { code: 'home.newer' })
  assert.deepEqual(await files.list(PLACE), [])
  await restoreOnce(files)
  await checkHome(files)
})

test('restore makes no home of a backup that is damaged', async () => {
  const files = await backedUpDisk()
  const [name = ''] = await files.list(`${TARGET}/objects`)
  const path = `${TARGET}/objects/${name}`
  const bytes = Buffer.from(await files.read(path))
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1
  files.tamper(path, bytes)
  await assert.rejects(restoreOnce(files), { code: 'backup.damaged' })
  assert.deepEqual(await files.list(PLACE), [])
})

test('restore goes on where a run before it stopped, and takes away what is not of this backup', async () => {
  const files = await backedUpDisk()
  const half = { code: 'EIO' }
  files.judge = ({ number }) => (number === 30 ? half : 'go')
  await assert.rejects(restoreOnce(files))
  const written = (await files.list(`${PLACE}.restoring/policies`)).length
  files.judge = () => 'go'
  await files.makeDirectory(`${PLACE}.restoring/strange/deep`)
  files.tamper(`${PLACE}.restoring/strange/deep/file`, utf8('x'))
  files.tamper(`${PLACE}.restoring/lock.db`, utf8(''))
  files.tamper(`${PLACE}.restoring/gatehouse.yaml`, utf8('x'.repeat(11)))
  const before = files.steps.length
  await restoreOnce(files)
  await checkHome(files)
  const again = files.steps.slice(before).filter(({ kind }) => kind === 'create').length
  assert.ok(written >= 0 && again < files.steps.slice(0, before).length, `${again} files were written`)
  const names = await files.list(PLACE)
  assert.ok(!names.includes('strange'))
  assert.ok(names.includes('lock.db'), 'that of the run itself')
})

test('restore makes a whole home or none whatever step a crash comes at, and the next run ends it', async () => {
  const prepared = await backedUpDisk()
  const steps = await restoreUntil(prepared.reopen('kept'), Number.POSITIVE_INFINITY)
  assert.ok(steps > 20, `${steps} steps`)
  for (let step = 0; step < steps; step++) {
    const files = prepared.reopen('kept')
    await restoreUntil(files, step)
    const after = files.reopen(SURVIVALS[step % SURVIVALS.length] ?? 'lost')
    if ((await after.list(PLACE)).length === 0) await restoreOnce(after)
    await checkHome(after)
  }
})

async function restoreUntil(files: SimulatedFiles, crashAt: number): Promise<number> {
  files.judge = ({ number }) => (number >= crashAt ? 'crash' : 'go')
  await restoreOnce(files).catch((thrown: unknown) => {
    if (crashAt === Number.POSITIVE_INFINITY) throw thrown
  })
  files.judge = () => 'go'
  return files.steps.length
}

test('restore states what was known of the home moved aside, whatever step a crash comes at', async () => {
  const prepared = await backedUpDisk()
  await prepared.makeDirectory(PLACE)
  prepared.tamper(`${PLACE}/mine`, utf8('x'))
  await prepared.syncDirectory('/elsewhere')
  const attempt = async (files: SimulatedFiles): Promise<unknown> => {
    const isThere = (await files.list(PLACE)).includes('mine')
    return await restoreOnce(files, { isForced: true, known: isThere ? ['what it knew'] : [] })
  }
  for (let step = 0, isDone = false; !isDone; step++) {
    const files = prepared.reopen('kept')
    files.judge = ({ number }) => (number >= step ? 'crash' : 'go')
    isDone = await attempt(files).then(
      () => true,
      () => false,
    )
    let after = isDone ? files : files.reopen('kept')
    if ((await readRestoredMark(after, PLACE)) === undefined) {
      // Again, as soon as it has changed anything.
      after.judge = ({ number }) => (number >= 1 ? 'crash' : 'go')
      await assert.rejects(attempt(after))
      after = after.reopen('kept')
      await attempt(after)
    }
    assert.deepEqual((await readRestoredMark(after, PLACE))?.known, ['what it knew'], `step ${step}`)
  }
})

test('restore keeps what a home knows that was restored itself, and not started since', async () => {
  const files = await backedUpDisk()
  await restoreOnce(files, { known: ['what the first one knew'] })
  await restoreOnce(files, { isForced: true, known: ['what the copy ends with'] })
  const known = (await readRestoredMark(files, PLACE))?.known
  assert.deepEqual(known, ['what the copy ends with', 'what the first one knew'])
})

test('restore moves a home aside whose mark cannot be read', async () => {
  const files = await backedUpDisk()
  await restoreOnce(files)
  const read = files.read.bind(files)
  files.read = async (path) => {
    if (path === `${PLACE}/restored`) throw Object.assign(new Error('a pipe'), { code: 'ENOTPLAIN' })
    return await read(path)
  }
  const { aside } = await restoreOnce(files, { isForced: true, known: ['a checkpoint'] })
  assert.equal(aside, `${PLACE}.before-1`)
  files.read = read
  assert.deepEqual((await readRestoredMark(files, PLACE))?.known, ['a checkpoint'])
})

test('restore is not held up by half a mark that a run before it left', async () => {
  const files = await backedUpDisk()
  await files.makeDirectory(`${PLACE}.restoring`)
  files.tamper(`${PLACE}.restoring/restored`, utf8('{'))
  await restoreOnce(files, { known: ['a checkpoint'] })
  assert.deepEqual((await readRestoredMark(files, PLACE))?.known, ['a checkpoint'])
})

const MARKS: readonly (readonly [why: string, text: string])[] = [
  ['no JSON', '{'],
  ['no object', '[]'],
  ['no time', '{"backup":"x"}'],
  ['no such time', '{"backup":"x","madeAt":1e300,"restoredAt":1,"head":null,"known":[]}'],
  ['half a head', '{"backup":"x","madeAt":1,"restoredAt":1,"head":{"size":4},"known":[]}'],
]
for (const [why, text] of MARKS)
  test(`readRestoredMark refuses what it cannot read: ${why}`, async () => {
    const files = await furnishedDisk()
    files.tamper('/home/restored', utf8(text))
    await assert.rejects(readRestoredMark(files, '/home'), { code: 'home.damaged' })
  })

test('restore writes all but the damaged files, names these, and takes them from the backup once it is whole', async () => {
  const files = await backedUpDisk()
  const folder = await BackupFolder.open(files, TARGET, SECRET)
  const { files: kept } = await folder.manifest()
  const doomed = kept.filter(({ path }) => path.endsWith('.raw') || path === 'policy/current')
  assert.ok(doomed.length > 1)
  const before = new Map<string, Uint8Array>()
  for (const { object } of doomed) {
    const bytes = await files.read(`${TARGET}/${object}`)
    before.set(object, bytes)
    files.tamper(
      `${TARGET}/${object}`,
      bytes.map((byte, at) => (at === bytes.length - 1 ? byte ^ 1 : byte)),
    )
  }
  // What another backup has left there is not what this one holds.
  await files.makeDirectory(`${PLACE}.restoring`)
  await files.makeDirectory(`${PLACE}.restoring/policy`)
  files.tamper(`${PLACE}.restoring/policy/current`, utf8('of another backup'))
  await assert.rejects(restoreOnce(files), (thrown) => {
    assert.ok(thrown instanceof Fault)
    assert.equal(thrown.code, 'backup.damaged')
    for (const { path, object } of doomed) assert.ok(thrown.say?.includes(`${path} (${object})`), path)
    return thrown.detail['count'] === doomed.length
  })
  assert.deepEqual(await files.list(PLACE), [])
  const there = new Set([...files.all().keys()].filter((path) => path.startsWith(`${PLACE}.restoring/`)))
  const whole = kept.filter((file) => !doomed.includes(file))
  assert.deepEqual([...there].sort(), whole.map(({ path }) => `${PLACE}.restoring/${path}`).sort())
  for (const [object, bytes] of before) files.tamper(`${TARGET}/${object}`, bytes)
  await restoreOnce(files)
  await checkHome(files)
})
