import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Metrics } from '#base/metrics.ts'
import { DESK, FakeWorker, ORDER, STATE } from '../../../test/support/fake_worker.ts'
import { Fleet } from './fleet.ts'

test('a worker that cannot be started again is tried again later', async () => {
  const started: FakeWorker[] = []
  const third = Promise.withResolvers<void>()
  const reasons: unknown[] = []
  let starts = 0
  const fleet = new Fleet({
    workers: 1,
    desk: DESK,
    bodyBytes: 1,
    order: ORDER,
    state: () => STATE,
    version: () => '1',
    metrics: new Metrics(),
    clock: DESK.clock,
    note: async (_what, { reason }) => Promise.resolve(void reasons.push(reason)),
    start: () => {
      starts += 1
      if (starts === 2) throw new TypeError('no more processes')
      if (starts === 3) third.resolve()
      const worker = new FakeWorker()
      started.push(worker)
      return worker
    },
  })
  await fleet.open()
  started[0]?.kill()
  await third.promise
  assert.deepEqual(reasons, ['SIGKILL', 'not started'])
  assert.equal(fleet.rows()[0]?.restarts, 2)
  await fleet.close()
  assert.equal(started[1]?.hasEnded, true)
})
