import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EntryDraft } from '#base/recorder.ts'
import { emptyDisk, intent, KEYS, LEDGER, openOn } from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { entriesSince, type EntriesParts } from './entries_since.ts'
import { listOrigins } from './layout.ts'
import type { Ledger } from './ledger.ts'

const OPTIONS = { segmentBytes: 10_000 }
const DAY_MS = 86_400_000
const EARLY = 1_795_000_000_000

async function fill(ledger: Ledger, first: number, count: number, at: number): Promise<void> {
  for (let number = first; number < first + count; number += 1) {
    const draft: EntryDraft = {
      ...intent(number),
      at,
      fields: { tokens_reserved: number, counters: [`c${number}`] },
    }
    await ledger.append(draft)
  }
}

/** Two sealed segments of one day, an active one of the next, and a log behind it. */
async function scene(): Promise<SimulatedFiles> {
  const files = await emptyDisk()
  const first = await openOn(files, OPTIONS)
  await fill(first, 0, 600, EARLY)
  await first.checkpoint()
  await first.settled()
  await fill(first, 600, 5, EARLY + DAY_MS)
  await first.close()
  const ahead = files.reopen('kept')
  const later = await openOn(ahead, OPTIONS)
  await fill(later, 0, 1, EARLY)
  const head = await later.checkpoint()
  await later.close()
  const second = await openOn(files, { ...OPTIONS, knownHeads: [head] })
  await fill(second, 605, 3, EARLY + 2 * DAY_MS)
  await second.close()
  return files
}

async function numbersFrom(files: SimulatedFiles, from: EntriesParts['from']): Promise<readonly unknown[]> {
  const found: unknown[] = []
  const isWanted = (leaf: Buffer): boolean => leaf.includes('"counters":"')
  const parts = { files, directory: LEDGER, sidecarKey: KEYS.sidecarKey, from, isWanted }
  for await (const { leaf, values } of entriesSince(parts)) {
    assert.deepEqual(values['counters'], [`c${Number(leaf['tokens_reserved'])}`])
    found.push(leaf['tokens_reserved'])
  }
  return found
}

test('entriesSince gives the wanted entries of all logs, oldest first, with their sensitive values', async () => {
  const files = await scene()
  const all = await numbersFrom(files, { at: 0 })
  assert.deepEqual(
    all,
    Array.from({ length: 608 }, (_, number) => number),
  )
})

test('entriesSince leaves out segments that end before a time, and none that may hold an entry of it', async () => {
  const files = await scene()
  const found = await numbersFrom(files, { at: EARLY + DAY_MS })
  assert.ok(found.length < 500 && found.length >= 8, `${found.length} were read`)
  assert.deepEqual(found.slice(-8), [600, 601, 602, 603, 604, 605, 606, 607])
})

test('entriesSince begins with an entry of the newest log', async () => {
  const files = await scene()
  const all = await numbersFrom(files, { entry: 0 })
  assert.deepEqual(all, [605, 606, 607])
  // Its first entry says what it follows.
  assert.deepEqual(await numbersFrom(files, { entry: 2 }), [606, 607])
  assert.deepEqual(await numbersFrom(files, { entry: 99 }), [])
})

test('entriesSince proves the older logs: the newest is proven when it is opened', async () => {
  const files = await scene()
  const [older, newer] = (await listOrigins(files, LEDGER)).folders
  const disk = files.reopen('kept')
  disk.tamper(`${newer?.path}/checkpoint`, undefined)
  assert.equal((await numbersFrom(disk, { at: 0 })).length, 608)
  disk.tamper(`${older?.path}/checkpoint`, undefined)
  assert.equal((await numbersFrom(disk, { entry: 0 })).length, 3, 'it is not read')
  await assert.rejects(numbersFrom(disk, { at: 0 }), { code: 'ledger.corrupt' })
})
