import type { Clock, Millis } from '#base/clock.ts'

/** How many tokens a bucket holds, and how many it gets back in a second. */
export interface BucketRate {
  readonly burst: number
  readonly perSecond: number
}

/** Tokens that are taken and come back with time. */
export class TokenBucket {
  readonly #rate: BucketRate
  #tokens: number
  #at: Millis

  constructor(rate: BucketRate, now: Millis) {
    this.#rate = rate
    this.#tokens = rate.burst
    this.#at = now
  }

  /** Whole seconds until a token is there, 0 when one is. */
  wait(now: Millis): number {
    this.#refill(now)
    return this.#tokens >= 1 ? 0 : Math.max(1, Math.ceil((1 - this.#tokens) / this.#rate.perSecond))
  }

  take(): void {
    this.#tokens -= 1
  }

  isFull(now: Millis): boolean {
    this.#refill(now)
    return this.#tokens >= this.#rate.burst
  }

  #refill(now: Millis): void {
    this.#tokens = Math.min(
      this.#rate.burst,
      this.#tokens + ((now - this.#at) / 1_000) * this.#rate.perSecond,
    )
    this.#at = now
  }
}

/**
 * A bucket for each name, for so many names at most.
 *
 * A full bucket says nothing about its name, so forgetting it gives nobody anything. When even the oldest is not full,
 * newcomers share one: a flood under many names cannot buy fresh bursts with memory.
 */
export class TokenBuckets {
  readonly #rate: BucketRate
  readonly #most: number
  /** Least recently used first. */
  readonly #byName = new Map<string, TokenBucket>()
  readonly #shared: TokenBucket

  constructor(rate: BucketRate, most: number, clock: Clock) {
    this.#rate = rate
    this.#most = most
    this.#shared = new TokenBucket(rate, clock.monotonic())
  }

  /** Seconds that this name has to wait, 0 for none. Remembers nothing. */
  wait(name: string, now: Millis): number {
    return (this.#byName.get(name) ?? this.#newcomer(now))?.wait(now) ?? 0
  }

  /** The bucket of this name, which is remembered from now on. */
  of(name: string, now: Millis): TokenBucket {
    const known = this.#byName.get(name)
    if (known !== undefined) {
      this.#byName.delete(name)
      this.#byName.set(name, known)
      return known
    }
    const shared = this.#newcomer(now)
    if (shared !== undefined) return shared
    if (this.#byName.size >= this.#most) this.#byName.delete(this.#oldest() ?? '')
    const bucket = new TokenBucket(this.#rate, now)
    this.#byName.set(name, bucket)
    return bucket
  }

  #newcomer(now: Millis): TokenBucket | undefined {
    if (this.#byName.size < this.#most) return undefined
    const oldest = this.#byName.get(this.#oldest() ?? '')
    return oldest === undefined || oldest.isFull(now) ? undefined : this.#shared
  }

  #oldest(): string | undefined {
    return this.#byName.keys().next().value
  }
}
