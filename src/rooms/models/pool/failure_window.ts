/** Counts of calls and failures in the time that lies just behind, in slots that are forgotten one by one. */
export class FailureWindow {
  readonly #slotMs: number
  readonly #calls: Float64Array
  readonly #failures: Float64Array
  /** The number of the newest slot since time began. */
  #newest = 0

  constructor(windowMs: number, slots: number) {
    this.#slotMs = windowMs / slots
    this.#calls = new Float64Array(slots)
    this.#failures = new Float64Array(slots)
  }

  add(isFailure: boolean, now: number): void {
    this.#moveTo(now)
    const slot = this.#newest % this.#calls.length
    this.#calls[slot] = (this.#calls[slot] ?? 0) + 1
    if (isFailure) this.#failures[slot] = (this.#failures[slot] ?? 0) + 1
  }

  /** True when so many calls or more were made, and of those so many percent or more failed. */
  isFailing(leastCalls: number, percent: number, now: number): boolean {
    this.#moveTo(now)
    const calls = sum(this.#calls)
    return calls >= leastCalls && sum(this.#failures) * 100 >= calls * percent
  }

  clear(): void {
    this.#calls.fill(0)
    this.#failures.fill(0)
  }

  #moveTo(now: number): void {
    const slot = Math.floor(now / this.#slotMs)
    const slots = this.#calls.length
    for (let at = Math.max(this.#newest + 1, slot - slots + 1); at <= slot; at++) {
      this.#calls[at % slots] = 0
      this.#failures[at % slots] = 0
    }
    this.#newest = Math.max(this.#newest, slot)
  }
}

function sum(counts: Float64Array): number {
  return counts.reduce((total, count) => total + count, 0)
}
