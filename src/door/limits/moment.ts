import type { Clock, Millis } from '#base/clock.ts'

const SECOND_MS = 1_000
const DAY_MS = 86_400_000
const MONTHS = 12

/** A time, by the windows that it falls into. Days and months are those of UTC. */
export interface Moment {
  readonly at: Millis
  /** Seconds, days and months since 1970. */
  readonly second: number
  readonly day: number
  readonly month: number
}

export function momentAt(at: Millis): Moment {
  return { at, second: Math.floor(at / SECOND_MS), day: Math.floor(at / DAY_MS), month: monthOf(at) }
}

export function dayEnd({ day }: Pick<Moment, 'day'>): Millis {
  return (day + 1) * DAY_MS
}

export function monthStart({ month }: Pick<Moment, 'month'>): Millis {
  return Date.UTC(1970, month)
}

export function monthEnd({ month }: Pick<Moment, 'month'>): Millis {
  return monthStart({ month: month + 1 })
}

function monthOf(at: Millis): number {
  const date = new Date(at)
  return (date.getUTCFullYear() - 1970) * MONTHS + date.getUTCMonth()
}

/**
 * The time of windows. It only goes forward: when the wall clock is set back it goes on by the clock that never goes back,
 * so that no window opens again; when it is set forward, it follows.
 */
export class ForwardTime {
  readonly #clock: Clock
  #at: Millis
  #monotonic: number
  /** The month, and where it ends: a look at the calendar takes longer than all else here. */
  #month: number
  #monthEnd: Millis

  constructor(clock: Clock) {
    this.#clock = clock
    this.#at = clock.now()
    this.#monotonic = clock.monotonic()
    this.#month = monthOf(this.#at)
    this.#monthEnd = monthEnd({ month: this.#month })
  }

  /** Never before this from now on. */
  notBefore(at: Millis): void {
    this.#moveTo(Math.max(this.now().at, at))
  }

  now(): Moment {
    const monotonic = this.#clock.monotonic()
    // Whole milliseconds, as the ledger has them; what is cut off stays to be counted.
    const passed = Math.floor(monotonic - this.#monotonic)
    this.#monotonic += passed
    this.#moveTo(Math.max(this.#at + passed, this.#clock.now()))
    const at = this.#at
    return { at, second: Math.floor(at / SECOND_MS), day: Math.floor(at / DAY_MS), month: this.#month }
  }

  #moveTo(at: Millis): void {
    this.#at = at
    if (at < this.#monthEnd) return
    this.#month = monthOf(at)
    this.#monthEnd = monthEnd({ month: this.#month })
  }
}
