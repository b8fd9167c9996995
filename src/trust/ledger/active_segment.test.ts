import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, utf8 } from '#base/bytes.ts'
import { emptyDisk } from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { ActiveSegment, isUntouched } from './active_segment.ts'
import { originFolder } from './layout.ts'
import { encodeHead } from './raw_segment.ts'

const FOLDER = originFolder('/home/ledger', 1, 'A'.repeat(16))
const PATH = `${FOLDER.path}/000000000256.raw`
const HEAD = encodeHead(FOLDER.origin, 256)
const GROUP = utf8('a group')

async function newSegment(): Promise<{ files: SimulatedFiles; segment: ActiveSegment }> {
  const files = await emptyDisk()
  await files.makeDirectory(FOLDER.path)
  for (const folder of ['/home/ledger', '/home', '/']) await files.syncDirectory(folder)
  return { files, segment: await ActiveSegment.create(files, FOLDER, 256) }
}

/** What is at the path once the machine has stopped: only what was synced. */
function durable(files: SimulatedFiles): Buffer {
  return Buffer.from(files.reopen('lost').all().get(PATH) ?? [])
}

test('ActiveSegment starts with its head, durably', async () => {
  const { files, segment } = await newSegment()
  assert.deepEqual(durable(files), Buffer.from(HEAD))
  assert.deepEqual([segment.first, segment.bytes, segment.length], [256, HEAD.length, HEAD.length])
  await segment.close()
})

test('ActiveSegment grows by more than a group where it must, and writes the next ones over that', async () => {
  const { files, segment } = await newSegment()
  assert.deepEqual(await segment.append(GROUP, 10), { kind: 'durable' })
  const one = HEAD.length + GROUP.length
  assert.deepEqual([segment.bytes, segment.length], [one, one + 10])
  assert.deepEqual(durable(files), Buffer.from(concat(HEAD, GROUP, new Uint8Array(10))))
  await segment.append(GROUP, 10)
  assert.deepEqual([segment.bytes, segment.length], [one + GROUP.length, one + 10], 'it fitted')
  await segment.append(GROUP, 0)
  assert.deepEqual([segment.bytes, segment.length], [one + 2 * GROUP.length, one + 2 * GROUP.length])
  assert.deepEqual(durable(files), Buffer.from(concat(HEAD, GROUP, GROUP, GROUP)))
  assert.equal(await segment.check(), undefined)
  await segment.close()
})

for (const code of ['ENOSPC', 'EDQUOT'])
  test(`ActiveSegment writes a group alone where the disk has no room for more: ${code}`, async () => {
    const { files, segment } = await newSegment()
    let failures = 0
    files.judge = ({ kind }) => (kind === 'write' && failures++ === 0 ? { code } : 'go')
    assert.deepEqual(await segment.append(GROUP, 10), { kind: 'durable' })
    assert.deepEqual(durable(files), Buffer.from(concat(HEAD, GROUP)))
    assert.equal(segment.length, segment.bytes)
    await segment.close()
  })

for (const kind of ['write', 'datasync'] as const)
  test(`ActiveSegment cuts a refused group off, durably: the ${kind} finds the disk full`, async () => {
    const { files, segment } = await newSegment()
    let failures = 0
    files.judge = (step) => (step.kind === kind && failures++ === 0 ? { code: 'ENOSPC' } : 'go')
    assert.deepEqual(await segment.append(GROUP, 0), { kind: 'full' })
    assert.deepEqual(durable(files), Buffer.from(HEAD))
    assert.deepEqual([segment.bytes, segment.length], [HEAD.length, HEAD.length])
    assert.deepEqual(await segment.append(GROUP, 0), { kind: 'durable' })
    assert.deepEqual(durable(files), Buffer.from(concat(HEAD, GROUP)))
    await segment.close()
  })

for (const [why, fails, reason] of [
  ['a write', { write: 'EIO' }, 'a write failed: EIO'],
  ['a sync', { datasync: 'EIO' }, 'a write failed: EIO'],
  ['the cut', { write: 'ENOSPC', truncate: 'EIO' }, 'cutting a torn write failed: EIO'],
] as const)
  test(`ActiveSegment says that nothing is certain any more: ${why} fails`, async () => {
    const { files, segment } = await newSegment()
    const codes: Readonly<Record<string, string>> = fails
    files.judge = ({ kind }) => (codes[kind] === undefined ? 'go' : { code: codes[kind] })
    assert.deepEqual(await segment.append(GROUP, 10), { kind: 'broken', reason })
    assert.equal(segment.bytes, HEAD.length)
    files.judge = () => 'go'
    await segment.close()
  })

test('ActiveSegment cuts off what a crash left behind the whole groups, durably', async () => {
  const { files, segment } = await newSegment()
  await segment.append(GROUP, 0)
  await segment.append(GROUP, 20)
  await segment.close()
  const place = { first: 256, bytes: HEAD.length + GROUP.length }
  const again = await ActiveSegment.open(files, FOLDER, place)
  assert.deepEqual(durable(files), Buffer.from(concat(HEAD, GROUP)))
  assert.deepEqual([again.bytes, again.length], [place.bytes, place.bytes])
  await again.close()
})

test('check says what became of the file', async () => {
  const { files, segment } = await newSegment()
  assert.equal(await segment.check(), undefined)
  files.tamper(PATH, concat(HEAD, utf8('x')))
  assert.match((await segment.check()) ?? '', /^the ledger file was (changed by another program|replaced)$/)
  await files.unlink(PATH)
  assert.equal(await segment.check(), 'the ledger file was removed')
  const other = await files.openForWriting(PATH)
  await other.write(HEAD, 0)
  await other.close()
  assert.match((await segment.check()) ?? '', /^the ledger file was (removed|replaced)$/)
  await segment.close()
})

test('isUntouched tells whether a file has come to stand under the name of the next segment', async () => {
  const { files, segment } = await newSegment()
  assert.equal(await isUntouched(files, FOLDER, 512), true)
  assert.equal(await isUntouched(files, FOLDER, 256), false)
  await segment.close()
})
