import type { Clock } from '#base/clock.ts'
import { SYSTEM_CLOCK } from '#base/clock.ts'
import type { EntityFacts } from '#base/decider.ts'
import { KEY_ALONE } from '#trust/access/caller_facts.ts'
import type { Caller } from '#trust/access/caller.ts'
import type { BudgetTerms } from '#door/limits/budgets.ts'
import { Limiter } from '#door/limits/limiter.ts'
import { PriceTable } from '#door/limits/prices.ts'
import { knownTarget, type Demand } from '#door/route.ts'
import { describeMachine, type Machine } from './machine.ts'
import { median, quantile, round } from './statistics.ts'
import os from 'node:os'

/** Accounts that a request counts in, each with a limit of every kind. */
export const APPLIED = [1, 5, 20] as const

export interface LimitsReport {
  readonly bench: 'limits'
  readonly machine: Machine
  readonly rounds: number
  /** Reserving and settling of one request, by the number of accounts that it counts in. */
  readonly applied: Readonly<Record<string, { readonly p50_us: number; readonly p99_us: number }>>
  /** The same without any limit and price: what every request pays. */
  readonly none_us: number
  /** A refusal by the last of 5. */
  readonly refused_us: number
}

const BATCH = 50
const WARM_SHARE = 0.3
const TERMS = {
  requests_per_minute: 1e9,
  tokens_per_minute: 1e12,
  concurrent: 1e6,
  requests_per_day: 1e12,
  tokens_per_day: 1e12,
  dollars_per_day: 9_000_000,
  requests_per_month: 1e12,
  tokens_per_month: 1e12,
  dollars_per_month: 9_000_000,
}
const DEMAND: Demand = { tokensIn: 1_000, tokensOut: 500, unbounded: undefined, unpriced: undefined }
const MODEL = knownTarget({ type: 'Model', id: 'm' })
const FACTS = { tokens_in: 900, tokens_out: 120 }
const END = { facts: FACTS, isWhole: true, isTaken: true } as const

/** Measures what limits cost a request, on counters in memory. */
export function benchLimits(options: {
  readonly rounds: number
  readonly seconds: number
  readonly say: (line: string) => void
}): LimitsReport {
  const results = new Map<number, { p50: number; p99: number }[]>([0, ...APPLIED].map((count) => [count, []]))
  const refusals: number[] = []
  for (let at = 0; at < options.rounds; at += 1) {
    for (const [count, list] of results) list.push(measure(passing(count), options.seconds))
    refusals.push(measure(refused(), options.seconds).p50)
    options.say(`round ${at + 1} of ${options.rounds}`)
  }
  const shown = (count: number): { p50_us: number; p99_us: number } => {
    const list = results.get(count) ?? []
    return {
      p50_us: round(median(list.map(({ p50 }) => p50)), 2),
      p99_us: round(median(list.map(({ p99 }) => p99)), 2),
    }
  }
  return {
    bench: 'limits',
    machine: describeMachine(os.tmpdir()),
    rounds: options.rounds,
    applied: Object.fromEntries(APPLIED.map((count) => [count, shown(count)])),
    none_us: shown(0).p50_us,
    refused_us: round(median(refusals), 2),
  }
}

export function drawLimits({
  applied,
  none_us: none,
  refused_us: refusal,
  rounds,
  machine,
}: LimitsReport): string {
  const lines = Object.entries(applied).map(
    ([count, { p50_us, p99_us }]) =>
      `${count.padStart(4)} accounts of 9 limits   p50 ${p50_us.toFixed(2)} µs   p99 ${p99_us.toFixed(2)} µs`,
  )
  return [
    `reserve and settle, ${rounds} rounds, ${machine.cpu}`,
    `no limit, no price        p50 ${none.toFixed(2)} µs`,
    ...lines,
    `refused by the last of 5  p50 ${refusal.toFixed(2)} µs`,
  ].join('\n')
}

function budgets(count: number, last: BudgetTerms['terms'] = TERMS): readonly BudgetTerms[] {
  return Array.from({ length: count }, (_, at) => ({
    who: { kind: 'group', name: `g${at}` },
    each: undefined,
    model: 'm*',
    terms: at === count - 1 ? last : TERMS,
  }))
}

function limiterOf(count: number, terms = TERMS): Limiter {
  const clock: Clock = SYSTEM_CLOCK
  const price = {
    from: 0,
    input: 2_500_000_000,
    output: 10_000_000_000,
    cachedInput: 250_000_000,
    cacheWrite: 0,
  }
  const prices = new PriceTable(count === 0 ? new Map() : new Map([['m', [price]]]))
  return new Limiter({ clock, budgets: budgets(count, terms), prices, onRefusal: () => undefined })
}

function callerOf(groups: number): Caller {
  const refs = Array.from({ length: groups }, (_, at) => ({ type: 'Group', id: `g${at}` }))
  const ref = { type: 'Service', id: 'demo' }
  const own: EntityFacts = { ref, attributes: {}, parents: refs }
  const entities = [own, ...refs.map((group) => ({ ref: group, attributes: {}, parents: [] }))]
  const scope = { models: undefined, actions: undefined }
  return { ref, entities, space: 'default', scope, kid: 'kid000000001', ...KEY_ALONE }
}

function passing(count: number): () => void {
  const limiter = limiterOf(count)
  const caller = callerOf(count)
  let id = 0
  return () => {
    id += 1
    const charge = limiter.reserve({ id: String(id), caller, target: MODEL, demand: () => DEMAND })
    charge?.record()
    charge?.settle(END)
  }
}

function refused(): () => void {
  const limiter = limiterOf(5, { ...TERMS, tokens_per_day: 1_000 })
  const caller = callerOf(5)
  return () => {
    try {
      limiter.reserve({ id: 'id', caller, target: MODEL, demand: () => DEMAND })
    } catch {
      return
    }
    throw new Error('it was not refused')
  }
}

/** Microseconds of one call; of batches, because the clock is too coarse for one. */
function measure(work: () => void, seconds: number): { p50: number; p99: number } {
  const times: number[] = []
  const begin = performance.now()
  for (let now = begin; now < begin + seconds * 1_000;) {
    for (let at = 0; at < BATCH; at += 1) work()
    const after = performance.now()
    if (after - begin > seconds * 1_000 * WARM_SHARE) times.push(((after - now) * 1_000) / BATCH)
    now = after
  }
  times.sort((left, right) => left - right)
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) }
}
