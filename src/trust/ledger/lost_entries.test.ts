import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { emptyDisk, intent, openOn, readAll } from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import type { Ledger } from './ledger.ts'

const RESERVED = { reserved: true }
const TOLD = /2 entries were lost/

/** Loses two entries whose draft makes no leaf. */
function loseTwo(ledger: Ledger): void {
  for (const number of [1, 2]) ledger.appendLater(() => ({ ...intent(number), id: 'short' }))
}

async function notes(files: SimulatedFiles): Promise<readonly unknown[]> {
  return (await readAll(files)).map(({ leaf }) => leaf['what'] && [leaf['what'], leaf['count']])
}

test('a lost entry stays a problem until a note counts it: written before what comes next, whoever that is', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  loseTwo(ledger)
  await nextTurn()
  assert.match(ledger.state().problems.join(), TOLD)
  await ledger.append(intent(3, RESERVED))
  await nextTurn()
  assert.deepEqual(ledger.state().problems, [])
  assert.deepEqual(await notes(files), [['entries.lost', 2], undefined])
  await assert.rejects(ledger.append(intent(4)), { code: 'internal.bug' }, 'the next ordinary one is refused')
  await ledger.append(intent(5))
  await ledger.close()
  assert.equal((await notes(files)).length, 3, 'once')
})

test('a lost entry is counted by the end at the latest: nothing comes after it', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  loseTwo(ledger)
  await ledger.close()
  assert.deepEqual(await notes(files), [['entries.lost', 2]])
})

test('a lost entry does not use the reserve up: it is counted once there is room, or from the reserve at the end', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { maxBytes: 20_000, reserveBytes: 4_000 })
  while (ledger.state().writable.kind === 'yes') await ledger.append(intent(0))
  for (let number = 0; number < 40; number++) ledger.appendLater(() => intent(number))
  for (const number of [1, 2]) {
    await ledger.append(intent(number, RESERVED))
    assert.match(ledger.state().problems.join(), /entries were lost/)
  }
  await ledger.close()
  const counted = (await notes(files)).filter((each) => each !== undefined)
  assert.match(JSON.stringify(counted), /^\[\["entries\.lost",[23][0-9]\]\]$/)
})

test('close says that a loss could not be recorded, after it has closed', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await ledger.append(intent(0))
  files.judge = (step) => (step.kind === 'write' ? { code: 'EIO' } : 'go')
  ledger.appendLater(() => intent(1))
  await assert.rejects(ledger.append(intent(2, RESERVED)), { code: 'ledger.unwritable' })
  assert.match(ledger.state().problems.join(), /1 entries were lost/)
  await assert.rejects(ledger.close(), { code: 'ledger.unwritable', detail: { lost: 1 } })
  assert.deepEqual(ledger.state().writable, { kind: 'no', reason: 'the ledger is closed' })
  await ledger.close()
})

test('close waits for entries that nobody waits for before it counts what was lost', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  files.judge = (step) => (step.kind === 'write' ? { code: 'EIO' } : 'go')
  ledger.appendLater(() => intent(1))
  await assert.rejects(ledger.close(), { code: 'ledger.unwritable', detail: { lost: 1 } })
})
