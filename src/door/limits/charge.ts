import type { JsonValue } from '#base/json.ts'
import type { Amount } from './account.ts'
import type { Applied, AskedModel } from './budgets.ts'
import type { Moment } from './moment.ts'
import { costOf, mostCost, type Price } from './prices.ts'
import { usageIn, type Usage } from './usage.ts'

export interface ChargeParts {
  readonly id: string
  readonly moment: Moment
  readonly space: string
  readonly model: AskedModel
  readonly accounts: readonly Applied[]
  /** Tokens at most; undefined where nothing bounds them. */
  readonly tokensIn: number | undefined
  readonly tokensOut: number | undefined
  /** What counts until it is settled. */
  readonly amount: Amount
  /** By the names of the models that may answer, those that have a price. */
  readonly prices: ReadonlyMap<string, Price>
  /** Nano-dollars at most; undefined where that is not known. */
  readonly cost: number | undefined
  /** Whether so much more fits in these accounts now. */
  readonly fits: (accounts: readonly Applied[], more: Amount) => boolean
  /** Told once, when it is over. */
  readonly onOver: (id: string) => void
}

/** How an act ended. */
export interface ChargeEnd {
  /** What is told of it: usage, and which member of a pool answered. */
  readonly facts: Readonly<Record<string, JsonValue>>
  /** True when the answer came to its own end, so that what it told of its usage is final. */
  readonly isWhole: boolean
  /** False when the provider cannot have worked on it. */
  readonly isTaken: boolean
}

type Fields = Record<string, JsonValue>

interface Taken {
  /** As far as it is known. */
  readonly tokens: number
  /** Undefined where it is not known. */
  readonly cost: number | undefined
  readonly settled: 'usage' | 'unknown' | 'none'
}

const NOTHING: Taken = { tokens: 0, cost: 0, settled: 'none' }

/** What one request has reserved, as the door holds it; the counters may be in another process. */
export interface Reservation {
  /** True once the intent is on disk. */
  readonly isRecorded: boolean
  /**
   * Reserves as much once more, for another try after one that may have to be paid. False where that does not fit: then
   * nothing is reserved, and nothing may be tried.
   */
  again(): boolean | Promise<boolean>
  record(): void
  /** Fields of the intent entry. */
  intentFields(): Fields
  /** Nothing was done: as if it had never been. */
  release(): void
  /** Counts what was taken instead of what was reserved. Gives fields of the outcome entry; none the second time. */
  settle(end: ChargeEnd): Fields
}

/** What one request has reserved: until it is settled or given back all of it counts. */
export class Charge implements Reservation {
  readonly parts: ChargeParts
  #held: Amount
  #isRecorded = false
  #isOver = false

  /** Counts from now on. */
  constructor(parts: ChargeParts) {
    this.parts = parts
    this.#held = parts.amount
    this.#count(parts.amount)
    for (const { account } of parts.accounts) account.inFlight += 1
  }

  get isRecorded(): boolean {
    return this.#isRecorded
  }

  /** What counts until it is settled: what was reserved, for each try. */
  get held(): Amount {
    return this.#held
  }

