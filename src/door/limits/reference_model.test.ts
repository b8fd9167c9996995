import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { EntryDraft } from '#base/recorder.ts'
import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import {
  callerOf,
  limitsScene,
  poolOf,
  priceOf,
  START,
  TwoClocks,
  type LimitsScene,
} from '../../../test/support/limits_scene.ts'
import type { Charge, ChargeEnd } from './charge.ts'
import { Replay } from './replay.ts'
import { restore, takeSnapshot } from './snapshot.ts'

/*
 * Random schedules against a slow model that keeps every request and adds them all up each time. It knows nothing of slots,
 * snapshots or replay: a request counts with what it reserved until it is settled, then with what it took; a crash settles
 * nothing.
 */

const RUNS = process.env['GATEHOUSE_SLOW'] === undefined ? 300 : 10_000
const DAY_MS = 86_400_000
const MINUTE_SECONDS = 60

const CALLERS = [
  callerOf({ name: 'a', groups: ['inner', 'outer'] }),
  callerOf({ name: 'b', groups: ['outer'], limits: { requests_per_minute: 4, tokens_per_day: 150 } }),
  callerOf({ name: 'c' }),
]
const TARGETS = [poolOf('house', 'gpt-x', 'claude'), poolOf('single', 'gpt-x')]
const PRICES = {
  'gpt-x': [priceOf(1_000_000_000, 3_000_000_000)],
  claude: [priceOf(2_000_000_000, 2_000_000_000)],
}

/** What the scene is configured with, and what the model checks: account, who counts, and its limits. */
const BUDGETS = [
  { account: 'group:inner', of: 'a', pattern: /./, terms: { requests_per_minute: 5, tokens_per_month: 900 } },
  { account: 'group:outer', of: 'ab', pattern: /./, terms: { tokens_per_minute: 120, concurrent: 3 } },
  {
    account: 'everybody model:gpt-*',
    of: 'abc',
    pattern: /^gpt-/,
    terms: { requests_per_day: 5, dollars_per_day: 0.0004 },
  },
  { account: 'key:kid-b', of: 'b', pattern: /./, terms: { requests_per_minute: 4, tokens_per_day: 150 } },
] as const

const SCENE_BUDGETS = [
  { who: { kind: 'group', name: 'inner' }, terms: BUDGETS[0].terms },
  { who: { kind: 'group', name: 'outer' }, terms: BUDGETS[1].terms },
  { model: 'gpt-*', terms: BUDGETS[2].terms },
] as const

interface Kept {
  readonly at: number
  readonly accounts: readonly string[]
  tokens: number
  nano: number
  isOpen: boolean
}

type Step =
  | {
      readonly kind: 'ask'
      readonly caller: number
      readonly target: number
      readonly tokens: readonly [number, number]
    }
  | {
      readonly kind: 'settle' | 'release'
      readonly which: number
      readonly share: number
      readonly how: number
    }
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'set_clock'; readonly ms: number }
  | { readonly kind: 'snapshot' | 'restart' | 'crash' }

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      caller: fc.nat(2),
      target: fc.nat(1),
      tokens: fc.tuple(fc.nat(20), fc.nat(40)),
    }),
  },
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('settle' as const),
      which: fc.nat(9),
      share: fc.nat(120),
      how: fc.nat(4),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('release' as const),
      which: fc.nat(9),
      share: fc.nat(1),
      how: fc.nat(1),
    }),
  },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(20_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat(DAY_MS) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('set_clock' as const),
      ms: fc.integer({ min: -DAY_MS, max: DAY_MS }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom('snapshot' as const, 'restart' as const, 'crash' as const),
    }),
  },
)

class World {
  readonly clock = new TwoClocks(START)
  readonly kept: Kept[] = []
  readonly log: Pick<EntryDraft, 'kind' | 'id' | 'fields'>[] = []
  scene: LimitsScene
  open: { charge: Charge; kept: Kept; id: string; account: string }[] = []
  saved: { readonly size: number; readonly state: JsonObject } | undefined
  #count = 0
  /** The time of the model: forward only. */
  #at = START
  #steady = this.clock.steady

