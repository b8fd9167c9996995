import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TwoClocks } from '../../../test/support/limits_scene.ts'
import { dayEnd, ForwardTime, momentAt, monthEnd, monthStart } from './moment.ts'

test('momentAt gives the day and month of UTC, and these know where they end', () => {
  const last = momentAt(Date.UTC(2026, 11, 31, 23, 59, 59, 999))
  const next = momentAt(Date.UTC(2027, 0, 1))
  assert.equal(next.month, last.month + 1)
  assert.equal(next.day, last.day + 1)
  assert.equal(dayEnd(last), next.at)
  assert.equal(monthEnd(last), next.at)
  assert.equal(monthStart(next), next.at)
  assert.equal(monthEnd(momentAt(Date.UTC(2028, 1, 10))), Date.UTC(2028, 2, 1), 'a leap year')
})

test('ForwardTime goes on by the clock that never goes back when the wall clock is set back', () => {
  const clock = new TwoClocks()
  const time = new ForwardTime(clock)
  const before = time.now().at
  clock.wall -= 3_600_000
  assert.equal(time.now().at, before)
  clock.pass(1_500)
  assert.equal(time.now().at, before + 1_500)
})

test('ForwardTime follows the wall clock when it is set forward, into the next month too', () => {
  const clock = new TwoClocks()
  const time = new ForwardTime(clock)
  const { month } = time.now()
  clock.wall += 40 * 86_400_000
  assert.equal(time.now().at, clock.wall)
  assert.equal(time.now().month, month + 1)
})

test('ForwardTime counts parts of milliseconds together, and is never before what it is told', () => {
  const clock = new TwoClocks()
  const time = new ForwardTime(clock)
  clock.wall -= 10_000
  const before = time.now().at
  for (let at = 0; at < 10; at += 1) {
    clock.steady += 0.5
    time.now()
  }
  assert.equal(time.now().at, before + 5)
  time.notBefore(before + 1_000)
  assert.equal(time.now().at, before + 1_000)
  time.notBefore(0)
  assert.equal(time.now().at, before + 1_000)
})
