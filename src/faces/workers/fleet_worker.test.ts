import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { DESK, FakeWorker, ORDER, STATE, WILLING } from '../../../test/support/fake_worker.ts'
import { Metrics } from '#base/metrics.ts'
import { FleetWorker } from './fleet_worker.ts'
import { KnownMetrics } from './known_metrics.ts'

async function serving(process: FakeWorker, hungMs?: number): Promise<FleetWorker> {
  const metrics = new KnownMetrics(new Metrics().readings())
  const parts = { process, desk: DESK, bodyBytes: 1, metrics, ...(hungMs && { hungMs }) }
  const worker = new FleetWorker(parts)
  await worker.serve({ ...ORDER, state: STATE })
  return worker
}

test('change ends a worker that could not take it: it must not go on with what holds no more', async () => {
  const process = new FakeWorker({
    ...WILLING,
    change: () => {
      throw new Fault('policy.invalid')
    },
  })
  const worker = await serving(process)
  await worker.change(STATE)
  assert.deepEqual([process.isKilled, worker.isServing], [true, false])
  assert.equal(await worker.ended, 'SIGKILL')
})

test('change leaves a worker that took it', async () => {
  const process = new FakeWorker()
  const worker = await serving(process)
  await worker.change(STATE)
  assert.deepEqual([process.isKilled, worker.isServing], [false, true])
  process.kill()
})

test('refresh ends a worker that says nothing, also where nothing was changed: its callers would wait as long', async () => {
  const process = new FakeWorker()
  const worker = await serving(process, 5)
  await worker.refresh()
  assert.deepEqual([worker.report.residentBytes, process.isKilled], [1, false])
  process.stop()
  void worker.refresh()
  assert.equal(await worker.ended, 'SIGKILL')
})

test('refresh asks once, however often it is called before the answer', async () => {
  let asked = 0
  const { promise, resolve } = Promise.withResolvers<void>()
  const report = async () => {
    asked += 1
    await promise
    return { inFlight: 3, residentBytes: 1, readings: [] }
  }
  const process = new FakeWorker({ ...WILLING, report })
  const worker = await serving(process)
  const all = Promise.all([worker.refresh(), worker.refresh(), worker.refresh()])
  resolve()
  await all
  assert.deepEqual([asked, worker.report.inFlight], [1, 3])
  process.kill()
})

test('drain ends a worker that hangs when it has drained: a door that is closed ends', async () => {
  const process = new FakeWorker()
  const worker = await serving(process)
  process.input.on('data', () => process.stop())
  await worker.drain()
  assert.equal(process.isKilled, true)
})
