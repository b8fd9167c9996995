import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminBench } from '../../../test/support/admin_bench.ts'
import type { HealthAnswer } from './answers.ts'
import { healthRoute } from './health_route.ts'

test('healthRoute gives the states of the door as they are when asked', async (t) => {
  const health: HealthAnswer = {
    state: 'ready',
    uptime_s: 12,
    in_flight: 0,
    ledger: { state: 'writable', reason: null, entries: 3, unanchored: 3, days_left: null, problems: [] },
    policy: { state: 'good', set: 'abc', problems: 0 },
    listeners: [],
    issuers: [],
  }
  const acted = await new AdminBench(t).send(healthRoute({ read: () => health }))
  assert.deepEqual([acted.status, acted.body], [200, health])
})
