import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminBench } from '../../../test/support/admin_bench.ts'
import { BackupAnswer, CompactAnswer } from './answers.ts'
import { backupRoute, compactRoute } from './home_routes.ts'

test('backupRoute signs all of the ledger and says what it holds; where the copy goes is on record', async (t) => {
  const bench = new AdminBench(t)
  let signed = 0
  const ledger = { origin: 'gatehouse.local/x', size: 7, checkpoint: async () => `${++signed}` }
  const body = { target: '/mnt/copy', key: 'passphrase' }
  const { body: answer, facts } = await bench.send(backupRoute({ ledger }), { body })
  assert.deepEqual(BackupAnswer.parse(answer), { origin: ledger.origin, entries: 7 })
  assert.deepEqual([signed, facts], [1, { target: '/mnt/copy', encrypted_with: 'passphrase' }])
})

const WRONG: readonly (readonly [why: string, body: object])[] = [
  ['no target', { key: 'key' }],
  ['an empty target', { target: '', key: 'key' }],
  ['no kind of key', { target: 'a' }],
  ['the key itself', { target: 'a', key: 'key', secret: 'x' }],
]
for (const [why, body] of WRONG)
  test(`backupRoute refuses what it cannot record: ${why}`, async (t) => {
    const bench = new AdminBench(t)
    const ledger = { origin: 'x', size: 0, checkpoint: async () => '' }
    await assert.rejects(bench.send(backupRoute({ ledger }), { body: { ...body } }), {
      code: 'input.invalid',
    })
  })

test('compactRoute stops after ten seconds, and tells what it came to', async (t) => {
  const bench = new AdminBench(t)
  let now = 0
  const clock = { now: () => 0, monotonic: () => (now += 4_000) }
  let steps = 0
  const compact = async (goOn: () => boolean) => {
    while (goOn()) steps += 1
    return { bytesBefore: 100, bytesAfter: 40, sealed: steps, removed: 1, waiting: 3 }
  }
  const { body, facts } = await bench.send(compactRoute({ compact, clock }))
  assert.deepEqual(CompactAnswer.parse(body), {
    bytes_before: 100,
    bytes_after: 40,
    sealed: 2,
    removed: 1,
    waiting: 3,
  })
  assert.deepEqual(facts, { before: 100, after: 40, count: 2 })
})
