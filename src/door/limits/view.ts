import { NANO_PER_DOLLAR } from '#base/nano_dollars.ts'
import { LIMIT_NAMES, type LimitName } from '#trust/access/limit_terms.ts'
import type { Account, Amount } from './account.ts'
import type { Ceilings } from './ceilings.ts'
import type { Limiter } from './limiter.ts'
import { MINUTE_SLOTS } from './minute_window.ts'

/** One limit of one account as it stands. Money in dollars. */
export interface LimitUse {
  /** The name of the account. */
  readonly of: string
  readonly limit: LimitName
  readonly most: number
  /** Settled in the window that it is now. */
  readonly used: number
  /** Held for what is under way. */
  readonly reserved: number
}

/** More is for a report. */
export const MOST_ROWS = 1_000

/** Where limits stand now, the fullest first, at most `MOST_ROWS`. `ceilingsOf` says what is limited of an account. */
export function limitUses(
  limiter: Limiter,
  ceilingsOf: (account: string) => Ceilings | undefined,
): { readonly total: number; readonly uses: readonly LimitUse[] } {
  const moment = limiter.time.now()
  const open = openIn(limiter)
  const uses: LimitUse[] = []
  for (const account of limiter.accounts) {
    const ceilings = ceilingsOf(account.name)
    if (ceilings === undefined) continue
    account.roll(moment)
    const [taken, reserved] = [takenOf(account), open.get(account)]
    for (const name of LIMIT_NAMES) {
      if (ceilings[name] === Number.POSITIVE_INFINITY) continue
      const unit = name.startsWith('dollars') ? NANO_PER_DOLLAR : 1
      const held = reserved?.[name] ?? 0
      const used = (taken[name] - held) / unit
      uses.push({ of: account.name, limit: name, most: ceilings[name] / unit, used, reserved: held / unit })
    }
  }
  uses.sort(
    (left, right) => (right.used + right.reserved) / right.most - (left.used + left.reserved) / left.most,
  )
  return { total: uses.length, uses: uses.slice(0, MOST_ROWS) }
}

type Amounts = Readonly<Record<LimitName, number>>

interface Sums {
  inFlight: number
  readonly minute: Sum
  readonly day: Sum
  readonly month: Sum
}

interface Sum {
  requests: number
  tokens: number
  nano: number
}

/** What charges that are not over hold in the windows of now. */
function openIn(limiter: Limiter): ReadonlyMap<Account, Amounts> {
  const { second, day, month } = limiter.time.now()
  const found = new Map<Account, Sums>()
  for (const { parts, held: amount } of limiter.open) {
    const { moment } = parts
    for (const { account } of parts.accounts) {
      const sums = found.get(account) ?? noSums()
      sums.inFlight += 1
      if (moment.second > second - MINUTE_SLOTS) add(sums.minute, amount)
      if (moment.day === day) add(sums.day, amount)
      if (moment.month === month) add(sums.month, amount)
      found.set(account, sums)
    }
  }
  return new Map([...found].map(([account, sums]) => [account, amountsOf(sums)]))
}

function takenOf({ inFlight, minuteRequests, minuteTokens, day, month }: Account): Amounts {
  const minute = { requests: minuteRequests.sum, tokens: minuteTokens.sum, nano: 0 }
  return amountsOf({ inFlight, minute, day, month })
}

function amountsOf({ inFlight, minute, day, month }: Sums): Amounts {
  return {
    concurrent: inFlight,
    requests_per_minute: minute.requests,
    tokens_per_minute: minute.tokens,
    requests_per_day: day.requests,
    tokens_per_day: day.tokens,
    dollars_per_day: day.nano,
    requests_per_month: month.requests,
    tokens_per_month: month.tokens,
    dollars_per_month: month.nano,
  }
}

function noSums(): Sums {
  const none = (): Sum => ({ requests: 0, tokens: 0, nano: 0 })
  return { inFlight: 0, minute: none(), day: none(), month: none() }
}

function add(sum: Sum, { requests, tokens, nano }: Amount): void {
  sum.requests += requests
  sum.tokens += tokens
  sum.nano += nano
}
