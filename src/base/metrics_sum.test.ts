import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMITS } from './limits.ts'
import { Metrics } from './metrics.ts'
import { sumReadings } from './metrics_sum.ts'
import { printReadings } from './metrics_text.ts'

function process(requests: number, seconds: readonly number[], code: string): Metrics {
  const metrics = new Metrics()
  metrics
    .counter({ name: 'requests_total', help: 'All.', labels: ['code'] })
    .series(code)
    .add(requests)
  metrics.gauge({ name: 'in_flight', help: 'Now.' }).series().set(1)
  const times = metrics.histogram({ name: 'seconds', help: 'Long.' }, [1, 2]).series()
  for (const one of seconds) times.observe(one)
  return metrics
}

test('sumReadings adds up what has the same labels: counters, gauges and histograms', () => {
  const all = [process(2, [0.5, 3], 'ok'), process(3, [1.5], 'ok'), process(1, [], 'failed')]
  const text = printReadings(sumReadings(all.map((one) => one.readings())))
  assert.deepEqual(
    text.split('\n').filter((line) => line !== '' && !line.startsWith('#')),
    [
      'requests_total{code="ok"} 5',
      'requests_total{code="failed"} 1',
      'in_flight 3',
      'seconds_bucket{le="1"} 1',
      'seconds_bucket{le="2"} 2',
      'seconds_bucket{le="+Inf"} 3',
      'seconds_sum 5',
      'seconds_count 3',
    ],
  )
})

test('sumReadings of one is what it was, and leaves it alone', () => {
  const one = process(2, [0.5], 'ok')
  assert.equal(printReadings(sumReadings([one.readings()])), one.expose())
  sumReadings([one.readings(), one.readings()])
  assert.match(one.expose(), /requests_total\{code="ok"\} 2/)
})

test('sumReadings leaves out what is of another kind: two programs that differ are not added up', () => {
  const other = new Metrics()
  other
    .gauge({ name: 'requests_total', help: 'Other.', labels: ['code'] })
    .series('ok')
    .set(9)
  const text = printReadings(sumReadings([process(2, [], 'ok').readings(), other.readings()]))
  assert.match(text, /requests_total\{code="ok"\} 2/)
})

test('sumReadings counts together what is beyond the cap of a metric, whoever has counted it', () => {
  const processes = Array.from({ length: LIMITS.metricSeries + 5 }, (_, at) => process(1, [], `code ${at}`))
  const [requests] = sumReadings(processes.map((one) => one.readings()))
  assert.equal(requests?.series.length, LIMITS.metricSeries + 1)
  assert.deepEqual(requests.series.at(-1), { values: ['other'], value: 5 })
})
