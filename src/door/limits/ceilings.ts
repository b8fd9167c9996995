import { NANO_PER_DOLLAR } from '#base/nano_dollars.ts'
import type { LimitName, LimitTerms } from '#trust/access/limit_terms.ts'
import type { Account, Amount } from './account.ts'
import { dayEnd, monthEnd, type Moment } from './moment.ts'

/** The limits of one account; infinite where there is none. Money in nano-dollars. */
export type Ceilings = { readonly [Name in LimitName]: number }

export function ceilingsOf(terms: LimitTerms): Ceilings {
  return madeOf((name) => {
    const limit = terms[name] ?? Number.POSITIVE_INFINITY
    return name.startsWith('dollars') ? Math.round(limit * NANO_PER_DOLLAR) : limit
  })
}

/** Both hold. */
export function lowest(left: Ceilings, right: Ceilings): Ceilings {
  return madeOf((name) => Math.min(left[name], right[name]))
}

// All with the same members in the same order: so the engine reads them fast.
function madeOf(ceiling: (name: LimitName) => number): Ceilings {
  return Object.freeze({
    requests_per_minute: ceiling('requests_per_minute'),
    tokens_per_minute: ceiling('tokens_per_minute'),
    concurrent: ceiling('concurrent'),
    requests_per_day: ceiling('requests_per_day'),
    tokens_per_day: ceiling('tokens_per_day'),
    dollars_per_day: ceiling('dollars_per_day'),
    requests_per_month: ceiling('requests_per_month'),
    tokens_per_month: ceiling('tokens_per_month'),
    dollars_per_month: ceiling('dollars_per_month'),
  })
}

export function limitsTokens(ceilings: Ceilings): boolean {
  const { tokens_per_minute: minute, tokens_per_day: day, tokens_per_month: month } = ceilings
  return Math.min(minute, day, month) < Number.POSITIVE_INFINITY
}

export function limitsMoney({ dollars_per_day: day, dollars_per_month: month }: Ceilings): boolean {
  return Math.min(day, month) < Number.POSITIVE_INFINITY
}

/** Why a request may not pass now. */
export interface Hindrance {
  readonly name: LimitName
  readonly limit: number
  /** How much of it the request takes. */
  readonly asked: number
  /** When it fits, if nothing else is taken until then; infinite when it never does. */
  readonly fitsAt: number
}

/** What makes a request wait longest; undefined when it may pass. The account must have been rolled to the moment. */
export function hindranceOf(
  account: Account,
  ceilings: Ceilings,
  asked: Amount,
  moment: Moment,
): Hindrance | undefined {
  const { day, month, minuteRequests, minuteTokens } = account
  const { requests, tokens, nano } = asked
  if (
    minuteRequests.sum + requests <= ceilings.requests_per_minute &&
    minuteTokens.sum + tokens <= ceilings.tokens_per_minute &&
    account.inFlight + requests <= ceilings.concurrent &&
    day.requests + requests <= ceilings.requests_per_day &&
    day.tokens + tokens <= ceilings.tokens_per_day &&
    day.nano + nano <= ceilings.dollars_per_day &&
    month.requests + requests <= ceilings.requests_per_month &&
    month.tokens + tokens <= ceilings.tokens_per_month &&
    month.nano + nano <= ceilings.dollars_per_month
  )
    return undefined
  return worst(account, ceilings, asked, moment)
}

function worst(
  account: Account,
  ceilings: Ceilings,
  { requests, tokens, nano }: Amount,
  moment: Moment,
): Hindrance | undefined {
  const { day, month, minuteRequests, minuteTokens } = account
  const [today, thisMonth] = [dayEnd(moment), monthEnd(moment)]
  const soon = moment.at + SOON_MS
  const all: readonly (readonly [
    LimitName,
    taken: number,
    asked: number,
    fitsAt: (limit: number) => number,
  ])[] = [
    ['concurrent', account.inFlight, requests, () => soon],
    ['requests_per_minute', minuteRequests.sum, requests, (limit) => minuteRequests.fitsAt(requests, limit)],
    ['tokens_per_minute', minuteTokens.sum, tokens, (limit) => minuteTokens.fitsAt(tokens, limit)],
    ['requests_per_day', day.requests, requests, () => today],
    ['tokens_per_day', day.tokens, tokens, () => today],
    ['dollars_per_day', day.nano, nano, () => today],
    ['requests_per_month', month.requests, requests, () => thisMonth],
    ['tokens_per_month', month.tokens, tokens, () => thisMonth],
    ['dollars_per_month', month.nano, nano, () => thisMonth],
  ]
  let found: Hindrance | undefined
  for (const [name, taken, amount, fitsAt] of all) {
    const limit = ceilings[name]
    if (taken + amount <= limit) continue
    const at = amount > limit ? Number.POSITIVE_INFINITY : fitsAt(limit)
    if (found === undefined || at > found.fitsAt) found = { name, limit, asked: amount, fitsAt: at }
  }
  return found
}

/** Nobody knows when a request ends. */
const SOON_MS = 1_000