  constructor() {
    this.scene = limitsScene(SCENE_BUDGETS, PRICES, this.clock)
  }

  now(): number {
    this.#at = Math.max(this.#at + this.clock.steady - this.#steady, this.clock.wall)
    this.#steady = this.clock.steady
    return this.#at
  }

  ask({ caller, target, tokens }: Extract<Step, { kind: 'ask' }>): void {
    const who = CALLERS[caller] ?? CALLERS[0]
    const model = TARGETS[target] ?? TARGETS[0]
    if (who === undefined || model === undefined) return
    const at = this.now()
    const [tokensIn, tokensOut] = tokens
    const members = model.via?.map(({ ref }) => ref.id) ?? []
    const dearest = Math.max(...members.map((member) => mostOf(member, tokensIn, tokensOut)))
    const asked = { tokens: tokensIn + tokensOut, nano: dearest }
    const matching = BUDGETS.filter(
      ({ of, pattern }) => of.includes(who.ref.id) && members.some((one) => pattern.test(one)),
    )
    const fits = matching.every(({ account, terms }) => this.#fits(account, terms, asked, at))
    const id = `id-${(this.#count += 1)}`
    const charge = this.#reserve(id, who, model, tokens)
    assert.equal(charge !== undefined, fits, `${id} at ${at}`)
    if (charge === undefined) return
    const kept = { at, accounts: matching.map(({ account }) => account), ...asked, isOpen: true }
    this.kept.push(kept)
    this.log.push({ kind: 'intent', id, fields: charge.intentFields() })
    charge.record()
    this.open.push({ charge, kept, id, account: '' })
  }

  settle({
    which,
    share,
    how,
  }: {
    readonly which: number
    readonly share: number
    readonly how: number
  }): void {
    const [one] = this.open.splice(which % Math.max(1, this.open.length), 1)
    if (one === undefined) return
    const { charge, kept, id } = one
    const { tokensIn = 0, tokensOut = 0, model } = charge.parts
    const member = model.members?.[how % model.members.length] ?? ''
    const usedIn = Math.floor((tokensIn * share) / 100)
    const usedOut = Math.floor((tokensOut * share) / 100)
    const end = endOf(how, { member, usedIn, usedOut })
    const fields = charge.settle(end)
    this.log.push({ kind: 'outcome', id, fields })
    kept.isOpen = false
    if (how === 3) return
    const isTaken = how !== 4
    kept.tokens = isTaken ? usedIn + usedOut : 0
    kept.nano = isTaken ? costAt(member, usedIn, usedOut) : 0
    const others = BUDGETS.filter(({ pattern }) => !pattern.test(member)).map(({ account }) => account)
    Object.assign(kept, { accounts: kept.accounts.filter((account) => !others.includes(account as never)) })
  }

  /** Asked and given back before it was recorded. */
  release(): void {
    const [who] = CALLERS
    const [model] = TARGETS
    if (who === undefined || model === undefined) return
    this.now()
    this.#reserve('released', who, model, [1, 1])?.release()
  }

  /** As the file is written: the place first, then all at once. */
  snapshot(): void {
    const size = this.log.length
    this.saved = { size, state: JSON.parse(JSON.stringify(takeSnapshot(this.scene.limiter, new Set()))) }
  }

  /** What was open stays reserved for good; nobody is in flight. */
  restart(): void {
    this.scene = limitsScene(SCENE_BUDGETS, PRICES, this.clock)
    const replay = new Replay(this.scene.limiter)
    if (this.saved !== undefined) restore(this.saved.state, this.scene.limiter, replay)
    for (const { kind, id, fields } of this.log.slice(this.saved?.size ?? 0))
      if (kind === 'intent') replay.intent(id, fields)
      else replay.outcome(id, fields)
    for (const { kept } of this.open) kept.isOpen = false
    this.open = []
    // A process that begins anew knows the wall clock and what it has recorded.
    this.#at = Math.max(this.clock.wall, this.scene.limiter.time.now().at)
    this.#steady = this.clock.steady
  }

  #reserve(
    id: string,
    caller: (typeof CALLERS)[number],
    target: (typeof TARGETS)[number],
    tokens: readonly [number, number],
  ): Charge | undefined {
    const [tokensIn, tokensOut] = tokens
    try {
      const demand = () => ({ tokensIn, tokensOut, unbounded: undefined, unpriced: undefined })
      return this.scene.limiter.reserve({ id, caller, target, demand })
    } catch (thrown) {
      if (thrown instanceof Fault && thrown.code === 'limit.exceeded') return undefined
      throw thrown
    }
  }

