import type { Millis } from '#base/clock.ts'

/** What a million tokens of each kind cost, in nano-dollars. */
export interface Price {
  readonly input: number
  readonly output: number
  /** Of the input, what was read from a cache. */
  readonly cachedInput: number
  /** Of the input, what was written to a cache. */
  readonly cacheWrite: number
}

export interface DatedPrice extends Price {
  readonly from: Millis
}

/** Tokens of an answer by what they cost. */
export interface PricedTokens {
  /** All of the input, cached or not. */
  readonly tokensIn: number
  readonly tokensOut: number
  readonly cached: number
  readonly written: number
}

const MILLION = 1_000_000

/** Prices by the names of models. */
export class PriceTable {
  readonly #prices: ReadonlyMap<string, readonly DatedPrice[]>

  /** The prices of a model in any order. */
  constructor(prices: ReadonlyMap<string, readonly DatedPrice[]>) {
    this.#prices = new Map(
      [...prices].map(([model, dated]) => [model, dated.toSorted((left, right) => right.from - left.from)]),
    )
  }

  /** What holds at this time; undefined when nothing is said of it. */
  of(model: string, at: Millis): Price | undefined {
    return this.#prices.get(model)?.find(({ from }) => from <= at)
  }
}

/**
 * The cost in nano-dollars; a part of one counts as one. Whole numbers all the way: a price is split into what a token costs
 * in whole nano-dollars and the rest, so that no product leaves what numbers can tell apart, up to 1,000 million tokens at
 * 1,000 dollars a million.
 */
export function costOf(price: Price, { tokensIn, tokensOut, cached, written }: PricedTokens): number {
  let whole = 0
  let rest = 0
  const add = (tokens: number, perMillion: number): void => {
    const perToken = Math.floor(perMillion / MILLION)
    whole += tokens * perToken
    rest += tokens * (perMillion - perToken * MILLION)
  }
  add(tokensIn - cached - written, price.input)
  add(cached, price.cachedInput)
  add(written, price.cacheWrite)
  add(tokensOut, price.output)
  return whole + Math.ceil(rest / MILLION)
}

/** The most that so many tokens can cost: nobody knows before what a cache will hold. */
export function mostCost(price: Price, tokensIn: number, tokensOut: number): number {
  const input = Math.max(price.input, price.cachedInput, price.cacheWrite)
  return costOf({ ...price, input }, { tokensIn, tokensOut, cached: 0, written: 0 })
}
