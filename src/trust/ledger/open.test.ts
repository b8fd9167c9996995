import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  emptyDisk,
  HandClock,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
  readAll,
} from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { listOrigins } from './layout.ts'
import type { LedgerOptions } from './open.ts'
import { verifyLedger } from './verify.ts'

/** A checkpoint of four entries whose ledger is gone. */
async function goneLedger(): Promise<{ files: SimulatedFiles; head: string }> {
  const before = await emptyDisk()
  return { files: await emptyDisk(), head: await write(before, 4) }
}

/** A ledger of two entries, and the checkpoint of five that it once had. */
async function olderLedger(): Promise<{ files: SimulatedFiles; head: string }> {
  const now = await emptyDisk()
  await write(now, 2)
  const files = now.reopen('kept')
  return { files, head: await write(now, 3) }
}

async function write(
  files: SimulatedFiles,
  count: number,
  more: Partial<LedgerOptions> = {},
): Promise<string> {
  const ledger = await openOn(files, more)
  await Promise.all(Array.from({ length: count }, (_, at) => ledger.append(intent(at))))
  const head = await ledger.checkpoint()
  await ledger.settled()
  await ledger.close()
  return head
}

async function found(
  files: SimulatedFiles,
): Promise<{ ok: boolean; lost: number; logs: number; statement: string }> {
  const { ok, lost, statement } = await verifyLedger({ files, directory: LEDGER, keys: KEYS })
  return { ok, lost, logs: (await listOrigins(files, LEDGER)).folders.length, statement }
}

test('openLedger refuses a ledger that is gone where the home was in use, and names the fix', async () => {
  const { files, head } = await goneLedger()
  for (const knownHeads of [[], [head]]) {
    const thrown: unknown = await openOn(files, { knownHeads, onLoss: 'refuse' }).catch(
      (each: unknown) => each,
    )
    assert.ok(thrown instanceof Error && 'code' in thrown && 'say' in thrown)
    assert.equal(thrown.code, 'home.damaged')
    assert.match(String(thrown.say), /--accept-loss/)
    assert.equal((await listOrigins(files, LEDGER)).folders.length, 0)
  }
})

test('openLedger starts anew where the loss of all is accepted, and the first entry says so', async () => {
  const files = await emptyDisk()
  await write(files, 1, { onLoss: 'accept' })
  const [opening] = await readAll(files)
  assert.deepEqual(
    [opening?.leaf['what'], opening?.leaf['before'], opening?.leaf['after'], opening?.leaf['reason']],
    ['ledger.succeeded', null, [], 'loss.accepted'],
  )
  const { ok, lost, statement } = await found(files)
  assert.deepEqual([ok, lost], [true, 0])
  assert.match(statement, /the ledger that was here before was lost/)
})

const LOSSES = [
  ['the whole ledger is gone', goneLedger, 4, 1],
  ['the ledger is an older one', olderLedger, 3, 2],
] as const

for (const [why, scene, lost, logs] of LOSSES) {
  test(`a loss stays a problem until it is accepted, once: ${why}`, async () => {
    const { files, head } = await scene()
    const stated = await openOn(files, { knownHeads: [head] })
    assert.match(stated.state().problems.join(), new RegExp(`^${lost} entries were lost`))
    await stated.close()
    const again = await openOn(files, { knownHeads: [head], onLoss: 'refuse' })
    assert.equal(again.origin, stated.origin)
    assert.match(again.state().problems.join(), /entries were lost/)
    await again.close()
    const open = await found(files)
    assert.deepEqual([open.ok, open.lost, open.logs], [false, lost, logs])

    for (let time = 0; time < 2; time++) {
      const accepted = await openOn(files, { knownHeads: [head], onLoss: 'accept' })
      assert.deepEqual(accepted.state().problems, [])
      await accepted.close()
    }
    const after = await openOn(files, { knownHeads: [head] })
    assert.deepEqual(after.state().problems, [])
    await after.close()
    const closed = await found(files)
    assert.deepEqual([closed.ok, closed.lost, closed.logs], [true, lost, logs + 1])
    assert.match(closed.statement, new RegExp(`${lost} entries were lost`))
  })

  test(`a loss that is accepted when it shows is no problem: ${why}`, async () => {
    const { files, head } = await scene()
    const ledger = await openOn(files, { knownHeads: [head], onLoss: 'accept' })
    assert.deepEqual(ledger.state().problems, [])
    await ledger.close()
    const closed = await found(files)
    assert.deepEqual([closed.ok, closed.lost, closed.logs], [true, lost, logs])
  })
}

test('a loss stays a problem: the log that states it begins with a sealed segment', async () => {
  const { files, head } = await goneLedger()
  const options = { segmentBytes: 10_000, knownHeads: [head] }
  await write(files, 300, options)
  assert.ok(files.all().has(`${(await newestFolder(files)).path}/000000000000.leaves`))
  const again = await openOn(files, options)
  assert.match(again.state().problems.join(), /4 entries were lost/)
  await again.close()
})

test('a ledger stops for good when the home is not ours any more: nothing is written or signed', async () => {
  const files = await emptyDisk()
  const clock = new HandClock()
  let isHeld = true
  const ledger = await openOn(files, { clock, isOurs: () => isHeld })
  await ledger.append(intent(1))
  await ledger.checkpoint()
  await ledger.append(intent(2))
  await ledger.settled()
  const before = [...files.all()]
  isHeld = false
  // No other process opens the home and writes to it in less.
  clock.time += 10
  assert.deepEqual(ledger.state().writable, { kind: 'no', reason: 'the lock of the home was taken away' })
  await assert.rejects(ledger.append(intent(3)), { code: 'ledger.unwritable' })
  await assert.rejects(ledger.checkpoint(), { code: 'ledger.unwritable' })
  await ledger.close()
  assert.deepEqual([...files.all()], before)
})

test('openLedger appends nothing to the log of a copy that was restored, whether or not it is known what followed', async () => {
  for (const isKnown of [false, true]) {
    const { files, head } = await olderLedger()
    const { origin } = await newestFolder(files)
    const restored = { origin, size: 2, root: new Uint8Array(32) }
    const knownHeads = isKnown ? [head] : []
    for (let starts = 0; starts < 3; starts++) {
      const ledger = await openOn(files, { restored, knownHeads })
      assert.notEqual(ledger.origin, origin)
      assert.equal(ledger.state().problems.length, isKnown ? 1 : 0)
      await ledger.append(intent(9))
      await ledger.close()
      assert.equal((await listOrigins(files, LEDGER)).folders.length, 2, 'once only')
    }
    const [opening] = await readAll(files)
    const { what, reason, before, after } = opening?.leaf ?? {}
    assert.deepEqual([what, reason], ['ledger.succeeded', 'home.restored'])
    assert.equal((before as { size: number }).size, 2)
    assert.deepEqual(
      (after as { size: number }[]).map(({ size }) => size),
      isKnown ? [5] : [],
    )
    const report = await verifyLedger({ files, directory: LEDGER, keys: KEYS })
    assert.deepEqual([report.ok, report.lost], [!isKnown, isKnown ? 3 : 0])
    assert.deepEqual(
      report.restores.map(({ before: head, lost }) => [head?.size, lost]),
      [[2, isKnown ? 3 : 0]],
    )
    if (!isKnown) assert.match(report.statement, /restored from a copy/)
  }
})
