import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import {
  callerOf,
  limitsScene,
  MODEL,
  poolOf,
  priceOf,
  START,
  told,
  type LimitsScene,
} from '../../../test/support/limits_scene.ts'
import type { LimitTerms } from '#trust/access/limit_terms.ts'

const DAY_S = 86_400

function refusal(ask: () => unknown): Fault {
  try {
    ask()
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown
    throw thrown
  }
  throw new Error('nothing was refused')
}

/** As many as pass, up to 100. */
function passing({ ask }: LimitsScene, of: Parameters<LimitsScene['ask']>[0] = {}): number {
  for (let count = 0; count < 100; count += 1) {
    try {
      ask(of)
    } catch (thrown) {
      if (thrown instanceof Fault && thrown.code === 'limit.exceeded') return count
      throw thrown
    }
  }
  return 100
}

test('reserve lets exactly as much pass as each limit says, and says when the next one fits', () => {
  // Each request takes 30 tokens and 0.05 dollars at most.
  const prices = { 'gpt-x': [priceOf(1_000_000_000_000, 2_000_000_000_000)] }
  const today = (START - Date.UTC(2026, 10, 20)) / 1_000
  const untilMonth = (Date.UTC(2026, 11, 1) - START) / 1_000
  const cases: readonly (readonly [terms: LimitTerms, passes: number, retryAfterSeconds: number])[] = [
    [{ requests_per_minute: 10 }, 10, 61],
    [{ tokens_per_minute: 100 }, 3, 61],
    [{ concurrent: 4 }, 4, 1],
    [{ requests_per_day: 7 }, 7, DAY_S - today],
    [{ tokens_per_day: 299 }, 9, DAY_S - today],
    [{ tokens_per_day: 300 }, 10, DAY_S - today],
    [{ dollars_per_day: 0.5 }, 8, DAY_S - today],
    [{ requests_per_month: 3 }, 3, untilMonth],
    [{ tokens_per_month: 60 }, 2, untilMonth],
    [{ dollars_per_month: 0.06 }, 1, untilMonth],
    [{ requests_per_minute: 5, requests_per_day: 9, concurrent: 8 }, 5, 61],
    [{ requests_per_minute: 5, requests_per_day: 5 }, 5, DAY_S - today],
  ]
  for (const [terms, passes, retryAfterSeconds] of cases) {
    const scene = limitsScene([{ terms }], prices)
    assert.equal(passing(scene), passes, JSON.stringify(terms))
    const fault = refusal(() => scene.ask())
    assert.equal(fault.code, 'limit.exceeded')
    assert.equal(fault.retryAfterSeconds, retryAfterSeconds, JSON.stringify(terms))
  }
})

test('Retry-After is exact: who waits so long passes, and who waits a second less does not', () => {
  const cases: readonly LimitTerms[] = [
    { requests_per_minute: 3 },
    { tokens_per_minute: 100 },
    { requests_per_day: 3 },
    { tokens_per_month: 90 },
  ]
  for (const terms of cases)
    for (const offset of [0, 1, 499, 999]) {
      const scene = limitsScene([{ terms }])
      scene.clock.pass(offset)
      for (let at = 0; at < 3; at += 1) {
        scene.ask()
        scene.clock.pass(1_234)
      }
      const wait = refusal(() => scene.ask()).retryAfterSeconds ?? Number.NaN
      scene.clock.pass((wait - 1) * 1_000)
      assert.equal(refusal(() => scene.ask()).retryAfterSeconds, 1, JSON.stringify([terms, offset]))
      scene.clock.pass(1_000)
      scene.ask()
    }
})

test('reserve refuses for good what is larger than the limit, and gives no time', () => {
  const scene = limitsScene([{ terms: { tokens_per_minute: 29 } }])
  const fault = refusal(() => scene.ask())
  assert.equal(fault.retryAfterSeconds, undefined)
  assert.match(fault.say ?? '', /may take 30 tokens, and the limit is 29 tokens per minute for all callers/)
})

test('reserve charges nothing anywhere when one of several limits refuses', () => {
  const scene = limitsScene([
    { who: { kind: 'caller', name: 'demo' }, terms: { requests_per_day: 100, concurrent: 100 } },
    { terms: { requests_per_day: 2 } },
  ])
  assert.equal(passing(scene), 2)
  refusal(() => scene.ask())
  const [first] = [...scene.limiter.accounts].filter(({ name }) => name === 'caller:demo')
  assert.deepEqual([first?.day.requests, first?.inFlight, first?.minuteTokens.sum], [2, 2, 60])
})

