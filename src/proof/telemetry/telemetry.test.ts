import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SYSTEM_CLOCK } from '#base/clock.ts'
import { openUpstream } from '#base/http_client.ts'
import { LIMITS } from '#base/limits.ts'
import { Metrics } from '#base/metrics.ts'
import { tracedRequest } from '../../../test/support/traced_request.ts'
import { startOtlpReceiver, type Behaviour, type OtlpReceiver } from '../../../test/fakes/otlp_receiver.ts'
import { metricsIn, plain, pointsOf, spansIn } from '../../../test/fakes/otlp_shape.ts'
import { readPage } from '../../../test/support/metrics_page.ts'
import { Delivery } from './delivery.ts'
import { Telemetry } from './telemetry.ts'

interface Rig {
  readonly telemetry: Telemetry
  readonly receiver: OtlpReceiver
  readonly metrics: Metrics
  readonly count: (series: string) => number | undefined
}

async function rig(t: TestContext, behaviour: Behaviour, intervalMs = 3_600_000): Promise<Rig> {
  const receiver = await startOtlpReceiver()
  receiver.does(behaviour)
  const time = 60_000
  const upstream = openUpstream({
    origin: receiver.origin,
    connections: 2,
    connectTimeoutMs: time,
    headersTimeoutMs: time,
    bodyTimeoutMs: time,
    totalTimeoutMs: time,
    maxAnswerBytes: LIMITS.telemetryAnswerBytes,
  })
  t.after(async () => {
    await upstream.close()
    await receiver.close()
  })
  const metrics = new Metrics({ since: SYSTEM_CLOCK.now() - 1_000 })
  const delivery = new Delivery({
    clock: SYSTEM_CLOCK,
    upstream,
    basePath: '',
    withHeaders: (send) => send([]),
    random: () => 0,
    firstWaitMs: 4,
  })
  const telemetry = new Telemetry({
    clock: SYSTEM_CLOCK,
    metrics,
    exporting: { version: '1.2.3', instance: 'of-the-test' },
    pseudonymOf: () => 'pseudonym',
    delivery,
    intervalMs,
  })
  return { telemetry, receiver, metrics, count: (series) => readPage(metrics.expose()).get(series) }
}

const DROPPED = (reason: string): string =>
  `gatehouse_telemetry_dropped_total{signal="traces",reason="${reason}"}`

test('take gathers requests for a moment and exports them together', async (t) => {
  const { telemetry, receiver, count } = await rig(t, 'takes')
  const next = receiver.next()
  for (let at = 0; at < 10; at++) telemetry.take(tracedRequest())
  assert.equal(count('gatehouse_telemetry_waiting'), 10)
  const { path, body, wrong } = await next
  assert.deepEqual([path, wrong], ['/v1/traces', []])
  assert.equal(spansIn(body).length, 20)
  await telemetry.close()
  assert.equal(count('gatehouse_telemetry_exported_total{signal="traces"}'), 20)
})

test('take drops and counts what is more than the list holds: memory and requests never pay for a receiver', async (t) => {
  const { telemetry, receiver, count } = await rig(t, 'silent')
  const first = receiver.next()
  telemetry.take(tracedRequest())
  await first
  for (let at = 0; at < LIMITS.tracedRequests + 5; at++) telemetry.take(tracedRequest())
  assert.equal(count('gatehouse_telemetry_waiting'), LIMITS.tracedRequests)
  assert.equal(count(DROPPED('queue_full')), 10)
  receiver.does('takes')
  const started = performance.now()
  await telemetry.close()
  const took = performance.now() - started
  assert.ok(took < LIMITS.telemetryFlushMs + 1_000, `closing took ${took} ms`)
  assert.equal(count('gatehouse_telemetry_waiting'), 0)
  assert.equal(count(DROPPED('stopped')), 2 * LIMITS.tracedRequests)
  telemetry.take(tracedRequest())
  assert.equal(count(DROPPED('stopped')), 2 * LIMITS.tracedRequests + 2)
})

test('close exports all that waits in batches, and then the numbers, which say so', async (t) => {
  const { telemetry, receiver, metrics } = await rig(t, 'takes')
  metrics
    .counter({ name: 'calls_total', help: 'Calls.', labels: ['model'] })
    .series('a')
    .add(3)
  for (let at = 0; at < 200; at++) telemetry.take(tracedRequest())
  await telemetry.close()
  const traces = receiver.received.filter(({ path }) => path === '/v1/traces')
  assert.deepEqual(
    traces.map(({ body }) => spansIn(body).length),
    [128, 128, 128, 16],
  )
  const last = receiver.received.at(-1)
  const told = metricsIn(last?.body ?? '')
  const value = (name: string): unknown =>
    pointsOf(told.find((one) => one.name === name) ?? { name })[0]?.asDouble
  assert.deepEqual([last?.path, value('calls_total')], ['/v1/metrics', 3])
  assert.equal(value('gatehouse_telemetry_exported_total'), 400)
  for (const { wrong } of receiver.received) assert.deepEqual(wrong, [])
})

test('metrics are exported from time to time, in as many exports as their series need', async (t) => {
  const { telemetry, receiver, metrics } = await rig(t, 'takes', 1_000)
  const next = receiver.next()
  for (const name of ['a_total', 'b_total']) {
    const family = metrics.counter({ name, help: 'Many.', labels: ['x'] })
    for (let at = 0; at < 700; at++) family.series(String(at)).add(at)
  }
  const histogram = metrics.histogram(
    {
      name: 'c_seconds',
      help: 'Times.',
      labels: ['kind', 'error'],
      exported: { name: 'c.duration', unit: 's', attributes: ['c.kind', 'error.type'] },
    },
    [1, 2],
  )
  for (const seconds of [0.5, 1, 1.5, 9]) histogram.series('x', '').observe(seconds)
  assert.equal((await next).path, '/v1/metrics')
  await telemetry.close()
  const told = receiver.received.flatMap(({ body }) => metricsIn(body))
  assert.equal(pointsOf(told.find(({ name }) => name === 'b_total') ?? { name: '' }).length, 700)
  assert.ok(
    receiver.received.every(({ body }) => metricsIn(body).flatMap(pointsOf).length <= LIMITS.exportedPoints),
  )
  const duration = told.find(({ name }) => name === 'c.duration')
  const [point] = pointsOf(duration ?? { name: '' })
  assert.deepEqual(
    [duration?.unit, point?.count, point?.sum, point?.bucketCounts, plain(point?.attributes ?? [])],
    ['s', '4', 12, ['2', '1', '1'], { 'c.kind': 'x' }],
  )
  for (const { wrong } of receiver.received) assert.deepEqual(wrong, [])
})

const LIARS: readonly Behaviour[] = [
  'lies_endlessly',
  'lies_nested',
  'hangs_up',
  'fails',
  'redirects',
  'lies_more',
]

for (const behaviour of LIARS)
  test(`nothing is thrown and nothing waits for ever, whatever the receiver does: ${behaviour}`, async (t) => {
    const { telemetry, count } = await rig(t, behaviour)
    telemetry.take(tracedRequest())
    await telemetry.close()
    assert.equal(count('gatehouse_telemetry_waiting'), 0)
    const dropped = ['refused', 'stopped', 'rejected'].map((reason) => count(DROPPED(reason)) ?? 0)
    const exported = count('gatehouse_telemetry_exported_total{signal="traces"}') ?? 0
    assert.equal(
      dropped.reduce((sum, each) => sum + each, exported),
      2,
      String(dropped),
    )
  })
