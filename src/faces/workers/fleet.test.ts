import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Metrics } from '#base/metrics.ts'
import { DESK, FakeWorker, ORDER, STATE, WILLING } from '../../../test/support/fake_worker.ts'
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

const GARBAGE: readonly (readonly [why: string, report: unknown])[] = [
  ['nothing', null],
  ['no readings', { inFlight: 0, residentBytes: 1 }],
  ['a reading that is none', { inFlight: 0, residentBytes: 1, readings: [null] }],
  [
    'a metric of its own, with lines of its own',
    {
      inFlight: 0,
      residentBytes: 1,
      readings: [
        {
          kind: 'counter',
          names: { name: 'x\n# evil 1', help: '', labels: [] },
          series: [{ values: [], value: 1 }],
        },
      ],
    },
  ],
]

for (const [why, report] of GARBAGE)
  test(`a worker that reports garbage is ended and replaced, and harms nobody: ${why}`, async () => {
    const reasons: unknown[] = []
    const second = Promise.withResolvers<FakeWorker>()
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
        if (starts > 1) {
          const worker = new FakeWorker()
          second.resolve(worker)
          return worker
        }
        return new FakeWorker({ ...WILLING, report: () => report as never })
      },
    })
    await fleet.open()
    const page = await fleet.expose()
    assert.ok(!page.includes('evil') && page.includes('gatehouse_workers 0'), page)
    await second.promise
    assert.deepEqual(reasons, ['an answer to report of another form'])
    assert.match(
      await fleet.expose(),
      /gatehouse_worker_ends_total\{reason="an answer to report of another form"\} 1/,
    )
    assert.equal(fleet.inFlight, 0)
    await fleet.close()
  })

test('a worker hears of its writer from its start to its end: while others start, and while it drains', async () => {
  const heard = { early: Promise.withResolvers<void>(), late: Promise.withResolvers<void>() }
  let isDraining = false
  const first = new FakeWorker({
    ...WILLING,
    report: () => {
      ;(isDraining ? heard.late : heard.early).resolve()
      return { inFlight: 0, residentBytes: 1, readings: [] }
    },
    drain: async () => {
      isDraining = true
      await heard.late.promise
      return null
    },
  })
  const second = new FakeWorker({
    ...WILLING,
    serve: async (order) => {
      await heard.early.promise
      return await WILLING.serve(order)
    },
  })
  const workers = [first, second]
  const fleet = new Fleet({
    workers: 2,
    desk: DESK,
    bodyBytes: 1,
    order: ORDER,
    state: () => STATE,
    version: () => '1',
    metrics: new Metrics(),
    clock: DESK.clock,
    note: async () => undefined,
    start: () => workers.shift() ?? new FakeWorker(),
  })
  await fleet.open()
  await fleet.close()
  assert.deepEqual([first.isKilled, first.hasEnded, fleet.rows()[0]?.restarts], [false, true, 0])
})
