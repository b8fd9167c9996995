import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { MinuteWindow } from './minute_window.ts'

test('MinuteWindow keeps what a second took through the sixty seconds after it, and not one longer', () => {
  const window = new MinuteWindow()
  window.add(1_000, 5)
  window.advance(1_060)
  assert.equal(window.sum, 5)
  window.advance(1_061)
  assert.equal(window.sum, 0)
})

test('MinuteWindow leaves out what comes for a second that is over, and takes back within one that is not', () => {
  const window = new MinuteWindow()
  window.add(1_000, 5)
  window.add(1_030, 7)
  window.add(1_000, -2)
  assert.equal(window.sum, 10)
  window.add(1_061, 1)
  window.add(1_000, -3)
  assert.equal(window.sum, 8)
  assert.deepEqual(
    [...window.entries()],
    [
      [1_030, 7],
      [1_061, 1],
    ],
  )
})

test('MinuteWindow says exactly when so much fits, and does not go back in time', () => {
  const window = new MinuteWindow()
  window.add(1_000, 4)
  window.add(1_010, 4)
  assert.equal(window.fitsAt(3, 10), 1_061_000)
  assert.equal(window.fitsAt(7, 10), 1_071_000)
  window.advance(5)
  assert.equal(window.sum, 8)
})

test('MinuteWindow never lets more than its limit pass in any sixty seconds, whenever they begin', () => {
  const steps = fc.array(fc.integer({ min: 0, max: 4_000 }), { minLength: 1, maxLength: 200 })
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 20 }), (waits, limit) => {
      const window = new MinuteWindow()
      const passed: number[] = []
      let at = 7_000_000
      for (const wait of waits) {
        at += wait
        window.advance(Math.floor(at / 1_000))
        if (window.sum + 1 > limit) continue
        window.add(Math.floor(at / 1_000), 1)
        passed.push(at)
      }
      for (const [place, first] of passed.entries())
        assert.ok(passed.slice(place).filter((later) => later < first + 60_000).length <= limit)
    }),
    { seed: 61, numRuns: 300 },
  )
})
