import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Metrics } from './metrics.ts'

test('expose prints counters, gauges and histograms: Prometheus text format 0.0.4', () => {
  const metrics = new Metrics()
  metrics
    .counter({ name: 'a_total', help: 'A.', labels: ['route', 'code'] })
    .series('chat', '200')
    .add(2)
  const gauge = metrics.gauge({ name: 'b', help: 'B.' }).series()
  gauge.set(5)
  gauge.add(-2)
  const histogram = metrics
    .histogram({ name: 'c_seconds', help: 'C.', labels: ['route'] }, [0.1, 1])
    .series('chat')
  for (const value of [0.1, 0.5, 7]) histogram.observe(value)
  metrics.gaugeFrom({ name: 'd', help: 'D.' }, () => Number.POSITIVE_INFINITY)
  assert.deepEqual(metrics.expose().split('\n'), [
    '# HELP a_total A.',
    '# TYPE a_total counter',
    'a_total{route="chat",code="200"} 2',
    '# HELP b B.',
    '# TYPE b gauge',
    'b 3',
    '# HELP c_seconds C.',
    '# TYPE c_seconds histogram',
    'c_seconds_bucket{route="chat",le="0.1"} 1',
    'c_seconds_bucket{route="chat",le="1"} 2',
    'c_seconds_bucket{route="chat",le="+Inf"} 3',
    'c_seconds_sum{route="chat"} 7.6',
    'c_seconds_count{route="chat"} 3',
    '# HELP d D.',
    '# TYPE d gauge',
    'd +Inf',
    '',
  ])
})

test('expose escapes: a label value cannot end its line or open another label', () => {
  const metrics = new Metrics()
  metrics
    .counter({ name: 'a_total', help: 'two\nlines \\', labels: ['model'] })
    .series('x"} 1\n\\evil')
    .add()
  assert.deepEqual(metrics.expose().split('\n'), [
    '# HELP a_total two\\nlines \\\\',
    '# TYPE a_total counter',
    'a_total{model="x\\"} 1\\n\\\\evil"} 1',
    '',
  ])
})

test('series caps cardinality: what comes after the cap shares one series named other', () => {
  const metrics = new Metrics({ seriesPerMetric: 2 })
  const family = metrics.counter({ name: 'a_total', help: 'A.', labels: ['model'] })
  for (let at = 0; at < 1_000; at += 1) family.series(`m${at}`).add()
  family.series('m1').add()
  assert.equal(family.series('m7'), family.series('m8'))
  assert.deepEqual(metrics.expose().split('\n').slice(2, -1), [
    'a_total{model="m0"} 1',
    'a_total{model="m1"} 2',
    'a_total{model="other"} 998',
  ])
})

test('series gives one handle per label set: a hot path keeps it', () => {
  const family = new Metrics().counter({ name: 'a_total', help: 'A.', labels: ['x', 'y'] })
  assert.equal(family.series('1', '2'), family.series('1', '2'))
  assert.notEqual(family.series('1', '2'), family.series('12', ''))
  assert.throws(() => family.series('1'), TypeError)
})

test('Metrics refuses names twice or malformed: the text format could not be parsed', () => {
  const metrics = new Metrics()
  metrics.gauge({ name: 'a', help: 'A.' })
  assert.throws(() => metrics.counter({ name: 'a', help: 'A.' }), TypeError)
  assert.throws(() => metrics.counter({ name: 'a b', help: 'A.' }), TypeError)
  assert.throws(() => metrics.counter({ name: 'b', help: 'A.', labels: ['x-y'] }), TypeError)
  metrics.gaugeFrom({ name: 'c', help: 'C.' }, () => Number.NEGATIVE_INFINITY)
  assert.match(metrics.expose(), /^c -Inf$/m)
})

test('readings gives what expose prints: names, values of labels and numbers as they are now', () => {
  const metrics = new Metrics({ since: 5 })
  const exported = { name: 'a.count', unit: '1', attributes: ['a.model'] }
  metrics
    .counter({ name: 'a_total', help: 'A.', labels: ['model'], exported })
    .series('m')
    .add(2)
  const histogram = metrics.histogram({ name: 'b_seconds', help: 'B.' }, [1]).series()
  histogram.observe(3)
  metrics.gaugeFrom({ name: 'c', help: 'C.' }, () => 7)
  const [first, second, third, ...more] = metrics.readings()
  assert.deepEqual(first, {
    kind: 'counter',
    names: { name: 'a_total', help: 'A.', labels: ['model'], exported },
    series: [{ values: ['m'], value: 2 }],
  })
  assert.deepEqual([second?.kind, second?.series], ['histogram', [{ values: [], value: histogram }]])
  assert.deepEqual([third?.kind, third?.series], ['gauge', [{ values: [], value: 7 }]])
  assert.deepEqual([more, metrics.since], [[], 5])
})
