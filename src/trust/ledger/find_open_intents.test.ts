import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  draft,
  emptyDisk,
  intent,
  LEDGER,
  newestFolder,
  openOn,
  outcome,
} from '../../../test/support/ledger_fixture.ts'
import { findOpenIntents, type LogPlace, type OpenIntentParts } from './find_open_intents.ts'

const [A, B, C, D, E] = [intent(1), intent(2), intent(3), intent(4), intent(5)] as const
const OTHER = intent(6)

/** Two logs, the second after a restore: A and D have outcomes, and so has another from before all this. */
async function twoLogs() {
  const files = await emptyDisk()
  const first = await openOn(files)
  for (const each of [A, B, outcome(A, 1), draft('note', { what: 'x' }), outcome(OTHER, 1)])
    await first.append(each)
  await first.close()
  const restored = { origin: first.origin, size: 5, root: new Uint8Array(32) }
  const second = await openOn(files, { restored })
  // Behind its opening entry.
  for (const each of [C, D, outcome(D, 1), E]) await second.append(each)
  await second.close()
  return { files, older: first.origin, newer: second.origin }
}

const { files, older, newer } = await twoLogs()
const END = { origin: newer, entry: 5 }

async function find(
  more: Partial<OpenIntentParts>,
): Promise<{ open: readonly string[]; next: LogPlace | undefined }> {
  const parts = {
    files,
    directory: LEDGER,
    from: undefined,
    to: END,
    before: [],
    most: 100,
    isStopped: () => false,
  }
  const { open, next } = await findOpenIntents({ ...parts, ...more })
  return { open: open.map(({ id }) => id), next }
}

const FOUND: readonly [why: string, more: Partial<OpenIntentParts>, open: readonly { id: string }[]][] = [
  ['from the beginning', {}, [B, C, E]],
  ['from an entry of the older log', { from: { origin: older, entry: 1 } }, [B, C, E]],
  ['from behind it', { from: { origin: older, entry: 2 } }, [C, E]],
  ['from the end of the older log', { from: { origin: older, entry: 5 } }, [C, E]],
  ['from an entry of the newer log', { from: { origin: newer, entry: 2 } }, [E]],
  ['from a log that is not there', { from: { origin: 'gatehouse.local/none', entry: 3 } }, [B, C, E]],
  ['up to an entry', { to: { origin: newer, entry: 4 } }, [B, C]],
  ['up to an intent whose outcome comes later', { to: { origin: newer, entry: 3 } }, [B, C, D]],
  [
    'with what was open before',
    {
      before: [
        { id: OTHER.id, fields: {} },
        { id: 'x', fields: {} },
      ],
    },
    [{ id: 'x' }, B, C, E],
  ],
]

for (const [why, more, open] of FOUND)
  test(`findOpenIntents gives the intents without an outcome: ${why}`, async () => {
    assert.deepEqual(await find(more), { open: open.map(({ id }) => id), next: undefined })
  })

test('findOpenIntents gives the oldest where there are more than it may hold, and says from where to go on', async () => {
  // Of A it is certain only once its outcome is seen.
  assert.deepEqual(await find({ most: 1 }), { open: [], next: { origin: older, entry: 1 } })
  assert.deepEqual(await find({ most: 2 }), { open: [B.id, C.id], next: { origin: newer, entry: 2 } })
  assert.deepEqual(await find({ most: 3 }), { open: [B.id, C.id, E.id], next: undefined })
  // Once those are settled.
  assert.deepEqual(await find({ most: 2, from: { origin: newer, entry: 2 } }), {
    open: [E.id],
    next: undefined,
  })
})

test('findOpenIntents reads no log that it need not, and stops when nobody waits any more', async () => {
  const disk = files.reopen('kept')
  const reads: string[] = []
  const read = disk.read.bind(disk)
  disk.read = (path) => {
    if (path.endsWith('.raw')) reads.push(path)
    return read(path)
  }
  const { path } = await newestFolder(files)
  await find({ files: disk, from: { origin: newer, entry: 1 } })
  assert.deepEqual(reads, [`${path}/000000000000.raw`])
  reads.length = 0
  await find({ files: disk, from: { origin: newer, entry: 5 }, to: { origin: newer, entry: 0 } })
  assert.deepEqual(reads, [])
  assert.deepEqual((await find({ isStopped: () => true })).open, [])
})

test('findOpenIntents says which segment cannot be read', async () => {
  const disk = files.reopen('kept')
  const place = `${(await newestFolder(files)).path}/000000000000.raw`
  disk.tamper(place, Buffer.from('x'))
  await assert.rejects(find({ files: disk }), {
    code: 'ledger.corrupt',
    detail: { place, what: 'cannot be read' },
  })
})
