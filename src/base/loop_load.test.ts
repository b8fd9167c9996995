import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { loopLoad } from './loop_load.ts'

test('loopLoad tells work from waiting', async () => {
  const isBusy = loopLoad()
  await sleep(150)
  assert.equal(isBusy(), false)
  const end = performance.now() + 300
  while (performance.now() < end) await new Promise((resolve) => setImmediate(resolve))
  assert.equal(isBusy(), true)
  assert.equal(isBusy(), true, 'asked again at once')
  await sleep(300)
  assert.equal(isBusy(), false)
})
