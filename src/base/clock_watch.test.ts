import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ClockWatch } from './clock_watch.ts'

const DAY_MS = 86_400_000

test('step says by how much the wall clock was set, once; drift within the tolerance adds up', () => {
  let [now, monotonic] = [1_000_000, 5]
  const watch = new ClockWatch({ now: () => now, monotonic: () => monotonic })
  const rows: readonly (readonly [wall: number, passed: number, expected: number])[] = [
    [1_000, 1_000, 0],
    [-DAY_MS + 10, 10, -DAY_MS],
    [10, 10, 0],
    [365 * DAY_MS, 0, 365 * DAY_MS],
    [40_000, 0, 0],
    [40_000, 0, 80_000],
    [DAY_MS, DAY_MS, 0],
  ]
  for (const [wall, passed, expected] of rows) {
    now += wall
    monotonic += passed
    assert.equal(watch.step(), expected)
  }
})
