import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Rounds } from './rounds.ts'

test('start does a round again and again, one at a time, until close', async () => {
  let underWay = 0
  let count = 0
  const third = Promise.withResolvers<void>()
  const rounds = new Rounds(
    async () => {
      underWay += 1
      assert.equal(underWay, 1)
      await Promise.resolve()
      underWay -= 1
      if (++count === 3) third.resolve()
    },
    () => 0,
  )
  rounds.start()
  // A round holds no process up; this test is one.
  const alive = setInterval(() => undefined, 1_000)
  await third.promise
  await rounds.close()
  clearInterval(alive)
  const counted = count
  await new Promise((resolve) => setTimeout(resolve, 5))
  assert.equal(count, counted)
})

test('close waits for the round under way, and begins no other', async () => {
  const begun = Promise.withResolvers<void>()
  const going = Promise.withResolvers<void>()
  let ended = 0
  const rounds = new Rounds(
    async () => {
      begun.resolve()
      await going.promise
      ended += 1
    },
    () => 0,
  )
  rounds.start(1)
  const alive = setInterval(() => undefined, 1_000)
  await begun.promise
  clearInterval(alive)
  const closing = rounds.close()
  going.resolve()
  await closing
  assert.equal(ended, 1)
})
