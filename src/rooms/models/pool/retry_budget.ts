import { POOL_LIMITS } from './pool_limits.ts'

const RETRY = 100
const { retriesPerHundred, retryReserve } = POOL_LIMITS

/**
 * What a pool may spend on retries: of any number of requests, `retriesPerHundred` for each hundred and `retryReserve` on
 * top. What is not spent is saved up to that reserve only.
 */
export class RetryBudget {
  /** In hundredths of a retry, so that nothing is lost to rounding. */
  #saved = retryReserve * RETRY

  /** A request begins. */
  earn(): void {
    this.#saved = Math.min(retryReserve * RETRY, this.#saved + retriesPerHundred)
  }

  /** Leave for one retry; false when the budget is spent. */
  spend(): boolean {
    if (this.#saved < RETRY) return false
    this.#saved -= RETRY
    return true
  }
}
