import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EntryDraft, Receipt } from '#base/recorder.ts'
import {
  draft,
  emptyDisk,
  intent,
  KEYS,
  LEDGER,
  openOn,
  PUBLIC_KEYS,
  readAll,
} from '../../../test/support/ledger_fixture.ts'
import { checkEveryStep } from '../../../test/support/every_step.ts'
import { SURVIVALS, type SimulatedFiles } from '../../../test/support/simulated_files.ts'
import type { Ledger } from './ledger.ts'
import { verifyLedger } from './verify.ts'

const ANCHOR = '/anchor/checkpoint'
/** With room for a few groups, so that some make it and some are written over it. */
const OPTIONS = { segmentBytes: 10_000, roomBytes: 25_000, anchors: [ANCHOR] }
/** More entries than one bundle, so that a segment ends and is sealed. */
const GROUPS = 8
const GROUP_ENTRIES = 36

interface Promised {
  readonly acknowledged: { readonly draft: EntryDraft; readonly receipt: Receipt }[]
  readonly published: string[]
}

/** Everything a ledger does in its life; stops quietly where the disk stops it. */
async function live(files: SimulatedFiles): Promise<Promised> {
  const promised: Promised = { acknowledged: [], published: [] }
  const ledger = await openOn(files, OPTIONS).catch(() => undefined)
  if (ledger === undefined) return promised
  for (let group = 0; group < GROUPS; group++) {
    await Promise.all(
      Array.from({ length: GROUP_ENTRIES }, (_, at) => record(ledger, group * GROUP_ENTRIES + at, promised)),
    )
    if (group === 2) await publish(ledger, promised)
  }
  await publish(ledger, promised)
  await ledger.settled()
  await ledger.close().catch(() => undefined)
  return promised
}

async function record(ledger: Ledger, number: number, promised: Promised): Promise<void> {
  const entry = draft('note', { what: 'ledger.tried', asked: `secret ${number}` })
  const receipt = await ledger.append(entry).catch(() => undefined)
  if (receipt !== undefined) promised.acknowledged.push({ draft: entry, receipt })
}

async function publish(ledger: Ledger, promised: Promised): Promise<void> {
  const text = await ledger.checkpoint().catch(() => undefined)
  if (text !== undefined) promised.published.push(text)
}

/** What must hold on whatever disk is left: it opens, has all that was promised, goes on, and verifies. */
async function checkDisk(files: SimulatedFiles, promised: Promised): Promise<void> {
  const anchored = await files.read(ANCHOR).catch(() => undefined)
  const published = [...promised.published]
  if (anchored !== undefined) published.push(Buffer.from(anchored).toString('utf8'))
  const ledger = await openOn(files, OPTIONS)
  const first = promised.acknowledged[0]
  if (first !== undefined) assert.equal(ledger.origin, first.receipt.origin)
  const found = await readAll(files, { sidecarKey: KEYS.sidecarKey })
  for (const { draft, receipt } of promised.acknowledged) {
    const entry = found[receipt.index]
    assert.equal(entry?.leaf['id'], draft.id, `entry ${receipt.index} was acknowledged and is lost`)
    assert.equal(entry.opened?.['asked']?.value, draft.fields['asked'])
  }
  const { index } = await ledger.append(intent(9_999))
  // The power may fail at once: what the second process went on from must be as durable as its own work.
  const early = files.reopen('lost')
  await (await openOn(early, OPTIONS)).close()
  assert.ok((await readAll(early)).length > index, 'an entry of the second process was lost')
  published.push(await ledger.checkpoint())
  await ledger.settled()
  await ledger.close()
  const rest = files.reopen('lost')
  for (const against of published) {
    const keys = { logKeys: PUBLIC_KEYS, sidecarKey: KEYS.sidecarKey }
    const report = await verifyLedger({ files: rest, directory: LEDGER, keys, against })
    assert.deepEqual(report.problems, [])
  }
}

const LIFE = { live, checkDisk }

test('openLedger keeps every acknowledged entry: the machine stops at any step, whatever survives of unsynced work', async () => {
  const steps = await checkEveryStep(LIFE, 'crash', SURVIVALS)
  assert.ok(steps > 60, `the life has ${steps} steps`)
})

for (const code of ['EIO', 'ENOSPC'])
  test(`openLedger keeps every acknowledged entry: one step fails with ${code}, then the machine stops`, async () => {
    await checkEveryStep(LIFE, { code }, ['lost'])
  })

test('openLedger syncs what it acknowledges: the same life without a crash leaves everything durable', async () => {
  const files = await emptyDisk()
  const promised = await live(files)
  assert.equal(promised.acknowledged.length, GROUPS * GROUP_ENTRIES)
  assert.equal(promised.published.length, 2)
  const names = [...files.all().keys()].map((path) => path.slice(path.lastIndexOf('.')))
  assert.ok(names.includes('.leaves'), 'a segment was sealed')
  await checkDisk(files.reopen('lost'), promised)
})

test('openLedger notes what it cut: a torn group after a crash', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await ledger.settled()
  await ledger.append(intent(1))
  files.judge = (step) => (step.kind === 'datasync' && step.path.endsWith('.raw') ? 'crash' : 'go')
  await assert.rejects(ledger.append(intent(2)), { code: 'ledger.unwritable' })
  const after = files.reopen('torn')
  const again = await openOn(after)
  const entries = await readAll(after)
  assert.deepEqual(
    entries.map(({ leaf }) => leaf['what'] ?? leaf['kind']),
    ['intent', 'ledger.mended'],
  )
  await again.close()
  assert.equal((await verifyLedger({ files: after, directory: LEDGER })).ok, true)
})