  #fits(
    account: string,
    terms: Readonly<Record<string, number>>,
    asked: { tokens: number; nano: number },
    at: number,
  ): boolean {
    const own = this.kept.filter(({ accounts }) => accounts.includes(account))
    const second = Math.floor(at / 1_000)
    const inMinute = own.filter((one) => second - Math.floor(one.at / 1_000) <= MINUTE_SECONDS)
    const today = own.filter((one) => Math.floor(one.at / DAY_MS) === Math.floor(at / DAY_MS))
    const month = own.filter(
      (one) => new Date(one.at).toISOString().slice(0, 7) === new Date(at).toISOString().slice(0, 7),
    )
    const tokens = (list: readonly Kept[]): number =>
      list.reduce((sum, one) => sum + one.tokens, asked.tokens)
    const { concurrent = 1e9, requests_per_minute: rpm = 1e9, tokens_per_minute: tpm = 1e9 } = terms
    const {
      requests_per_day: rpd = 1e9,
      tokens_per_day: tpd = 1e9,
      dollars_per_day: dpd = 1e9,
      tokens_per_month: tpmo = 1e9,
    } = terms
    return (
      own.filter(({ isOpen }) => isOpen).length + 1 <= concurrent &&
      inMinute.length + 1 <= rpm &&
      tokens(inMinute) <= tpm &&
      today.length + 1 <= rpd &&
      tokens(today) <= tpd &&
      today.reduce((sum, one) => sum + one.nano, asked.nano) <= dpd * 1e9 &&
      tokens(month) <= tpmo
    )
  }
}

function endOf(
  how: number,
  used: { readonly member: string; readonly usedIn: number; readonly usedOut: number },
): ChargeEnd {
  const facts = { model: used.member, tries: 1, tokens_in: used.usedIn, tokens_out: used.usedOut }
  if (how === 3) return { facts: {}, isWhole: true, isTaken: true }
  return { facts, isWhole: true, isTaken: how !== 4 }
}

function mostOf(member: string, tokensIn: number, tokensOut: number): number {
  return member === 'claude' ? tokensIn * 4_000 + tokensOut * 2_000 : tokensIn * 2_000 + tokensOut * 3_000
}

function costAt(member: string, tokensIn: number, tokensOut: number): number {
  return member === 'claude' ? (tokensIn + tokensOut) * 2_000 : tokensIn * 1_000 + tokensOut * 3_000
}

test(`counters agree with a model that adds up every request, over ${RUNS} random schedules with crashes and clocks that are set`, () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 120 }), (steps) => {
      const world = new World()
      for (const one of steps) run(world, one)
    }),
    { seed: 20_261_122, numRuns: RUNS },
  )
})

function run(world: World, one: Step): void {
  switch (one.kind) {
    case 'ask':
      return world.ask(one)
    case 'settle':
      return world.settle(one)
    case 'release':
      return world.release()
    case 'pass':
      world.clock.pass(one.ms)
      return void world.now()
    case 'set_clock':
      world.clock.wall += one.ms
      return void [world.now(), world.scene.limiter.time.now()]
    case 'snapshot':
      return world.snapshot()
    case 'restart':
      world.snapshot()
      return world.restart()
    case 'crash':
      return world.restart()
  }
}
