import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '#base/json.ts'
import { limitsScene, told, TwoClocks, type LimitsScene } from '../../../test/support/limits_scene.ts'
import type { Charge } from './charge.ts'
import { Replay } from './replay.ts'
import { restore, takeSnapshot } from './snapshot.ts'

const TERMS = [{ terms: { requests_per_day: 1_000, tokens_per_minute: 100_000, concurrent: 100 } }]

function tokensOf({ limiter }: LimitsScene): readonly number[] {
  const [account] = [...limiter.accounts]
  if (account === undefined) return [0, 0, 0, 0]
  const { day, month, minuteTokens, inFlight } = account
  return [day.requests, day.tokens, month.tokens, minuteTokens.sum, inFlight]
}

interface Logged {
  readonly kind: 'intent' | 'outcome'
  readonly id: string
  readonly fields: JsonObject
}

function intentOf(charge: Charge): Logged {
  return { kind: 'intent', id: charge.parts.id, fields: charge.intentFields() }
}

function outcomeOf(charge: Charge, tokens: number): Logged {
  return { kind: 'outcome', id: charge.parts.id, fields: charge.settle(told(tokens, 0)) }
}

test('a snapshot and the entries behind its place give the same counters, whatever happened while it was taken', () => {
  const clock = new TwoClocks()
  const scene = limitsScene(TERMS, {}, clock)
  const log: Logged[] = []
  const record = (charge: Charge): Charge => {
    log.push(intentOf(charge))
    charge.record()
    return charge
  }
  const settledBefore = record(scene.ask())
  log.push(outcomeOf(settledBefore, 1))
  const openBefore = record(scene.ask())
  const settledAcross = record(scene.ask())
  const place = log.length
  const over = scene.limiter.watchOver()
  // Between the place and the snapshot.
  const recordedAcross = record(scene.ask())
  const wholeAcross = record(scene.ask())
  log.push(outcomeOf(wholeAcross, 2), outcomeOf(settledAcross, 3))
  const releasedAcross = scene.ask()
  releasedAcross.release()
  const unrecorded = scene.ask()
  const neverRecorded = scene.ask()
  const onDiskButUnknown = scene.ask()
  log.push(intentOf(onDiskButUnknown))
  const snapshot: JsonObject = JSON.parse(JSON.stringify(takeSnapshot(scene.limiter, over.take())))
  assert.equal(tokensOf(scene)[4], 5, 'taking it changed nothing')
  // Behind the snapshot.
  record(unrecorded)
  neverRecorded.release()
  onDiskButUnknown.record()
  log.push(outcomeOf(recordedAcross, 4), outcomeOf(unrecorded, 5))
  record(scene.ask())

  const again = limitsScene(TERMS, {}, clock)
  const replay = new Replay(again.limiter)
  restore(snapshot, again.limiter, replay)
  for (const { kind, id, fields } of log.slice(place)) replay[kind](id, fields)
  const [requests, day, month, minute] = tokensOf(scene)
  assert.deepEqual(tokensOf(again), [requests, day, month, minute, 0])

  const whole = limitsScene(TERMS, {}, clock)
  const all = new Replay(whole.limiter)
  for (const { kind, id, fields } of log) all[kind](id, fields)
  assert.deepEqual(tokensOf(whole), [requests, day, month, minute, 0], 'without a snapshot')
  assert.equal(openBefore.isRecorded, true)
})

test('restore takes nothing that has not its form', () => {
  const { limiter } = limitsScene(TERMS)
  const strange: JsonObject = {
    at: 'now',
    accounts: [null, 5, { name: 7 }, { name: 'a', requests: [['x', 'y'], 3], day: [1], month: 'no' }],
    open: [{ id: 'x' }, { at: 1 }],
    over: [1, 'id'],
  }
  restore(strange, limiter, new Replay(limiter))
  assert.deepEqual(
    [...limiter.accounts].map(({ name, isEmpty }) => [name, isEmpty]),
    [['a', true]],
  )
})

test('replay counts what was never settled in full, and takes no entry that says nothing of limits', () => {
  const scene = limitsScene(TERMS)
  const replay = new Replay(scene.limiter)
  replay.intent('other', { action: 'model:list' })
  replay.outcome('other', { tokens_charged: 5 })
  const at = scene.limiter.time.now().at
  replay.intent('mine', { reserved_at: at, counters: ['everybody'], tokens_reserved: 30, cost_reserved: 7 })
  // An outcome without a settlement settles nothing.
  replay.outcome('mine', { status: 200 })
  assert.deepEqual(tokensOf(scene), [1, 30, 30, 30, 0])
})

test('windows that were over before a restart do not open again when the clock was set back in between', () => {
  const clock = new TwoClocks()
  const scene = limitsScene([{ terms: { requests_per_day: 1 } }], {}, clock)
  const charge = scene.ask()
  const fields = charge.intentFields()
  clock.wall -= 3 * 86_400_000
  const again = limitsScene([{ terms: { requests_per_day: 1 } }], {}, clock)
  new Replay(again.limiter).intent('id', fields)
  assert.throws(() => again.ask(), { code: 'limit.exceeded' })
})
