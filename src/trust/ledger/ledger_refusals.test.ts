import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { emptyDisk, HandClock, intent, newestFolder, openOn } from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles, Step, Verdict } from '../../../test/support/simulated_files.ts'
import type { Ledger } from './ledger.ts'

const RESERVED = { reserved: true }

/** Why an entry was refused; undefined when it was written. */
async function refusalOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work
    return undefined
  } catch (thrown) {
    assert.ok(thrown instanceof Fault && thrown.code === 'ledger.unwritable')
    return thrown.detail['reason']
  }
}

/** A ledger with its reserve, on a disk on which the writes to its segment end like this, and then well. */
async function failing(codes: readonly string[]): Promise<{ files: SimulatedFiles; ledger: Ledger }> {
  const files = await emptyDisk()
  const ledger = await openOn(files, { reserveBytes: 8_192, roomBytes: 0 })
  await ledger.settled()
  let writes = 0
  files.judge = ({ kind, path }: Step): Verdict => {
    if (kind !== 'write' || !path.endsWith('.raw')) return 'go'
    const code = codes[writes++]
    return code === undefined ? 'go' : { code }
  }
  return { files, ledger }
}

const FULL = 'the disk is full'
const BROKEN = 'a write failed: EIO'
const REFUSALS: readonly [
  why: string,
  codes: readonly string[],
  ordinary: string | undefined,
  reserved: string | undefined,
  later: string | undefined,
][] = [
  ['the disk takes it', [], undefined, undefined, undefined],
  ['it is full for ordinary entries', ['ENOSPC'], FULL, undefined, undefined],
  ['it is full for all', ['ENOSPC', 'ENOSPC'], FULL, FULL, undefined],
  ['it fails', ['EIO'], BROKEN, BROKEN, BROKEN],
  ['it fails once it was full', ['ENOSPC', 'EIO'], FULL, FULL, BROKEN],
]

for (const [why, codes, ordinary, reserved, later] of REFUSALS)
  test(`append says why an entry of a group was refused: ${why}`, async () => {
    const { ledger } = await failing(codes)
    const group = [ledger.append(intent(1)), ledger.append({ ...intent(2), ...RESERVED })]
    assert.deepEqual(await Promise.all(group.map(refusalOf)), [ordinary, reserved])
    assert.equal(await refusalOf(ledger.append({ ...intent(3), ...RESERVED })), later)
    await ledger.close()
    assert.equal(await refusalOf(ledger.append(intent(4))), 'the ledger is closed')
  })

test('append says that too many entries wait', async () => {
  const { ledger } = await failing([])
  const large = { ...intent(1), fields: { asked: Array.from({ length: 50 }, () => 'x'.repeat(1_000)) } }
  const all = await Promise.all(
    Array.from({ length: 200 }, async () => await refusalOf(ledger.append(large))),
  )
  assert.deepEqual([...new Set(all)], [undefined, 'too many entries wait to be written'])
  await ledger.close()
})

test('append refuses for good: its file cannot even be looked at', async () => {
  const files = await emptyDisk()
  const clock = new HandClock()
  const ledger = await openOn(files, { clock })
  await ledger.append(intent(1))
  const facts = files.facts.bind(files)
  files.facts = async (path) => (path.endsWith('.raw') ? Promise.reject(new Error('no')) : await facts(path))
  assert.equal(await refusalOf(ledger.append(intent(2))), undefined, 'it looks once a second')
  clock.time += 1_000
  for (let at = 0; at < 2; at++)
    assert.equal(await refusalOf(ledger.append(intent(3))), 'the ledger file cannot be looked at')
  await ledger.close()
})

test('openLedger seals what an earlier process left full, once a checkpoint covers it: and counts it as sealed', async () => {
  const files = await emptyDisk()
  const first = await openOn(files, { segmentBytes: 10_000, isBusy: () => true })
  await Promise.all(Array.from({ length: 300 }, async (_, at) => await first.append(intent(at))))
  await first.checkpoint()
  await first.close()
  const { path } = await newestFolder(files)
  assert.ok(files.all().has(`${path}/000000000000.raw`))
  const again = await openOn(files, { segmentBytes: 10_000 })
  const before = again.state().bytesPerEntry ?? 0
  await again.append(intent(1))
  await again.checkpoint()
  await again.settled()
  assert.ok(!files.all().has(`${path}/000000000000.raw`))
  assert.ok(files.all().has(`${path}/000000000000.leaves`))
  const { bytesPerEntry = assert.fail() } = again.state()
  assert.ok(bytesPerEntry > 32 && bytesPerEntry < before, `${bytesPerEntry} bytes, and ${before} before`)
  await again.close()
})
