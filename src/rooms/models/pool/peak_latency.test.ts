import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StillClock } from '../../../../test/support/door_parts.ts'
import { PeakLatency } from './peak_latency.ts'
import { POOL_LIMITS } from './pool_limits.ts'

function observed(...steps: readonly { readonly ms?: number; readonly wait?: number }[]): PeakLatency {
  const clock = new StillClock()
  const latency = new PeakLatency(clock)
  for (const { ms, wait } of steps) {
    if (wait !== undefined) clock.advance(wait)
    if (ms !== undefined) latency.observe(ms)
  }
  return latency
}

test('PeakLatency has whoever is not known tried at once, and by one call only', () => {
  assert.equal(observed().cost(0), 0)
  assert.equal(observed().cost(2), 2 * POOL_LIMITS.unknownLatencyMs)
})

test('PeakLatency jumps to a slower time at once', () => {
  assert.equal(observed({ ms: 10 }, { ms: 500 }).cost(0), 500)
})

test('PeakLatency comes down slowly to a faster time', () => {
  assert.equal(observed({ ms: 500 }, { ms: 10 }).cost(0), 500)
  const later = observed({ ms: 500 }, { wait: POOL_LIMITS.latencyMemoryMs, ms: 10 }).cost(0)
  assert.ok(later > 10 && later < 300, String(later))
})

test('PeakLatency forgets with time, so that a slow member is tried again', () => {
  assert.ok(observed({ ms: 10_000 }, { wait: 10 * POOL_LIMITS.latencyMemoryMs }).cost(0) < 1)
})

test('PeakLatency counts the calls under way', () => {
  assert.equal(observed({ ms: 100 }).cost(3), 400)
})
