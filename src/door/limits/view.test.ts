import assert from 'node:assert/strict'
import { test } from 'node:test'
import { limitsScene, priceOf, told } from '../../../test/support/limits_scene.ts'
import { limitUses } from './view.ts'

test('limitUses tells used from reserved, in the windows of now, the fullest first', () => {
  const terms = { requests_per_minute: 100, tokens_per_day: 100, dollars_per_month: 1, concurrent: 4 }
  const scene = limitsScene([{ terms }], { 'gpt-x': [priceOf(1_000_000_000, 1_000_000_000)] })
  scene.ask().settle(told(10, 5))
  scene.ask()
  const read = () => limitUses(scene.limiter, (name) => scene.limiter.ceilingsOf(name))
  assert.deepEqual(
    read().uses.map(({ limit, used, reserved, most }) => [limit, used, reserved, most]),
    [
      ['tokens_per_day', 15, 30, 100],
      ['concurrent', 0, 1, 4],
      ['requests_per_minute', 1, 1, 100],
      ['dollars_per_month', 0.000015, 0.00004, 1],
    ],
  )
  // What is still open was reserved in windows that are over.
  scene.clock.pass(86_400_000)
  const later = new Map(read().uses.map(({ limit, used, reserved }) => [limit, [used, reserved]]))
  assert.deepEqual(later.get('tokens_per_day'), [0, 0])
  assert.deepEqual(later.get('requests_per_minute'), [0, 0])
  assert.deepEqual(later.get('concurrent'), [0, 1])
  assert.deepEqual(later.get('dollars_per_month'), [0.000015, 0.00004])
})

test('limitUses shows shared limits before anybody asks, and leaves out what nothing limits any more', () => {
  const { limiter } = limitsScene([
    { terms: { concurrent: 4 } },
    { each: 'caller', who: { kind: 'space', name: 'default' }, terms: { concurrent: 1 } },
  ])
  limiter.openShared()
  limiter.account('group:gone')
  const { total, uses } = limitUses(limiter, (name) => limiter.ceilingsOf(name))
  assert.deepEqual([total, uses.map(({ of }) => of)], [1, ['everybody']])
})
