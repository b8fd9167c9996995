import assert from 'node:assert/strict'
import { test } from 'node:test'
import { unknownOutcome } from '#trust/ledger/open_intents.ts'
import { Replay } from './replay.ts'
import { restore, takeSnapshot } from './snapshot.ts'
import {
  limitsScene,
  poolOf,
  priceOf,
  START,
  told,
  UNTAKEN,
  UNTOLD,
  type LimitsScene,
} from '../../../test/support/limits_scene.ts'

const DAY_S = 86_400

test('settling counts what was told instead of what was reserved, and nothing is refused too early after that', () => {
  const scene = limitsScene([{ terms: { tokens_per_minute: 100, tokens_per_day: 100, concurrent: 1 } }])
  for (let at = 0; at < 10; at += 1) {
    const fields = scene.ask({ tokens: [5, 5] }).settle(told(4, 5))
    assert.deepEqual(fields, { settled: 'usage', tokens_charged: 9 })
  }
  // 90 are taken, so 10 fit and 11 do not.
  assert.throws(() => scene.ask({ tokens: [1, 10] }), { code: 'limit.exceeded' })
  scene.ask({ tokens: [0, 10] })
})

test('settling twice, and releasing after that, changes nothing more', () => {
  const scene = limitsScene([{ terms: { tokens_per_day: 100 } }])
  const charge = scene.ask()
  charge.settle(told(1, 1))
  assert.deepEqual(charge.settle(told(50, 50)), {})
  charge.release()
  const [account] = [...scene.limiter.accounts]
  assert.deepEqual([account?.day.tokens, account?.day.requests, account?.inFlight], [2, 1, 0])
})

test('what a request took is what the provider told of it, and in full what nobody told', () => {
  const part = (facts: object) => ({ facts: { ...facts }, isWhole: false, isTaken: true })
  const cases: readonly (readonly [
    why: string,
    end: Parameters<ReturnType<LimitsScene['ask']>['settle']>[0],
    tokens: number,
    settled: string,
  ])[] = [
    ['all was told', told(3, 4), 7, 'usage'],
    ['more was told than reserved', told(30, 40), 70, 'usage'],
    ['nothing was told', UNTOLD, 30, 'unknown'],
    ['only the input was told', { ...UNTOLD, facts: { tokens_in: 3 } }, 23, 'unknown'],
    ['a stream was cut before it told anything', part({}), 30, 'unknown'],
    [
      'a stream was cut after it told its input: the output may still have been made',
      part({ tokens_in: 3, tokens_out: 1 }),
      23,
      'unknown',
    ],
    [
      'a stream was cut after it told more output than was reserved',
      part({ tokens_in: 3, tokens_out: 40 }),
      43,
      'unknown',
    ],
    ['the provider did not take it', UNTAKEN, 0, 'none'],
    [
      'an earlier try of a pool may have been taken',
      told(3, 4, { tries: 2, tries_unknown: 1 }),
      37,
      'unknown',
    ],
    [
      'the last try of a pool was not taken, but earlier ones may have been',
      { ...UNTAKEN, facts: { tries: 3, tries_unknown: 2 } },
      60,
      'unknown',
    ],
    ['what was told is no number of tokens', told(-1, 4), 14, 'unknown'],
    ['what was told is beyond any answer', told(3, 2 ** 52), 23, 'unknown'],
  ]
  for (const [why, end, tokens, settled] of cases) {
    const scene = limitsScene([{ terms: { tokens_per_day: 1_000 } }])
    const fields = scene.ask().settle(end)
    assert.deepEqual([fields['tokens_charged'], fields['settled']], [tokens, settled], why)
    const [account] = [...scene.limiter.accounts]
    assert.deepEqual(
      [account?.day.tokens, account?.day.requests, account?.minuteTokens.sum],
      [tokens, 1, tokens],
      why,
    )
  }
})

test('releasing gives everything back, the request too', () => {
  const scene = limitsScene([
    { terms: { requests_per_minute: 1, requests_per_day: 1, tokens_per_month: 30, concurrent: 1 } },
  ])
  for (let at = 0; at < 5; at += 1) scene.ask().release()
  const [account] = [...scene.limiter.accounts]
  assert.equal(account?.isEmpty, true)
})

test('what is settled late counts in the windows in which it was reserved, and not in later ones', () => {
  const scene = limitsScene([
    { terms: { tokens_per_minute: 1_000, tokens_per_day: 1_000, tokens_per_month: 1_000 } },
  ])
  const charge = scene.ask()
  scene.clock.pass(DAY_S * 1_000)
  scene.ask({ tokens: [1, 1] })
  charge.settle(told(100, 100))
  const [account] = [...scene.limiter.accounts]
  assert.deepEqual([account?.day.tokens, account?.month.tokens, account?.minuteTokens.sum], [2, 202, 2])
})

