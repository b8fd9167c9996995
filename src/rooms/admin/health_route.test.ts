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
    ledger: {
      state: 'writable',
      reason: null,
      entries: 3,
      outside: {
        quorum: 1,
        witnessed: 3,
        witnessed_at: null,
        anchored: null,
        anchored_at: null,
        holders: [],
      },
      unanchored: 3,
      days_left: null,
      unknown_outcomes: 0,
      problems: [],
    },
    policy: { state: 'good', set: 'abc', problems: 0 },
    listeners: [],
    workers: [{ number: 1, state: 'serving', pid: 7, restarts: 0, in_flight: 2 }],
    issuers: [],
  }
  const acted = await new AdminBench(t).send(healthRoute({ read: () => health }))
  assert.deepEqual([acted.status, acted.body], [200, health])
})
