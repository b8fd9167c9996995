import type { Clock, Millis } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import type { LimitName } from '#trust/access/limit_terms.ts'
import type { Demand, Target } from '../route.ts'
import { Account, type Amount } from './account.ts'
import {
  Budgets,
  type AppliedLimits,
  type AskedModel,
  type BudgetTerms,
  type LimitedCaller,
  type SetLimits,
} from './budgets.ts'
import { hindranceOf, type Ceilings } from './ceilings.ts'
import { Charge, type ChargeParts, type Reservation } from './charge.ts'
import { ForwardTime, type Moment } from './moment.ts'
import { mostCost, type Price, type PriceTable } from './prices.ts'
import { exceeded, unbounded, unpriced } from './refusals.ts'

export interface LimiterParts {
  readonly clock: Clock
  readonly budgets: readonly BudgetTerms[]
  readonly prices: PriceTable
  readonly setOn?: SetLimits
  /** Told of each refusal. */
  readonly onRefusal: (reason: LimitName | 'unbounded' | 'unpriced') => void
}

/** A request that wants to take something of a model. */
export interface Asked {
  /** Of the entries. */
  readonly id: string
  readonly caller: LimitedCaller
  readonly target: Target
  /** Asked for only where a limit or a price applies. */
  readonly demand: () => Demand
}

/** What passes requests within their limits. `main.ts` gives a `Limiter`; tests may give one without limits. */
export interface Limits {
  /**
   * Checks all limits that apply and reserves in all of them at once, or in none. Gives undefined where no limit and no price
   * applies; a promise where the counters are in another process. Throws `limit.exceeded`, `limit.unbounded`, `limit.unpriced`.
   */
  reserve(asked: Asked): Reservation | undefined | Promise<Reservation | undefined>
}

export const NO_LIMITS: Limits = { reserve: () => undefined }

/** The counters of one process, and what is reserved in them. Everything happens at once: no two requests race. */
export class Limiter implements Limits {
  readonly #budgets: Budgets
  readonly #prices: PriceTable
  readonly #time: ForwardTime
  readonly #onRefusal: LimiterParts['onRefusal']
  readonly #accounts = new Map<string, Account>()
  readonly #open = new Map<string, Charge>()
  readonly #onOver: (id: string) => void
  readonly #fits: ChargeParts['fits']
  /** Ids of charges that are over since it was begun. */
  #over: Set<string> | undefined
  #fullUntil: Millis = 0