test('the cost is that of the prices at the time of the request', () => {
  const prices = {
    'gpt-x': [priceOf(1_000_000_000, 2_000_000_000), priceOf(5_000_000_000, 5_000_000_000, START + 10_000)],
  }
  const scene = limitsScene([{ terms: { dollars_per_day: 1 } }], prices)
  const charge = scene.ask()
  // The dearest input is what is written to a cache.
  assert.equal(charge.intentFields()['cost_reserved'], 10 * 2_000 + 20 * 2_000)
  scene.clock.pass(20_000)
  const fields = charge.settle(told(10, 20, { tokens_cached: 5, tokens_written: 1 }))
  assert.equal(fields['cost'], 4 * 1_000 + 5 * 100 + 1 * 2_000 + 20 * 2_000)
  assert.deepEqual([fields['tokens_cached'], fields['tokens_written']], [5, 1])
  assert.equal(scene.ask().settle(told(10, 20))['cost'], 30 * 5_000)
})

test('a price without a limit gives the cost, and no counters', () => {
  const scene = limitsScene([], { 'gpt-x': [priceOf(1_000_000_000, 1_000_000_000)] })
  const charge = scene.ask()
  assert.deepEqual(charge.intentFields(), { space: 'default', cost_reserved: 40_000 })
  assert.deepEqual(charge.settle(told(1, 1)), { settled: 'usage', cost: 2_000 })
})

test('a pool reserves its dearest member and settles the one that answered', () => {
  const prices = { cheap: [priceOf(1_000_000, 1_000_000)], dear: [priceOf(9_000_000, 9_000_000)] }
  const scene = limitsScene([{ terms: { dollars_per_day: 1 } }], prices)
  const target = poolOf('house', 'cheap', 'dear')
  const charge = scene.ask({ target })
  assert.equal(charge.intentFields()['cost_reserved'], 10 * 18 + 20 * 9)
  assert.equal(charge.settle(told(10, 20, { model: 'cheap', tries: 1 }))['cost'], 30)
  assert.equal(scene.ask({ target }).settle(UNTOLD)['cost'], 10 * 18 + 20 * 9, 'nobody knows who it was')
  const half = limitsScene([{ terms: { dollars_per_day: 1 } }], { cheap: prices.cheap })
  assert.throws(() => half.ask({ target }), { code: 'limit.unpriced' })
})

test('a further try is reserved too, and not tried where it does not fit', () => {
  const scene = limitsScene([
    { terms: { requests_per_day: 1, tokens_per_day: 70, tokens_per_minute: 1_000, concurrent: 1 } },
  ])
  const charge = scene.ask()
  assert.equal(charge.again(), true)
  const [account] = [...scene.limiter.accounts]
  assert.deepEqual([account?.day.tokens, account?.day.requests, account?.inFlight], [60, 1, 1])
  assert.deepEqual(takeSnapshot(scene.limiter, new Set()).accounts[0]?.['day'], [20_777, 0, 0, 0])
  assert.equal(charge.again(), false)
  assert.equal(account?.day.tokens, 60)
  assert.equal(charge.settle(told(3, 4, { tries: 2, tries_unknown: 1 }))['tokens_charged'], 37)
  assert.deepEqual([account?.day.tokens, account?.minuteTokens.sum, account?.inFlight], [37, 37, 0])
  assert.equal(charge.again(), false, 'it is over')
})

test('a snapshot and the outcome after it come to what was settled, whatever was tried', () => {
  const terms = { tokens_per_day: 1_000 }
  const scene = limitsScene([{ terms }])
  const charge = scene.ask()
  charge.record()
  charge.again()
  const snapshot = JSON.parse(JSON.stringify(takeSnapshot(scene.limiter, new Set())))
  const after = limitsScene([{ terms }]).limiter
  const replay = new Replay(after)
  restore(snapshot, after, replay)
  replay.outcome(charge.parts.id, charge.settle(told(3, 4, { tries: 2, tries_unknown: 1 })))
  assert.equal(after.account('everybody').day.tokens, 37)
})

test('an outcome that nobody knows frees nothing of what tries had reserved before the crash', () => {
  const terms = { tokens_per_day: 1_000 }
  const scene = limitsScene([{ terms }])
  const charge = scene.ask()
  charge.record()
  charge.again()
  const held = scene.limiter.account('everybody').day.tokens
  const snapshot = JSON.parse(JSON.stringify(takeSnapshot(scene.limiter, new Set())))
  const { reserved_at: reservedAt, tokens_reserved: tokens } = charge.intentFields()
  const after = limitsScene([{ terms }]).limiter
  const replay = new Replay(after)
  restore(snapshot, after, replay)
  const intent = {
    id: charge.parts.id,
    fields: { reserved_at: reservedAt ?? 0, tokens_reserved: tokens ?? 0 },
  }
  const { fields } = unknownOutcome(intent, 0)
  replay.outcome(charge.parts.id, { ...fields })
  assert.ok(held > Number(tokens))
  assert.equal(after.account('everybody').day.tokens, held)
})
