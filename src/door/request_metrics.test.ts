import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Metrics } from '#base/metrics.ts'
import { RequestMetrics } from './request_metrics.ts'

test('RequestMetrics counts rate, errors and duration: by route and model', () => {
  const metrics = new Metrics()
  const requests = new RequestMetrics(metrics)
  requests.entered()
  requests.entered()
  requests.left()
  const seen = { route: 'chat', model: 'echo' }
  requests.observe({ ...seen, status: 200, code: 'ok', stage: 'done', seconds: 0.003 })
  requests.observe({ ...seen, status: 403, code: 'action.denied', stage: 'authorize', seconds: 40 })
  requests.refusedEarly('route.unknown')
  const lines = new Set(metrics.expose().split('\n'))
  for (const line of [
    'gatehouse_requests_total{route="chat",model="echo",code="ok"} 1',
    'gatehouse_requests_total{route="chat",model="echo",code="action.denied"} 1',
    'gatehouse_request_duration_seconds_bucket{route="chat",model="echo",le="0.005"} 1',
    'gatehouse_request_duration_seconds_bucket{route="chat",model="echo",le="60"} 2',
    'gatehouse_request_duration_seconds_count{route="chat",model="echo"} 2',
    'gatehouse_requests_in_flight 1',
    'gatehouse_refusals_total{stage="authorize",code="action.denied"} 1',
    'gatehouse_refusals_total{stage="receive",code="route.unknown"} 1',
  ])
    assert.ok(lines.has(line), line)
})