  constructor({ clock, budgets, prices, setOn, onRefusal }: LimiterParts) {
    this.#budgets = new Budgets(budgets, (name) => this.account(name), setOn)
    this.#prices = prices
    this.#time = new ForwardTime(clock)
    this.#onRefusal = onRefusal
    this.#onOver = (id) => {
      this.#open.delete(id)
      this.#over?.add(id)
    }
    this.#fits = (among, more) => {
      const moment = this.#time.now()
      return among.every(({ account, ceilings }) => {
        account.roll(moment)
        return hindranceOf(account, ceilings, more, moment) === undefined
      })
    }
  }

  reserve({ id, caller, target, demand }: Asked): Charge | undefined {
    if (!target.known) return undefined
    const model = modelOf(target)
    const limits = this.#budgets.appliedTo(caller, model)
    const moment = this.#time.now()
    const prices = this.#pricesOf(model, moment.at)
    if (limits.accounts.length === 0 && prices === NO_PRICES) return undefined
    const asked = demand()
    const { tokensIn, tokensOut } = asked
    const cost = costAtMost(model, prices, asked)
    this.#checkKnown(limits, asked, cost)
    const amount = { requests: 1, tokens: (tokensIn ?? 0) + (tokensOut ?? 0), nano: cost ?? 0 }
    this.#check(limits, amount, moment)
    const { accounts } = limits
    const { space } = caller
    const [fits, onOver] = [this.#fits, this.#onOver]
    const charge = new Charge({
      id,
      moment,
      space,
      model,
      accounts,
      tokensIn,
      tokensOut,
      amount,
      prices,
      cost,
      fits,
      onOver,
    })
    this.#open.set(id, charge)
    return charge
  }

  /** The account of this name, made when there is none. Throws `load.exceeded` when there are too many. */
  account(name: string): Account {
    const known = this.#accounts.get(name)
    if (known !== undefined) return known
    if (this.#accounts.size >= LIMITS.limitAccounts) this.#giveUpEmpty()
    const account = new Account(name)
    this.#accounts.set(name, account)
    return account
  }

  get accounts(): Iterable<Account> {
    return this.#accounts.values()
  }

  /** What is reserved and not settled. */
  get open(): Iterable<Charge> {
    return this.#open.values()
  }

  get time(): ForwardTime {
    return this.#time
  }

  /** What the configuration says of an account. */
  ceilingsOf(name: string): Ceilings | undefined {
    return this.#budgets.ceilingsOf(name)
  }

  /** Makes the accounts that callers share, so that they can be looked at before anybody asks. */
  openShared(): void {
    for (const name of this.#budgets.shared) this.account(name)
  }

  /** From now on ids of charges that are over are kept, until they are taken. */
  watchOver(): { take(): ReadonlySet<string> } {
    const over = new Set<string>()
    this.#over = over
    return {
      take: () => {
        this.#over = undefined
        return over
      },
    }
  }

  #checkKnown({ areOfTokens, areOfMoney }: AppliedLimits, asked: Demand, cost: number | undefined): void {
    if ((areOfTokens || areOfMoney) && asked.unbounded !== undefined)
      throw this.#refused('unbounded', unbounded(asked.unbounded))
    if (areOfMoney && cost === undefined)
      throw this.#refused('unpriced', unpriced(asked.unpriced ?? 'The model has no price.'))
  }

  /** Throws for the limit that makes it wait longest, so that who waits so long passes them all. */
  #check({ accounts }: AppliedLimits, amount: Amount, moment: Moment): void {
    let fitsAt = Number.NEGATIVE_INFINITY
    let refused: Fault | undefined
    let reason: LimitName | undefined
    for (const applied of accounts) {
      applied.account.roll(moment)
      const hindrance = hindranceOf(applied.account, applied.ceilings, amount, moment)
      if (hindrance === undefined || hindrance.fitsAt <= fitsAt) continue
      fitsAt = hindrance.fitsAt
      reason = hindrance.name
      refused = exceeded(applied, hindrance, moment)
    }
    if (refused !== undefined && reason !== undefined) throw this.#refused(reason, refused)
  }

  #refused(reason: LimitName | 'unbounded' | 'unpriced', fault: Fault): Fault {
    this.#onRefusal(reason)
    return fault
  }

  #pricesOf({ name, members }: AskedModel, at: Millis): ReadonlyMap<string, Price> {
    let found: Map<string, Price> | undefined
    for (const one of members ?? [name]) {
      const price = this.#prices.of(one, at)
      if (price !== undefined) (found ??= new Map()).set(one, price)
    }
    return found ?? NO_PRICES
  }

  #giveUpEmpty(): void {
    const moment = this.#time.now()
    if (moment.at >= this.#fullUntil) {
      for (const account of this.#accounts.values()) {
        account.roll(moment)
        if (account.isEmpty) this.#accounts.delete(account.name)
      }
      this.#budgets.forget()
      this.#fullUntil = moment.at + LOOK_AGAIN_MS
    }
    if (this.#accounts.size >= LIMITS.limitAccounts)
      throw new Fault(
        'load.exceeded',
        { accounts: this.#accounts.size },
        { retryAfterSeconds: LOOK_AGAIN_MS / 1_000 },
      )
  }
}

/** A look for accounts to give up walks all of them. */
const LOOK_AGAIN_MS = 10_000
const NO_PRICES: ReadonlyMap<string, Price> = new Map()
const MODELS = new WeakMap<Target, AskedModel>()

/** Targets that are known are made once. */
function modelOf(target: Target): AskedModel {
  let model = MODELS.get(target)
  if (model === undefined)
    MODELS.set(target, (model = { name: target.ref.id, members: target.via?.map(({ ref }) => ref.id) }))
  return model
}

/** What the dearest of those that may answer can cost; undefined where that is not known of all of them. */
function costAtMost(
  { name, members }: AskedModel,
  prices: ReadonlyMap<string, Price>,
  { tokensIn, tokensOut, unpriced: isOpen }: Demand,
): number | undefined {
  if (tokensIn === undefined || tokensOut === undefined || isOpen !== undefined) return undefined
  let dearest = 0
  for (const one of members ?? [name]) {
    const price = prices.get(one)
    if (price === undefined) return undefined
    dearest = Math.max(dearest, mostCost(price, tokensIn, tokensOut))
  }
  return dearest
}
