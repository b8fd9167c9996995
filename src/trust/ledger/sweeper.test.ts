import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EntryDraft } from '#base/recorder.ts'
import {
  draft,
  emptyDisk,
  HandClock,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
  outcome,
} from '../../../test/support/ledger_fixture.ts'
import { SURVIVALS, type SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { listOrigins, listSegments, segmentPath } from './layout.ts'
import type { Ledger } from './ledger.ts'
import type { LedgerOptions } from './open.ts'
import { OpenIntents } from './open_intents.ts'
import { readEntries, type ReadEntry } from './read.ts'
import { Sweeper } from './sweeper.ts'

const SWEPT = '/home/swept'

interface Running {
  readonly ledger: Ledger
  readonly intents: OpenIntents
  readonly sweeper: Sweeper
}

/** A ledger as a door opens it, with a sweeper that does nothing by itself. */
async function start(
  files: SimulatedFiles,
  more: Partial<LedgerOptions> & { readonly most?: number; readonly sidecarKey?: Uint8Array } = {},
): Promise<Running> {
  const intents = new OpenIntents()
  const { most, sidecarKey = KEYS.sidecarKey, ...options } = more
  const ledger = await openOn(files, { ...options, onRecorded: (entry) => intents.recorded(entry) })
  const sweeper = new Sweeper({
    files,
    directory: LEDGER,
    path: SWEPT,
    sidecarKey,
    ledger,
    clock: new HandClock(),
    intents,
    isOurs: () => true,
    most,
  })
  return { ledger, intents, sweeper }
}

async function stop({ sweeper, ledger }: Running): Promise<void> {
  await sweeper.close()
  await ledger.close()
}

/** Records intents, of which those with an even number get their outcome. */
async function work(ledger: Ledger, from: number, count: number): Promise<readonly EntryDraft[]> {
  const intents = Array.from({ length: count }, (_, at) => intent(from + at))
  await Promise.all(intents.map(async (each) => await ledger.append(each)))
  const even = intents.filter((_, at) => (from + at) % 2 === 0)
  await Promise.all(even.map(async (each) => await ledger.append(outcome(each, 1))))
  return intents
}

async function everything(files: SimulatedFiles): Promise<readonly ReadEntry[]> {
  const entries: ReadEntry[] = []
  for (const folder of (await listOrigins(files, LEDGER)).folders)
    for await (const entry of readEntries(files, folder, {})) entries.push(entry)
  return entries
}

/** By id of an intent: what its outcomes say, in order. */
async function outcomes(files: SimulatedFiles): Promise<ReadonlyMap<unknown, readonly unknown[]>> {
  const found = new Map<unknown, unknown[]>()
  for (const { leaf } of await everything(files)) {
    if (leaf['kind'] === 'intent') found.set(leaf['id'], [])
    if (leaf['kind'] === 'outcome') found.get(leaf['id'])?.push(leaf['status'])
  }
  return found
}

function wanted(intents: readonly EntryDraft[]): ReadonlyMap<unknown, readonly unknown[]> {
  return new Map(intents.map(({ id }, at) => [id, [at % 2 === 0 ? 200 : 'unknown']]))
}

test('Sweeper gives each intent that an earlier process left one outcome, and no other', async () => {
  const files = await emptyDisk()
  const first = await start(files)
  const intents = await work(first.ledger, 0, 20)
  await first.ledger.close()
  for (let starts = 0; starts < 3; starts++) {
    const later = await start(files)
    await later.sweeper.catchUp()
    assert.equal(later.sweeper.unknown, starts === 0 ? 10 : 0)
    assert.equal(later.intents.count, 0)
    await stop(later)
  }
  assert.deepEqual(await outcomes(files), wanted(intents))
})

const RESERVED: readonly (readonly [
  why: string,
  fields: EntryDraft['fields'],
  says: Record<string, unknown>,
])[] = [
  ['without limits and prices nothing is said of them', {}, {}],
  [
    'what was reserved is what counts',
    { reserved_at: 5, tokens_reserved: 70, cost_reserved: 900 },
    { settled: 'unknown', tokens_charged: 70, cost: 900 },
  ],
  ['a price without a limit', { cost_reserved: 900 }, { settled: 'unknown', cost: 900 }],
  ['a limit of requests only', { reserved_at: 5 }, { settled: 'unknown', tokens_charged: 0 }],
]

for (const [why, fields, says] of RESERVED)
  test(`unknownOutcome says what limits count: ${why}`, async () => {
    const files = await emptyDisk()
    const first = await start(files)
    await first.ledger.append({ ...intent(1), fields: { ...intent(1).fields, ...fields } })
    await first.ledger.close()
    const later = await start(files)
    await later.sweeper.catchUp()
    await stop(later)
    const leaf = (await everything(files)).find((entry) => entry.leaf['kind'] === 'outcome')?.leaf ?? {}
    const frame = Object.fromEntries(['v', 'at', 'id', 'kind'].map((name) => [name, leaf[name]]))
    assert.deepEqual(leaf, { ...frame, status: 'unknown', code: 'outcome.unknown', ...says })
  })

test('Sweeper counts its outcomes under the route and model of the intent', async () => {
  const files = await emptyDisk()
  const first = await start(files)
  await first.ledger.append({
    ...intent(1),
    fields: { route: 'chat', resource: 'Model::"a \\"b"', action: 'x' },
  })
  await first.ledger.close()
  const counted: unknown[] = []
  const intents = new OpenIntents()
  const ledger = await openOn(files, { onRecorded: ({ countedAs }) => counted.push(countedAs) })
  const parts = { files, directory: LEDGER, path: SWEPT, sidecarKey: KEYS.sidecarKey, ledger, intents }
  await new Sweeper({ ...parts, clock: new HandClock(), isOurs: () => true }).catchUp()
  await ledger.close()
  assert.deepEqual(counted, [{ route: 'chat', model: 'a \\"b' }])
})

test('Sweeper leaves a request alone that is under way, until it was open at two calls in a row', async () => {
  const files = await emptyDisk()
  const running = await start(files)
  const { ledger, intents, sweeper } = running
  const [quick, slow, stuck] = [intent(0), intent(1), intent(2)]
  for (const each of [quick, slow, stuck]) await ledger.append(each)
  await sweeper.catchUp()
  await ledger.append(outcome(quick, 1))
  await sweeper.sweep()
  assert.equal(sweeper.unknown, 0)
  await ledger.append(outcome(slow, 1))
  await sweeper.sweep()
  assert.equal(sweeper.unknown, 1)
  await sweeper.sweep()
  assert.deepEqual([sweeper.unknown, intents.count], [1, 0])
  await stop(running)
  const found = await outcomes(files)
  assert.deepEqual(
    [quick, slow, stuck].map(({ id }) => found.get(id)),
    [[200], [200], ['unknown']],
  )
})

test('Sweeper looks across segments and logs, raw and sealed', async () => {
  const files = await emptyDisk()
  const first = await start(files, { segmentBytes: 20_000 })
  const open = intent(1)
  await first.ledger.append(open)
  const intents = await work(first.ledger, 0, 400)
  await first.ledger.checkpoint()
  await first.ledger.settled()
  const { segments } = await listSegments(files, await newestFolder(files))
  assert.ok(segments.filter(({ parts }) => parts.has('leaves')).length > 0, 'some are sealed')
  await first.ledger.close()
  const older = files.all()
  const second = await start(files)
  await second.ledger.append(draft('note', { what: 'lost' }))
  const head = await second.ledger.checkpoint()
  await second.ledger.close()
  // Put back, so that a new log begins behind this one.
  for (const path of files.all().keys()) files.tamper(path, older.get(path))
  const later = await start(files, { knownHeads: [head] })
  assert.equal((await listOrigins(files, LEDGER)).folders.length, 2)
  await later.sweeper.catchUp()
  await stop(later)
  const found = await outcomes(files)
  assert.deepEqual(found.get(open.id), ['unknown'])
  for (const [id, statuses] of wanted(intents)) assert.deepEqual(found.get(id), statuses)
})

test('Sweeper goes on behind the place that it remembers, and reads nothing before it', async () => {
  const files = await emptyDisk()
  const first = await start(files, { segmentBytes: 20_000 })
  await work(first.ledger, 0, 400)
  await first.sweeper.catchUp()
  await first.sweeper.sweep()
  await first.sweeper.sweep()
  const open = intent(1)
  await first.ledger.append(open)
  await first.sweeper.catchUp()
  await first.ledger.settled()
  await first.ledger.close()
  const sealed = segmentPath(await newestFolder(files), 0, 'leaves')
  const leaves = Buffer.from(await files.read(sealed))
  leaves[leaves.length - 40] = (leaves[leaves.length - 40] ?? 0) ^ 1
  files.tamper(sealed, leaves)
  const later = await start(files)
  await later.sweeper.catchUp()
  assert.deepEqual([later.sweeper.problem, later.sweeper.unknown], [undefined, 1])
  assert.deepEqual((await outcomes(files).catch(() => new Map())).get(open.id) ?? ['unknown'], ['unknown'])
  await stop(later)
})

test('Sweeper says where it cannot read, does not try again, and still settles what is its own', async () => {
  const files = await emptyDisk()
  const first = await start(files, { segmentBytes: 20_000 })
  await work(first.ledger, 0, 400)
  await first.ledger.checkpoint()
  await first.ledger.settled()
  await first.ledger.close()
  const sealed = segmentPath(await newestFolder(files), 0, 'leaves')
  const leaves = Buffer.from(await files.read(sealed))
  leaves.fill(0, leaves.length - 400)
  files.tamper(sealed, leaves)
  const later = await start(files)
  await later.sweeper.catchUp()
  assert.match(later.sweeper.problem ?? '', /000000000000\.leaves: cannot be read/)
  await later.ledger.append(intent(1))
  for (let calls = 0; calls < 3; calls++) await later.sweeper.sweep()
  assert.equal(later.sweeper.unknown, 1)
  assert.match(later.sweeper.problem ?? '', /cannot be read/)
  await stop(later)
  assert.equal(await files.facts(SWEPT), undefined, 'nothing is remembered')
})

const FORGOTTEN: readonly (readonly [why: string, change: (files: SimulatedFiles) => Promise<void>])[] = [
  ['it is gone', async (files) => files.tamper(SWEPT, undefined)],
  ['it is empty', async (files) => files.tamper(SWEPT, new Uint8Array(0))],
  [
    'a bit of it was changed',
    async (files) => {
      const bytes = Buffer.from(await files.read(SWEPT))
      bytes[20] = (bytes[20] ?? 0) ^ 1
      files.tamper(SWEPT, bytes)
    },
  ],
]

for (const [why, change] of FORGOTTEN)
  test(`Sweeper looks through all when what it remembered is of no use: ${why}`, async () => {
    const files = await emptyDisk()
    const first = await start(files)
    const intents = await work(first.ledger, 0, 6)
    await first.sweeper.catchUp()
    await stop(first)
    await change(files)
    const later = await start(files)
    await later.sweeper.catchUp()
    assert.equal(later.sweeper.unknown, 3)
    await stop(later)
    assert.deepEqual(await outcomes(files), wanted(intents))
  })

test('Sweeper looks through all when the ledger is older than what it remembers', async () => {
  const files = await emptyDisk()
  const first = await start(files)
  const intents = await work(first.ledger, 0, 6)
  await first.ledger.close()
  const before = files.all()
  const second = await start(files)
  await second.sweeper.catchUp()
  await work(second.ledger, 10, 6)
  await stop(second)
  for (const [path, bytes] of before) if (path.startsWith(LEDGER)) files.tamper(path, bytes)
  const later = await start(files)
  await later.sweeper.catchUp()
  assert.equal(later.sweeper.unknown, 3)
  await stop(later)
  assert.deepEqual(await outcomes(files), wanted(intents))
})

test('Sweeper holds so many at once and settles all the same', async () => {
  const files = await emptyDisk()
  const first = await start(files, { segmentBytes: 20_000 })
  const intents = await work(first.ledger, 0, 300)
  await first.ledger.close()
  const later = await start(files, { most: 7 })
  await later.sweeper.catchUp()
  assert.equal(later.sweeper.unknown, 150)
  await stop(later)
  assert.deepEqual(await outcomes(files), wanted(intents))
})

test('Sweeper tries again what could not be written', async () => {
  const files = await emptyDisk()
  const first = await start(files)
  const intents = await work(first.ledger, 0, 6)
  await first.ledger.close()
  const later = await start(files)
  await later.ledger.settled()
  files.judge = ({ kind, path }) => (kind === 'write' && path.endsWith('.raw') ? { code: 'ENOSPC' } : 'go')
  await later.sweeper.catchUp()
  assert.match(later.sweeper.problem ?? '', /ledger\.unwritable/)
  files.judge = () => 'go'
  await later.sweeper.catchUp()
  assert.deepEqual([later.sweeper.problem, later.sweeper.unknown], [undefined, 3])
  await stop(later)
  assert.deepEqual(await outcomes(files), wanted(intents))
})

test('Sweeper remembers nothing for a home that is no longer its own', async () => {
  const files = await emptyDisk()
  const { ledger, intents } = await start(files)
  const parts = { files, directory: LEDGER, path: SWEPT, sidecarKey: KEYS.sidecarKey, ledger, intents }
  const sweeper = new Sweeper({ ...parts, clock: new HandClock(), isOurs: () => false })
  await sweeper.catchUp()
  await sweeper.close()
  assert.equal(await files.facts(SWEPT), undefined)
  await ledger.close()
})

test('Sweeper stops at once when it is closed, and the next start does what is left', async () => {
  const files = await emptyDisk()
  const first = await start(files)
  const intents = await work(first.ledger, 0, 20)
  await first.ledger.close()
  const hurried = await start(files)
  const behind = hurried.sweeper.catchUp()
  await stop(hurried)
  await behind
  await hurried.sweeper.catchUp()
  assert.equal(hurried.sweeper.unknown, 0)
  const later = await start(files)
  await later.sweeper.catchUp()
  await stop(later)
  assert.deepEqual(await outcomes(files), wanted(intents))
})

test('Sweeper gives exactly one outcome whatever step a crash comes at, twice in a row', async () => {
  const prepared = await emptyDisk()
  const first = await start(prepared)
  const intents = await work(first.ledger, 0, 6)
  await first.ledger.append(draft('note', { what: 'between' }))
  await first.ledger.close()
  const quiet = prepared.reopen('lost')
  const steps = await sweepOnce(quiet, Number.POSITIVE_INFINITY)
  assert.ok(steps > 5, `${steps} steps`)
  for (const [at, survival] of SURVIVALS.entries())
    for (let step = at; step < steps; step += SURVIVALS.length) {
      let files = prepared.reopen('lost')
      for (const crashAt of [step, steps - 1 - step]) {
        await sweepOnce(files, crashAt)
        files = files.reopen(survival)
      }
      await sweepOnce(files, Number.POSITIVE_INFINITY)
      assert.deepEqual(await outcomes(files), wanted(intents), `${survival} at step ${step}`)
    }
})

/** One life of a door that sweeps at its start; gives how many steps it took. */
async function sweepOnce(files: SimulatedFiles, crashAt: number): Promise<number> {
  const before = files.steps.length
  files.judge = ({ number }) => (number - before >= crashAt ? 'crash' : 'go')
  try {
    const running = await start(files)
    await running.sweeper.catchUp()
    await running.sweeper.sweep()
    await stop(running)
  } catch (thrown) {
    if (crashAt === Number.POSITIVE_INFINITY) throw thrown
  }
  return files.steps.length - before
}
