import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newEntryId } from '#base/ids.ts'
import type { JsonObject } from '#base/json.ts'
import type { RecordedChange } from '#trust/access/recorded_change.ts'
import type { Ledger } from '#trust/ledger/ledger.ts'
import {
  emptyDisk,
  HandClock,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
  readAll,
} from '../test/support/ledger_fixture.ts'
import { shredEntries } from '#trust/ledger/shred.ts'
import type { SimulatedFiles } from '../test/support/simulated_files.ts'
import { HeadKeeper, mendState, watchClock, type MendParts } from './main_state.ts'

interface Mended {
  readonly problems: readonly string[]
  readonly seen: readonly RecordedChange[]
}

async function mend(
  files: SimulatedFiles,
  ledger: Ledger,
  more: { mark?: string; clock?: HandClock; headFault?: MendParts['headFault'] } = {},
): Promise<Mended> {
  const seen: RecordedChange[] = []
  const problems = await mendState({
    files,
    directory: LEDGER,
    sidecarKey: KEYS.sidecarKey,
    ledger,
    callers: {
      replay: (changes) => {
        seen.push(...changes)
        return { made: changes.length, missing: 0 }
      },
    },
    mark: { read: () => more.mark },
    clock: more.clock ?? new HandClock(),
    headFault: more.headFault,
  })
  return { problems, seen }
}

async function change(ledger: Ledger, fields: JsonObject, outcome?: JsonObject): Promise<void> {
  const id = newEntryId()
  await ledger.append({ kind: 'change', id, at: 7, fields, reserved: true })
  if (outcome !== undefined)
    await ledger.append({ kind: 'outcome', id, at: 8, fields: outcome, reserved: true })
}

test('mendState hands over what the ledger has of keys and callers, and notes what was made again', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await change(ledger, { what: 'caller:disable', name: 'before the mark' })
  const mark = await ledger.checkpoint()
  await change(ledger, { what: 'caller:disable', name: 'demo' }, { status: 200 })
  await change(ledger, { what: 'key:revoke', kid: 'kid000000001' })
  await change(ledger, { what: 'key:rotate', kid: 'kid000000001' }, { status: 409, code: 'key.conflicting' })
  await change(ledger, { what: 'key:create', name: 'new' }, { status: 201, kid: 'kid000000002' })
  const { problems, seen } = await mend(files, ledger, { mark })
  assert.deepEqual(seen, [
    { what: 'caller:disable', at: 7, kid: undefined, values: { name: 'demo' }, isMade: true },
    { what: 'key:revoke', at: 7, kid: 'kid000000001', values: {}, isMade: false },
    { what: 'key:rotate', at: 7, kid: 'kid000000001', values: {}, isMade: false },
    { what: 'key:create', at: 7, kid: 'kid000000002', values: { name: 'new' }, isMade: true },
  ])
  assert.match(problems.join(), /4 changes of keys and callers were made again/)
  const last = (await readAll(files)).at(-1)
  assert.deepEqual([last?.leaf['what'], last?.leaf['count']], ['state.behind', 4])
  assert.equal((await mend(files, ledger)).seen.length, 5, 'without a mark all of them')
  await ledger.close()
})

test('mendState refuses: whom the ledger disabled cannot be read any more', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await change(ledger, { what: 'caller:disable', name: 'demo' })
  await ledger.close()
  await shredEntries(files, await newestFolder(files), KEYS.sidecarKey, { from: 0, to: 1 })
  const again = await openOn(files)
  await assert.rejects(mend(files, again), { code: 'ledger.corrupt' })
  await again.close()
})

test('mendState tells what else an operator must know: a missing head, a clock that went back', async () => {
  const files = await emptyDisk()
  const clock = new HandClock()
  const first = await openOn(files)
  await first.append(intent(0))
  await first.close()
  const rows: readonly (readonly [
    why: string,
    move: number,
    headFault: MendParts['headFault'],
    says: RegExp,
    what: string[],
  ])[] = [
    ['all is well', 0, undefined, /^$/, []],
    ['half a minute back', -30_000, undefined, /^$/, []],
    ['a year ahead', 365 * 86_400_000, undefined, /^$/, []],
    ['a day back', -86_400_000, undefined, /stands 86400 s before the newest entry/, ['clock.behind']],
    ['no head', 0, 'missing', /HOME\/head was gone/, ['head.missing']],
    ['another head', 0, 'invalid', /^$/, ['head.invalid']],
  ]
  for (const [why, move, headFault, says, what] of rows) {
    const disk = files.reopen('kept')
    const ledger = await openOn(disk)
    const moved = new HandClock()
    moved.time = clock.time + move
    const { problems } = await mend(disk, ledger, { clock: moved, headFault })
    assert.match(problems.join(), says, why)
    assert.deepEqual(
      (await readAll(disk)).slice(1).map(({ leaf }) => leaf['what']),
      what,
      why,
    )
    await ledger.close()
  }
})

test('watchClock puts a note into the ledger when the clock is set back, and none while it only goes on', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  let [wall, since] = [1_795_000_000_000, 0]
  const watch = watchClock({ ledger, clock: { now: () => wall, monotonic: () => since } })
  for (const passed of [5_000, 5_000, -3_600_000, 5_000]) {
    wall += passed
    since += 5_000
    watch.look()
  }
  watch.close()
  await ledger.append(intent(0))
  const entries = await readAll(files)
  await ledger.close()
  assert.deepEqual(
    entries.map(({ leaf }) => [leaf['kind'], leaf['ms']]),
    [
      ['note', -3_605_000],
      ['intent', undefined],
    ],
  )
})

test('HeadKeeper keeps the newest checkpoint in both places, and nothing once the home is not ours', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  const marks: string[] = []
  let isHeld = true
  const keeper = new HeadKeeper({
    files,
    path: '/home/head',
    ledger,
    mark: { write: (text) => void marks.push(text) },
    isOurs: () => isHeld,
  })
  await keeper.start()
  const head = async (): Promise<string> => Buffer.from(await files.read('/home/head')).toString()
  assert.deepEqual(marks, [await head()])
  await ledger.append(intent(1))
  await keeper.close()
  const newest = await ledger.checkpoint()
  assert.deepEqual([await head(), marks.at(-1)], [newest, newest])
  await ledger.append(intent(2))
  isHeld = false
  await keeper.close()
  assert.deepEqual([await head(), marks.length], [newest, 2])
  files.judge = () => ({ code: 'EIO' })
  isHeld = true
  await keeper.close()
  assert.equal(marks.length, 2, 'what cannot be kept is no reason to stop')
  files.judge = () => 'go'
  await ledger.close()
})
