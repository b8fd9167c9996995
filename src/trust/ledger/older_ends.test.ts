import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyDisk, intent, LEDGER, openOn } from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { peekCheckpoint, type Head } from './checkpoint.ts'
import { olderEnds } from './older_ends.ts'

/** Three logs, each begun because the home was restored; where each ended. */
async function threeLogs(): Promise<{ files: SimulatedFiles; ends: readonly Head[] }> {
  const files = await emptyDisk()
  const ends: Head[] = []
  for (const count of [4, 2, 1]) {
    const ledger = await openOn(files, { restored: ends.at(-1) })
    for (let at = 0; at < count; at++) await ledger.append(intent(at))
    ends.push(peekCheckpoint(await ledger.checkpoint()) ?? assert.fail())
    await ledger.close()
  }
  return { files, ends }
}

const { files, ends } = await threeLogs()
const [first = assert.fail(), second = assert.fail(), third = assert.fail()] = ends

const ASKED: readonly (readonly [why: string, origin: string, expected: readonly Head[]])[] = [
  ['the newest log, all before it', third.origin, [second, first]],
  ['an older one, only those before it', second.origin, [first]],
  ['the first, none', first.origin, []],
  ['one that is not here, none', 'gatehouse.local/x', []],
]

for (const [why, origin, expected] of ASKED)
  test(`olderEnds gives where the logs before one ended: of ${why}`, async () => {
    const found = await olderEnds(files, LEDGER, origin)
    assert.deepEqual(
      found.map((end) => ({ ...end, root: Buffer.from(end.root) })),
      expected.map((end) => ({ ...end, root: Buffer.from(end.root) })),
    )
  })
