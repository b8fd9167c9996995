import assert from 'node:assert/strict'
import { test } from 'node:test'
import { callerAlone } from '../../../test/support/directory_scene.ts'
import { ActiveCallers } from './active_callers.ts'
import type { CallerRecord } from './directory_record.ts'

/** As many callers as there are names, each of whom comes by at once. */
function come(active: ActiveCallers, ...callers: readonly CallerRecord[]): readonly boolean[] {
  return callers.map((caller) => {
    caller.isUsed = true
    const isKept = active.admit(caller)
    if (isKept) caller.facts = { ref: { type: 'Service', id: caller.name }, entities: [], space: 'default' }
    return isKept
  })
}

const names = (count: number, from = 0): CallerRecord[] =>
  Array.from({ length: count }, (_, at) => callerAlone({ id: `c${from + at}`, name: `c${from + at}` }))

test('admit keeps everyone while there is room, and nobody twice', () => {
  const active = new ActiveCallers(3)
  const [a, b, c] = names(3)
  assert.ok(a !== undefined && b !== undefined && c !== undefined)
  assert.deepEqual(come(active, a, a, b, a, c), [true, true, true, true, true])
})

test('admit keeps one more only when it comes again soon, in the place of one that did not come by', () => {
  const active = new ActiveCallers(2)
  const [a, b, c] = names(3)
  assert.ok(a !== undefined && b !== undefined && c !== undefined)
  assert.deepEqual(come(active, a, b, c), [true, true, false])
  a.isUsed = false
  assert.deepEqual(come(active, c), [true])
  assert.deepEqual(
    [a, b, c].map(({ facts, isActive }) => [facts !== undefined, isActive]),
    [
      [false, false],
      [true, true],
      [true, true],
    ],
  )
})

test('admit keeps nobody who comes once in a long while: a crowd that passes by drives no one out', () => {
  const active = new ActiveCallers(4)
  const regulars = names(4)
  come(active, ...regulars)
  const crowd = names(100, 4)
  for (let round = 0; round < 3; round += 1) assert.ok(!come(active, ...crowd).includes(true))
  assert.ok(regulars.every(({ facts }) => facts !== undefined))
})

test('admit never keeps more than there is room for, whoever comes', () => {
  const active = new ActiveCallers(8)
  const all = names(32)
  for (let at = 0; at < 2_000; at += 1) {
    const caller = all[(at * at + 7 * at) % all.length]
    if (caller !== undefined) come(active, caller)
    assert.ok(all.filter(({ facts }) => facts !== undefined).length <= 8)
  }
})
