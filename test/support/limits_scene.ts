import type { Clock } from '#base/clock.ts'
import type { EntityFacts, EntityRef } from '#base/decider.ts'
import { KEY_ALONE } from '#trust/access/caller_facts.ts'
import type { Caller } from '#trust/access/caller.ts'
import type { LimitTerms } from '#trust/access/limit_terms.ts'
import type { BudgetTerms } from '#door/limits/budgets.ts'
import type { Charge, ChargeEnd } from '#door/limits/charge.ts'
import { Limiter, type Asked } from '#door/limits/limiter.ts'
import { PriceTable, type DatedPrice } from '#door/limits/prices.ts'
import { knownTarget, type Demand, type Target } from '#door/route.ts'

/** 2026-11-20T10:00:00.000Z. */
export const START = Date.UTC(2026, 10, 20, 10)

/** A wall clock and one that never goes back, moved by hand: both, or the wall clock alone. */
export class TwoClocks implements Clock {
  wall: number
  steady = 1_000

  constructor(wall = START) {
    this.wall = wall
  }

  now(): number {
    return this.wall
  }

  monotonic(): number {
    return this.steady
  }

  pass(ms: number): void {
    this.wall += ms
    this.steady += ms
  }
}

export interface CallerSettings {
  readonly name?: string
  readonly kid?: string
  readonly limits?: LimitTerms
  /** Groups from the inside to the outside: the caller is in the first, that in the second, and so on. */
  readonly groups?: readonly string[]
  readonly space?: string
}

export function callerOf(settings: CallerSettings = {}): Caller {
  const { name = 'demo', kid = `kid-${name}`, limits, groups = [], space = 'default' } = settings
  const ref = { type: 'Service', id: name }
  const spaceRef = { type: 'Space', id: space }
  const refs = groups.map((id) => ({ type: 'Group', id }))
  const facts = (of: EntityRef, parents: readonly EntityRef[]): EntityFacts => ({
    ref: of,
    attributes: {},
    parents,
  })
  return {
    ref,
    entities: [
      facts(ref, [spaceRef, ...refs.slice(0, 1)]),
      facts(spaceRef, [{ type: 'Tenant', id: 'default' }]),
      facts({ type: 'Tenant', id: 'default' }, []),
      ...refs.map((group, at) => facts(group, refs.slice(at + 1, at + 2))),
      // Not one of its own: only what can be reached from the caller counts.
      facts({ type: 'Group', id: 'elsewhere' }, []),
    ],
    space,
    scope: { models: undefined, actions: undefined },
    kid,
    limitedBy: [{ kid, terms: limits }],
    ...KEY_ALONE,
  }
}

export const MODEL = knownTarget({ type: 'Model', id: 'gpt-x' })

export function poolOf(name: string, ...members: readonly string[]): Target {
  const via = members.map((id) => knownTarget({ type: 'Model', id }))
  return { ...knownTarget({ type: 'Model', id: name }), via }
}

export interface LimitsScene {
  readonly clock: TwoClocks
  readonly limiter: Limiter
  readonly refused: string[]
  /** Reserves; ids count up. */
  ask(of?: Partial<Asked> & { readonly tokens?: readonly [tokensIn: number, tokensOut: number] }): Charge
}

export function limitsScene(
  budgets: readonly (Partial<BudgetTerms> & Pick<BudgetTerms, 'terms'>)[],
  prices: Readonly<Record<string, readonly DatedPrice[]>> = {},
  clock = new TwoClocks(),
): LimitsScene {
  const refused: string[] = []
  const limiter = new Limiter({
    clock,
    budgets: budgets.map((one) => ({ who: undefined, each: undefined, model: undefined, ...one })),
    prices: new PriceTable(new Map(Object.entries(prices))),
    onRefusal: (reason) => refused.push(reason),
  })
  let count = 0
  return {
    clock,
    limiter,
    refused,
    ask: ({ tokens = [10, 20], ...of } = {}) => {
      count += 1
      const demand = (): Demand => ({
        tokensIn: tokens[0],
        tokensOut: tokens[1],
        unbounded: undefined,
        unpriced: undefined,
      })
      const charge = limiter.reserve({ id: `id-${count}`, caller: CALLER, target: MODEL, demand, ...of })
      if (charge === undefined) throw new Error('no limit and no price applies')
      return charge
    },
  }
}

const CALLER = callerOf()

export function told(tokensIn: number, tokensOut: number, more: ChargeEnd['facts'] = {}): ChargeEnd {
  return { facts: { tokens_in: tokensIn, tokens_out: tokensOut, ...more }, isWhole: true, isTaken: true }
}

export const UNTOLD: ChargeEnd = { facts: {}, isWhole: true, isTaken: true }
export const UNTAKEN: ChargeEnd = { facts: {}, isWhole: true, isTaken: false }

export function priceOf(input: number, output: number, from = 0): DatedPrice {
  return { from, input, output, cachedInput: input / 10, cacheWrite: input * 2 }
}
