import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMITS } from '#base/limits.ts'
import { callerOf, limitsScene, told } from '../../../test/support/limits_scene.ts'

test('accounts in which nothing counts any more give way to new ones, and a limiter that is full refuses', () => {
  const { limiter, clock, ask } = limitsScene([
    { each: 'caller', terms: { requests_per_minute: 1, concurrent: 1 } },
  ])
  const busy = ask({ caller: callerOf({ name: 'busy' }) })
  for (let at = 1; at < LIMITS.limitAccounts; at += 1) limiter.account(`account ${at}`)
  // All but one are empty.
  ask({ caller: callerOf({ name: 'next' }) })
  assert.equal([...limiter.accounts].length, 2)
  busy.settle(told(1, 1))

  const now = limiter.time.now()
  clock.pass(60_000)
  for (let count = 2; count < LIMITS.limitAccounts; count += 1)
    limiter.account(`full ${count}`).add(now, { requests: 1, tokens: 0, nano: 0 })
  assert.throws(() => limiter.account('one more'), { code: 'load.exceeded', retryAfterSeconds: 10 })
  // It is not looked for again at once.
  assert.throws(() => limiter.account('another'), { code: 'load.exceeded' })
  limiter.account('full 5')
})
