import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { HOME_FORMAT } from '#base/home_version.ts'
import { emptyDisk, HandClock, newestFolder, openOn, readAll } from '../test/support/ledger_fixture.ts'
import { SURVIVALS, type SimulatedFiles } from '../test/support/simulated_files.ts'
import { writeAtomic } from '#base/files.ts'
import { migrateHome, recordUpgrade, STEPS, writeFirstVersion, type MigrationStep } from './main_migrate.ts'

const HOME = '/home'

test('STEPS lead to the format of this program, one after the other', () => {
  assert.deepEqual(
    STEPS.map(({ to }) => to),
    Array.from({ length: HOME_FORMAT - 1 }, (_, at) => at + 2),
  )
})

/** A home as programs of the first format left it: no version, no room in segments, unfinished files. */
async function olderHome(): Promise<SimulatedFiles> {
  const files = await emptyDisk()
  const ledger = await openOn(files, { roomBytes: 0 })
  await ledger.append({ kind: 'note', id: '0'.repeat(16), at: 1, fields: { what: 'old' }, reserved: true })
  await ledger.close()
  const { path } = await newestFolder(files)
  for (const left of ['/home/head.tmp', '/home/ledger/reserve.tmp', `${path}/checkpoint.tmp`])
    files.tamper(left, utf8('half'))
  return files
}

test('migrateHome brings an older home to this format, and does nothing the second time', async () => {
  const files = await olderHome()
  const parts = { files, home: HOME, program: '1.2.3' }
  const migrated = await migrateHome(parts)
  assert.deepEqual(migrated, { from: 1, version: { format: 2, recorded: 1, program: '1.2.3' } })
  assert.deepEqual(
    [...files.all().keys()].filter((path) => path.endsWith('.tmp')),
    [],
  )
  const steps = files.steps.length
  assert.deepEqual(await migrateHome(parts), { ...migrated, from: undefined })
  assert.equal(files.steps.length, steps)
})

test('recordUpgrade puts each step into the ledger once, and a new home has none', async () => {
  const files = await olderHome()
  const parts = { files, home: HOME, program: '1.2.3' }
  const clock = new HandClock()
  for (let starts = 0; starts < 2; starts++) {
    const { version } = await migrateHome(parts)
    const ledger = await openOn(files)
    await recordUpgrade({ files, home: HOME, version }, { ledger, clock })
    await ledger.close()
  }
  const changes = (await readAll(files)).filter(({ leaf }) => leaf['kind'] === 'change')
  assert.deepEqual(
    changes.map(({ leaf: { what, before, after } }) => ({ what, before, after })),
    [{ what: 'home:upgrade', before: 1, after: 2 }],
  )
  await writeFirstVersion(parts)
  const { from, version } = await migrateHome(parts)
  assert.deepEqual([from, version.recorded], [undefined, HOME_FORMAT])
})

test('migrateHome changes nothing of a newer home', async () => {
  const files = await olderHome()
  files.tamper('/home/version', utf8('{"format":99}'))
  const before = files.steps.length
  await assert.rejects(migrateHome({ files, home: HOME, program: '1' }), { code: 'home.newer' })
  assert.equal(files.steps.length, before)
})

test('migrateHome comes to the same home whatever step a crash or a failure comes at', async () => {
  // Two steps, of which the second builds on what the first has done.
  const steps: readonly MigrationStep[] = [
    { to: 2, run: async (files) => await writeAtomic(files, '/home/a', utf8('made')) },
    {
      to: 3,
      run: async (files) => {
        const made =
          (await files.facts('/home/a')) !== undefined || (await files.facts('/home/b')) !== undefined
        assert.ok(made, 'the step before it is done')
        if ((await files.facts('/home/a')) !== undefined) await files.rename('/home/a', '/home/b')
        await files.syncDirectory('/home')
      },
    },
  ]
  const run = async (files: SimulatedFiles) => await migrateHome({ files, home: HOME, program: '1' }, steps)
  const prepared = await olderHome()
  const quiet = prepared.reopen('kept')
  await run(quiet)
  const count = quiet.steps.length
  const trials = SURVIVALS.flatMap((survival, at) =>
    Array.from({ length: count }, (_, step) => [
      { survival, step, verdict: 'crash' as const },
      { survival, step, verdict: { code: at % 2 === 0 ? 'ENOSPC' : 'EIO' } },
    ]).flat(),
  )
  for (const { survival, step, verdict } of trials) {
    const files = prepared.reopen('kept')
    files.judge = ({ number }) => (number === step ? verdict : 'go')
    await run(files).catch(() => undefined)
    const after = verdict === 'crash' ? files.reopen(survival) : files
    after.judge = () => 'go'
    if ((await readVersion(after)) !== 3) assert.equal((await run(after)).version.format, 3)
    assert.deepEqual(
      [await readVersion(after), Buffer.from(await after.read('/home/b')).toString()],
      [3, 'made'],
    )
    assert.equal(await after.facts('/home/a'), undefined)
  }
})

/** As the file says: these formats are not known to this program. */
async function readVersion(files: SimulatedFiles): Promise<unknown> {
  const bytes = await files.read('/home/version').catch(() => utf8('{}'))
  return (JSON.parse(Buffer.from(bytes).toString()) as { format?: number }).format
}
