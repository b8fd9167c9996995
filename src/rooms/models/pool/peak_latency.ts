import type { Clock } from '#base/clock.ts'
import { POOL_LIMITS } from './pool_limits.ts'

/**
 * How long a member takes to begin an answer: a moving average that jumps to a slower time at once and forgets it slowly,
 * so that a member that becomes slow is left alone first and tried again later ("peak EWMA").
 */
export class PeakLatency {
  readonly #clock: Clock
  #ms = 0
  #at = 0
  #isKnown = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  observe(ms: number): void {
    const now = this.#clock.monotonic()
    const weight = this.#weight(now)
    this.#ms = ms > this.#ms ? ms : this.#ms * weight + ms * (1 - weight)
    this.#at = now
    this.#isKnown = true
  }

  /** What one more call would cost, beside so many under way. Whoever is not known yet is tried first, once. */
  cost(underWay: number): number {
    if (!this.#isKnown) return underWay * POOL_LIMITS.unknownLatencyMs
    return this.#ms * this.#weight(this.#clock.monotonic()) * (underWay + 1)
  }

  #weight(now: number): number {
    return Math.exp(-(now - this.#at) / POOL_LIMITS.latencyMemoryMs)
  }
}
