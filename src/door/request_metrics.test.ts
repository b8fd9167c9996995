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
  const seen = { route: 'chat', model: 'echo', provider: 'echo', firstSeconds: undefined }
  requests.observe({ ...seen, status: 200, code: 'ok', stage: 'done', seconds: 0.003 })
  requests.observe({ ...seen, status: 403, code: 'action.denied', stage: 'authorize', seconds: 40 })
  requests.observe({ ...seen, status: 200, code: 'ok', stage: 'done', seconds: 2, firstSeconds: 0.3 })
  requests.refusedEarly('route.unknown')
  requests.digested('route.unknown')
  requests.dropped('share')
  const lines = new Set(metrics.expose().split('\n'))
  for (const line of [
    'gatehouse_requests_total{route="chat",model="echo",code="ok"} 2',
    'gatehouse_requests_total{route="chat",model="echo",code="action.denied"} 1',
    'gatehouse_request_duration_seconds_bucket{route="chat",model="echo",le="0.005"} 1',
    'gatehouse_request_duration_seconds_bucket{route="chat",model="echo",le="60"} 3',
    'gatehouse_request_duration_seconds_count{route="chat",model="echo"} 3',
    'gatehouse_first_token_seconds_bucket{operation="chat",provider="echo",model="echo",le="0.5"} 1',
    'gatehouse_first_token_seconds_count{operation="chat",provider="echo",model="echo"} 1',
    'gatehouse_requests_in_flight 1',
    'gatehouse_requests_total{route="",model="",code="route.unknown"} 1',
    'gatehouse_digested_total{code="route.unknown"} 1',
    'gatehouse_connections_dropped_total{reason="share"} 1',
  ])
    assert.ok(lines.has(line), line)
})