  again(): boolean {
    const { accounts, amount, fits } = this.parts
    const more = { ...amount, requests: 0 }
    if (this.#isOver || !fits(accounts, more)) return false
    this.#held = differenceOf(this.#held, negative(more))
    this.#count(more)
    return true
  }

  record(): void {
    this.#isRecorded = true
  }

  intentFields(): Fields {
    const { space, accounts, moment, tokensIn, tokensOut, cost } = this.parts
    const fields: Fields = { space }
    if (cost !== undefined) fields['cost_reserved'] = cost
    if (accounts.length === 0) return fields
    fields['reserved_at'] = moment.at
    fields['counters'] = accounts.map(({ account }) => account.name)
    if (tokensIn !== undefined && tokensOut !== undefined) fields['tokens_reserved'] = tokensIn + tokensOut
    return fields
  }

  /** For counting without those whose intent may not be on disk. */
  isolate(without: () => void): void {
    this.#count(negative(this.#held))
    without()
    this.#count(this.#held)
  }

  release(): void {
    if (this.#end()) this.#count(negative(this.#held))
  }

  settle(end: ChargeEnd): Fields {
    if (!this.#end()) return {}
    const { accounts } = this.parts
    const usage = usageIn(end.facts)
    const taken = this.#taken(usage, end)
    const fields: Fields = { settled: taken.settled }
    if (taken.cost !== undefined && this.parts.prices.size > 0) fields['cost'] = taken.cost
    if (taken.settled !== 'none' && fields['cost'] !== undefined) Object.assign(fields, cacheFields(usage))
    if (accounts.length === 0) return fields
    const settled = { requests: 1, tokens: taken.tokens, nano: taken.cost ?? 0 }
    fields['tokens_charged'] = settled.tokens
    const uncounted = this.#uncounted(end)
    if (uncounted.length > 0) fields['uncounted'] = uncounted.map(({ account }) => account.name)
    this.#count(differenceOf(settled, this.#held))
    for (const { account } of uncounted) account.add(this.parts.moment, negative(settled))
    return fields
  }

  /** What the last try took, and what those of a pool before it may have: how it ended says nothing of them. */
  #taken(usage: Usage, end: ChargeEnd): Taken {
    const { tokensIn, tokensOut, cost } = this.parts
    const last = end.isTaken ? this.#lastTaken(usage, end) : NOTHING
    const tries = triesIn(end.facts)
    if (tries === 0) return last
    return {
      tokens: last.tokens + tries * ((tokensIn ?? 0) + (tokensOut ?? 0)),
      cost: sum(last.cost, times(cost, tries)),
      settled: 'unknown',
    }
  }

  #lastTaken(usage: Usage, { isWhole, facts }: ChargeEnd): Taken {
    const { tokensIn: mostIn, tokensOut: mostOut } = this.parts
    const tokensIn = usage.tokensIn ?? mostIn
    // What is told of the output on the way grows until the end.
    const tokensOut = (isWhole ? usage.tokensOut : undefined) ?? most(mostOut, usage.tokensOut)
    const isTold = isWhole && usage.tokensIn !== undefined && usage.tokensOut !== undefined
    return {
      tokens: (tokensIn ?? 0) + (tokensOut ?? 0),
      cost: this.#cost(usage, { tokensIn, tokensOut }, facts),
      settled: isTold ? 'usage' : 'unknown',
    }
  }

  #cost(
    { tokensIn: told, cached, written }: Usage,
    tokens: { readonly tokensIn: number | undefined; readonly tokensOut: number | undefined },
    facts: ChargeEnd['facts'],
  ): number | undefined {
    const { tokensIn, tokensOut } = tokens
    const answered = typeof facts['model'] === 'string' ? facts['model'] : this.parts.model.name
    const price = this.parts.prices.get(answered)
    // Nobody says which member of a pool it was.
    if (price === undefined && this.parts.model.members !== undefined && told === undefined)
      return this.parts.cost
    if (price === undefined || tokensIn === undefined || tokensOut === undefined) return undefined
    return told === undefined
      ? mostCost(price, tokensIn, tokensOut)
      : costOf(price, { tokensIn, tokensOut, cached, written })
  }

  /** Accounts of members of a pool, where another one answered and nobody else was asked. */
  #uncounted({ facts }: ChargeEnd): readonly Applied[] {
    const { model, tries } = facts
    if (typeof model !== 'string' || tries !== 1) return []
    return this.parts.accounts.filter(({ members }) => members !== undefined && !members.has(model))
  }

  #end(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    for (const { account } of this.parts.accounts) account.inFlight -= 1
    this.parts.onOver(this.parts.id)
    return true
  }

  #count(amount: Amount): void {
    for (const { account } of this.parts.accounts) account.add(this.parts.moment, amount)
  }
}

/** Tries of a pool that failed, and may yet have to be paid. */
function triesIn({ tries_unknown: tries }: ChargeEnd['facts']): number {
  return typeof tries === 'number' ? tries : 0
}

function cacheFields({ cached, written }: Usage): Fields {
  return {
    ...(cached === 0 ? {} : { tokens_cached: cached }),
    ...(written === 0 ? {} : { tokens_written: written }),
  }
}

function most(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined ? undefined : Math.max(left, right ?? 0)
}

function times(amount: number | undefined, count: number): number | undefined {
  return amount === undefined ? undefined : amount * count
}

function sum(left: number | undefined, right: number | undefined): number | undefined {
  return left === undefined || right === undefined ? undefined : left + right
}

function differenceOf(left: Amount, right: Amount): Amount {
  return {
    requests: left.requests - right.requests,
    tokens: left.tokens - right.tokens,
    nano: left.nano - right.nano,
  }
}

function negative({ requests, tokens, nano }: Amount): Amount {
  return { requests: -requests, tokens: -tokens, nano: -nano }
}
