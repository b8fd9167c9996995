import { MinuteWindow } from './minute_window.ts'
import type { Moment } from './moment.ts'

/** How much of each kind. Money in nano-dollars. */
export interface Amount {
  readonly requests: number
  readonly tokens: number
  readonly nano: number
}

/** The sums of a day or a month. */
export class Tally {
  /** Number of the day or month; -1 before the first. */
  window = -1
  requests = 0
  tokens = 0
  nano = 0

  /** Begins anew in a later window. An earlier one does not come back. */
  roll(window: number): void {
    if (window <= this.window) return
    this.window = window
    this.requests = 0
    this.tokens = 0
    this.nano = 0
  }

  add(window: number, { requests, tokens, nano }: Amount): void {
    this.roll(window)
    if (window !== this.window) return
    this.requests += requests
    this.tokens += tokens
    this.nano += nano
  }
}

/** All that is counted for one who is limited. What is limited of it is said elsewhere. */
export class Account {
  /** Says who, with which models; the same in the ledger. */
  readonly name: string
  readonly minuteRequests = new MinuteWindow()
  readonly minuteTokens = new MinuteWindow()
  readonly day = new Tally()
  readonly month = new Tally()
  inFlight = 0

  constructor(name: string) {
    this.name = name
  }

  /** Lets go of windows that are over. */
  roll({ second, day, month }: Moment): void {
    this.minuteRequests.advance(second)
    this.minuteTokens.advance(second)
    this.day.roll(day)
    this.month.roll(month)
  }

  /** Adds to the windows of a moment, as far as they are not over; an amount may be negative. */
  add(moment: Moment, amount: Amount): void {
    this.minuteRequests.add(moment.second, amount.requests)
    this.minuteTokens.add(moment.second, amount.tokens)
    this.day.add(moment.day, amount)
    this.month.add(moment.month, amount)
  }

  /** True when forgetting it changes nothing. The month outlasts the other windows, but for a minute at its beginning. */
  get isEmpty(): boolean {
    const { requests, tokens, nano } = this.month
    const inMinute = this.minuteRequests.sum + this.minuteTokens.sum
    return this.inFlight + requests + tokens + nano + inMinute === 0
  }
}