test('a refusal names the limit in our own words, and nothing of what others took', () => {
  const scene = limitsScene([
    { who: { kind: 'group', name: 'secret-group' }, terms: { requests_per_minute: 1 } },
  ])
  const caller = callerOf({ groups: ['secret-group'] })
  scene.ask({ caller })
  const fault = refusal(() => scene.ask({ caller }))
  assert.equal(fault.say, 'The limit is 1 request per minute for a group of this caller.')
  assert.deepEqual(fault.detail, {
    reason: 'requests_per_minute',
    limit_of: 'group:secret-group',
    limit: 1,
    limit_asked: 1,
  })
  assert.deepEqual(scene.refused, ['requests_per_minute'])
})

test('limits hold for whom they name, and members of groups in a group are members of it', () => {
  const inner = callerOf({ name: 'a', groups: ['inner', 'outer'], space: 'lab' })
  const outer = callerOf({ name: 'b', groups: ['outer'], space: 'lab' })
  const other = callerOf({ name: 'c' })
  const cases: readonly (readonly [
    kind: 'key' | 'caller' | 'group' | 'space' | 'tenant',
    name: string,
    who: string,
  ])[] = [
    ['key', 'kid-a', 'a'],
    ['caller', 'a', 'a'],
    ['group', 'inner', 'a'],
    ['group', 'outer', 'ab'],
    ['group', 'elsewhere', ''],
    ['space', 'lab', 'ab'],
    ['tenant', 'default', 'abc'],
  ]
  for (const [kind, name, who] of cases) {
    const { limiter } = limitsScene([{ who: { kind, name }, terms: { requests_per_day: 9 } }])
    const demand = () => ({ tokensIn: 0, tokensOut: 0, unbounded: undefined, unpriced: undefined })
    const limited = [inner, outer, other].filter(
      (caller) => limiter.reserve({ id: caller.ref.id, caller, target: MODEL, demand }) !== undefined,
    )
    assert.equal(limited.map(({ ref }) => ref.id).join(''), who, `${kind} ${name}`)
  }
})

test('a limit of a group is shared by its members, or each has its own', () => {
  const callers = ['a', 'b', 'c'].map((name) => callerOf({ name, groups: ['eng'] }))
  const who = { kind: 'group', name: 'eng' } as const
  const shared = limitsScene([{ who, terms: { requests_per_day: 5 } }])
  assert.equal(
    callers.reduce((sum, caller) => sum + passing(shared, { caller }), 0),
    5,
  )
  const own = limitsScene([{ who, each: 'caller', terms: { requests_per_day: 5 } }])
  assert.equal(
    callers.reduce((sum, caller) => sum + passing(own, { caller }), 0),
    15,
  )
})

test('a caller of nested groups cannot take more than the tightest of them, however it comes', () => {
  const scene = limitsScene([
    { who: { kind: 'group', name: 'inner' }, terms: { requests_per_day: 8 } },
    { who: { kind: 'group', name: 'outer' }, terms: { requests_per_day: 5 } },
  ])
  const inside = callerOf({ name: 'a', groups: ['inner', 'outer'] })
  const beside = callerOf({ name: 'b', groups: ['outer'] })
  scene.ask({ caller: beside })
  assert.equal(passing(scene, { caller: inside }), 4)
  assert.equal(passing(scene, { caller: beside }), 0)
})

test('a key has limits of its own, beside those of the configuration', () => {
  const scene = limitsScene([{ who: { kind: 'key', name: 'kid-demo' }, terms: { requests_per_day: 9 } }])
  const caller = callerOf({ limits: { requests_per_day: 4 } })
  assert.equal(passing(scene, { caller }), 4)
  assert.equal([...scene.limiter.accounts].length, 1, 'both are limits of one account')
})

test('limits of models take a star for any characters', () => {
  const cases: readonly (readonly [pattern: string, name: string, matches: boolean])[] = [
    ['gpt-x', 'gpt-x', true],
    ['gpt-x', 'gpt-xy', false],
    ['gpt-*', 'gpt-x', true],
    ['gpt-*', 'agpt-x', false],
    ['*', 'anything', true],
    ['*-mini', 'gpt-5-mini', true],
    ['*-mini', 'gpt-5-mini-2', false],
    ['g*-*i', 'gpt-5-mini', true],
    ['ab*ba', 'aba', false],
    ['a*b*c', 'a-b-c', true],
    ['a*b*c', 'a-c-b', false],
  ]
  for (const [model, id, matches] of cases) {
    const { limiter } = limitsScene([{ model, terms: { requests_per_day: 1 } }])
    const target = { ...MODEL, ref: { type: 'Model', id } }
    const demand = () => ({ tokensIn: 0, tokensOut: 0, unbounded: undefined, unpriced: undefined })
    const charge = limiter.reserve({ id: 'id', caller: callerOf(), target, demand })
    assert.equal(charge !== undefined, matches, `${model} and ${id}`)
  }
})

