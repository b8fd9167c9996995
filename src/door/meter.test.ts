import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Meter } from './meter.ts'

const FULL = { code: 'load.exceeded', retryAfterSeconds: 1 }

function meterOf(places: number, bytes: number): Meter {
  return new Meter({ places, reservedPlaces: 1, bytes, reservedBytes: 10 })
}

test('takePlace keeps a reserve for strict routes, and a release counts once', () => {
  const meter = meterOf(1, 100)
  const first = meter.open('a', 'grouped')
  first.takePlace()
  assert.throws(() => meter.open('b', 'grouped').takePlace(), FULL)
  const second = meter.open('a', 'strict')
  second.takePlace()
  assert.throws(() => meter.open('b', 'strict').takePlace(), FULL)
  first.release()
  first.release()
  assert.equal(meter.inFlight, 1)
  second.release()
  assert.equal(meter.inFlight, 0)
})

test('claim gives a caller as much as stays free for the others: one cannot starve the next', () => {
  const meter = meterOf(1, 120)
  const first = meter.open('a', 'grouped')
  assert.throws(() => first.claim(61), FULL, 'more than half')
  first.claim(30)
  first.claim(30)
  assert.throws(() => meter.open('a', 'grouped').claim(1), FULL, 'the other requests of a caller count')
  const second = meter.open('b', 'grouped')
  second.claim(30)
  assert.throws(() => second.claim(1), FULL, 'a third each')
  meter.open('c', 'grouped').claim(15)
  assert.equal(meter.bytes, 105)
  first.release()
  second.claim(20)
})

test('claim takes from the reserve for strict routes only', () => {
  const meter = meterOf(1, 100)
  meter.open('a', 'grouped').keep(100)
  assert.throws(() => meter.open('b', 'grouped').claim(1), FULL)
  const strict = meter.open('b', 'strict')
  strict.claim(10)
  assert.throws(() => strict.claim(1), FULL)
})

test('keep sets what is held, beyond any limit: the work is done, and the next ones are refused', () => {
  const meter = meterOf(1, 100)
  const holding = meter.open('a', 'grouped')
  holding.claim(40)
  holding.keep(500)
  assert.equal(meter.bytes, 500)
  assert.throws(() => meter.open('b', 'grouped').claim(1), FULL)
  holding.keep(20)
  meter.open('b', 'grouped').claim(40)
  holding.release()
  holding.release()
  assert.equal(meter.bytes, 40)
})
