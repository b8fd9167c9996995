import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EntryDraft } from '#base/recorder.ts'
import { LaterDrafts } from './later_drafts.ts'

const draftOf = (at: number): EntryDraft => ({
  kind: 'outcome',
  id: `${at}`,
  at,
  fields: {},
  reserved: false,
})

function madeBy(): { readonly made: number[]; readonly later: LaterDrafts } {
  const made: number[] = []
  return { made, later: new LaterDrafts((make) => void made.push(make().at)) }
}

test('LaterDrafts makes what was added when the turn is over: in its order, and once', async () => {
  const { made, later } = madeBy()
  later.add(() => draftOf(1))
  later.add(() => draftOf(2))
  await Promise.resolve()
  assert.deepEqual(made, [], 'the answer of this turn has not left yet')
  await nextTurn()
  assert.deepEqual(made, [1, 2])
  await nextTurn()
  assert.deepEqual(made, [1, 2])
  later.add(() => draftOf(3))
  await nextTurn()
  assert.deepEqual(made, [1, 2, 3])
})

test('LaterDrafts makes them at once when told to: what is appended next comes behind them', async () => {
  const { made, later } = madeBy()
  later.add(() => draftOf(1))
  later.makeAll()
  assert.deepEqual(made, [1])
  later.makeAll()
  await nextTurn()
  assert.deepEqual(made, [1])
})

test('LaterDrafts keeps no more than a turn can make', () => {
  const { made, later } = madeBy()
  for (let at = 0; at < 200; at++) later.add(() => draftOf(at))
  assert.ok(made.length >= 136 && made.length < 200, `${made.length} of 200 were made in the turn`)
  later.makeAll()
  assert.deepEqual(
    made,
    Array.from({ length: 200 }, (_, at) => at),
  )
})
