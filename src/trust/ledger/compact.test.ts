import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import {
  draft,
  emptyDisk,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
  PUBLIC_KEYS,
} from '../../../test/support/ledger_fixture.ts'
import { SURVIVALS, type SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { compact, type Compaction } from './compact.ts'
import { listOrigins, listSegments } from './layout.ts'
import type { Ledger } from './ledger.ts'
import type { LedgerOptions } from './open.ts'
import { verifyLedger } from './verify.ts'

/** Segments wait for a quiet moment that never comes. */
const BUSY: Partial<LedgerOptions> = { segmentBytes: 20_000, isBusy: () => true }

async function write(ledger: Ledger, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, async (_, at) => await ledger.append(intent(at))))
}

async function run(
  files: SimulatedFiles,
  ledger: Ledger,
  goOn: () => boolean = () => true,
): Promise<Compaction> {
  return await compact({ files, directory: LEDGER, sidecarKey: KEYS.sidecarKey, ledger }, goOn)
}

/** By log: how many raw and how many sealed segments it has. */
async function segments(files: SimulatedFiles): Promise<readonly (readonly [raw: number, sealed: number])[]> {
  const found: [number, number][] = []
  for (const folder of (await listOrigins(files, LEDGER)).folders) {
    const all = (await listSegments(files, folder)).segments
    const raw = all.filter(({ parts }) => parts.has('raw')).length
    found.push([raw, all.length - raw])
  }
  return found
}

async function check(files: SimulatedFiles): Promise<number> {
  const keys = { logKeys: PUBLIC_KEYS, sidecarKey: KEYS.sidecarKey }
  const { entries, problems } = await verifyLedger({ files, directory: LEDGER, keys })
  assert.deepEqual(problems, [])
  return entries
}

/** A disk with a log that ends in full raw segments, and another that follows it. */
async function twoLogs(): Promise<SimulatedFiles> {
  const files = await emptyDisk()
  const first = await openOn(files, BUSY)
  await write(first, 300)
  await first.checkpoint()
  await first.close()
  const older = files.all()
  const ahead = await openOn(files, BUSY)
  await ahead.append(draft('note', { what: 'lost' }))
  const head = await ahead.checkpoint()
  await ahead.close()
  for (const path of files.all().keys()) files.tamper(path, older.get(path))
  const second = await openOn(files, { ...BUSY, knownHeads: [head], onLoss: 'accept' })
  await write(second, 300)
  await second.close()
  return files
}

test('compact seals all full segments of all logs although the process is busy, and says what that saved', async () => {
  const files = await twoLogs()
  const before = await segments(files)
  assert.deepEqual(
    before.map(([, sealed]) => sealed),
    [0, 0],
  )
  const ledger = await openOn(files, BUSY)
  const done = await run(files, ledger)
  assert.deepEqual(
    await segments(files),
    before.map(([raw]) => [1, raw - 1]),
  )
  assert.equal(
    done.sealed,
    before.reduce((sum, [raw]) => sum + raw - 1, 0),
  )
  assert.equal(done.waiting, 0)
  assert.ok(done.bytesAfter < done.bytesBefore / 2, `${done.bytesBefore} to ${done.bytesAfter}`)
  const again = await run(files, ledger)
  assert.deepEqual([again.sealed, again.removed, again.bytesBefore], [0, 0, again.bytesAfter])
  await ledger.close()
  await check(files)
})

test('compact stops between two segments when it is told to, and goes on when it is called again', async () => {
  const files = await twoLogs()
  const ledger = await openOn(files, BUSY)
  const stopped = await run(files, ledger, () => false)
  assert.ok(stopped.waiting > 0)
  const done = await run(files, ledger)
  assert.equal(done.waiting, 0)
  await ledger.close()
  await check(files)
})

test('compact removes what was not finished, and nothing that may be in work', async () => {
  const files = await twoLogs()
  const ledger = await openOn(files, BUSY)
  const [older] = (await listOrigins(files, LEDGER)).folders
  const left = [`${older?.path}/000000000000.leaves.tmp`, `${LEDGER}/strange.tmp`]
  const inWork = [`${LEDGER}/reserve.tmp`, `${(await newestFolder(files)).path}/checkpoint.tmp`]
  for (const path of [...left, ...inWork]) files.tamper(path, utf8('half'))
  assert.equal((await run(files, ledger)).removed, 2)
  for (const path of left) assert.equal(await files.facts(path), undefined)
  assert.notEqual(await files.facts(inWork[0] ?? ''), undefined)
  await ledger.close()
})

test('compact leaves a whole ledger whatever step a crash comes at, and the next one ends it', async () => {
  const prepared = await twoLogs()
  const steps = await runUntil(prepared.reopen('kept'), Number.POSITIVE_INFINITY)
  assert.ok(steps > 20, `${steps} steps`)
  for (let step = 0; step < steps; step += 2) {
    const files = prepared.reopen('kept')
    await runUntil(files, step)
    const after = files.reopen(SURVIVALS[step % SURVIVALS.length] ?? 'lost')
    await runUntil(after, Number.POSITIVE_INFINITY)
    assert.ok((await check(after)) >= 600)
    assert.ok((await segments(after)).every(([raw]) => raw === 1))
  }
})

async function runUntil(files: SimulatedFiles, crashAt: number): Promise<number> {
  files.judge = ({ number }) => (number >= crashAt ? 'crash' : 'go')
  try {
    const ledger = await openOn(files, BUSY)
    await run(files, ledger)
    await ledger.close()
  } catch (thrown) {
    if (crashAt === Number.POSITIVE_INFINITY) throw thrown
  }
  files.judge = () => 'go'
  return files.steps.length
}