test('a wall clock that is set back opens no window again', () => {
  const scene = limitsScene([{ terms: { requests_per_day: 2, requests_per_month: 3 } }])
  assert.equal(passing(scene), 2)
  scene.clock.wall -= 2 * DAY_S * 1_000
  assert.equal(passing(scene), 0)
  scene.clock.wall += 3 * DAY_S * 1_000
  assert.equal(passing(scene), 1, 'the next day, of the same month')
  scene.clock.wall -= 30 * DAY_S * 1_000
  assert.equal(passing(scene), 0)
})

test('without a limit and a price nothing is counted, and nobody is asked what the request may take', () => {
  const { limiter } = limitsScene([{ who: { kind: 'group', name: 'eng' }, terms: { requests_per_day: 1 } }])
  const demand = (): never => assert.fail('asked')
  assert.equal(limiter.reserve({ id: 'id', caller: callerOf(), target: MODEL, demand }), undefined)
  const unknown = { ref: { type: 'Model', id: 'none' }, entities: [], known: false }
  assert.equal(
    limiter.reserve({ id: 'id', caller: callerOf({ groups: ['eng'] }), target: unknown, demand }),
    undefined,
  )
})

test('reserve refuses what nothing bounds only where tokens or money are limited', () => {
  const demand = () => ({
    tokensIn: 5,
    tokensOut: undefined,
    unbounded: 'Nothing says how long.',
    unpriced: undefined,
  })
  const limited = limitsScene([{ terms: { tokens_per_day: 1_000 } }])
  assert.throws(() => limited.ask({ demand }), { code: 'limit.unbounded', say: 'Nothing says how long.' })
  const counted = limitsScene([{ terms: { requests_per_day: 10 } }])
  const fields = counted.ask({ demand })
  assert.equal(fields.intentFields()['tokens_reserved'], undefined)
  assert.deepEqual(fields.settle(told(4, 9)), { settled: 'usage', tokens_charged: 13 })
})

test('reserve refuses what has no price only where money is limited', () => {
  const limited = limitsScene([{ terms: { dollars_per_day: 1 } }])
  assert.throws(() => limited.ask(), { code: 'limit.unpriced' })
  assert.deepEqual(limited.refused, ['unpriced'])
  const priced = { 'gpt-x': [priceOf(1_000_000, 1_000_000)] }
  const unpriced = () => ({ tokensIn: 5, tokensOut: 5, unbounded: undefined, unpriced: 'Sound.' })
  const paid = limitsScene([{ terms: { dollars_per_day: 1 } }], priced)
  assert.throws(() => paid.ask({ demand: unpriced }), { code: 'limit.unpriced', say: 'Sound.' })
  const future = limitsScene([{ terms: { dollars_per_day: 1 } }], { 'gpt-x': [priceOf(1, 1, START + 1)] })
  assert.throws(() => future.ask(), { code: 'limit.unpriced' })
})

test('a limit of a member counts what comes by way of a pool, until another member has answered', () => {
  const scene = limitsScene([
    { model: 'gpt-*', terms: { requests_per_day: 2, tokens_per_day: 100 } },
    { model: 'house', terms: { requests_per_day: 10 } },
  ])
  const target = poolOf('house', 'gpt-x', 'claude')
  const fields = scene.ask({ target }).settle(told(10, 20, { model: 'claude', tries: 1 }))
  assert.deepEqual(fields['uncounted'], ['everybody model:gpt-*'])
  const byName = new Map([...scene.limiter.accounts].map((account) => [account.name, account]))
  assert.equal(byName.get('everybody model:gpt-*')?.isEmpty, true)
  assert.equal(byName.get('everybody model:house')?.day.requests, 1)
  scene.ask({ target }).settle(told(10, 20, { model: 'gpt-x', tries: 1 }))
  scene.ask({ target })
  assert.throws(() => scene.ask({ target }), { code: 'limit.exceeded' })
})

test('reserve fails closed when more limits apply than an entry can name', () => {
  const many = Array.from({ length: 65 }, (_, at) => ({
    model: '*'.repeat(at + 1),
    terms: { concurrent: 9 },
  }))
  assert.throws(() => limitsScene(many).ask(), { code: 'config.invalid' })
})
