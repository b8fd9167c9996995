/**
 * The seconds of a sliding minute. What was taken within a second stays taken through the 60 seconds after it: one more
 * than a minute has, because the first one may have been its last millisecond. So no 60 seconds ever hold more.
 */
export const MINUTE_SLOTS = 61
const SECOND_MS = 1_000

export class MinuteWindow {
  readonly #slots = new Float64Array(MINUTE_SLOTS)
  #newest = 0
  #sum = 0

  /** What is taken, after `advance`. */
  get sum(): number {
    return this.#sum
  }

  /** Lets go of what is over at this second. Never goes back. */
  advance(second: number): void {
    const gone = second - this.#newest
    if (gone <= 0) return
    if (this.#sum !== 0)
      for (let at = 1; at <= Math.min(gone, MINUTE_SLOTS); at += 1) {
        const place = (this.#newest + at) % MINUTE_SLOTS
        this.#sum -= this.#slots[place] ?? 0
        this.#slots[place] = 0
      }
    this.#newest = second
  }

  /** Adds to a second that has not gone by; what went by is over for good. */
  add(second: number, amount: number): void {
    this.advance(second)
    if (second <= this.#newest - MINUTE_SLOTS) return
    const place = second % MINUTE_SLOTS
    this.#slots[place] = (this.#slots[place] ?? 0) + amount
    this.#sum += amount
  }

  /** When what does not fit under a limit now will fit, in milliseconds since 1970, if nothing else is taken until then. */
  fitsAt(amount: number, limit: number): number {
    let left = this.#sum
    for (let second = this.#newest - MINUTE_SLOTS + 1; second <= this.#newest; second += 1) {
      if (left + amount <= limit) return (second - 1 + MINUTE_SLOTS) * SECOND_MS
      left -= this.#slots[((second % MINUTE_SLOTS) + MINUTE_SLOTS) % MINUTE_SLOTS] ?? 0
    }
    return (this.#newest + MINUTE_SLOTS) * SECOND_MS
  }

  /** What is taken, second by second. */
  *entries(): Generator<readonly [second: number, amount: number]> {
    for (let second = Math.max(0, this.#newest - MINUTE_SLOTS + 1); second <= this.#newest; second += 1) {
      const amount = this.#slots[second % MINUTE_SLOTS] ?? 0
      if (amount !== 0) yield [second, amount]
    }
  }
}
