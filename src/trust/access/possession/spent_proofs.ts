import type { Clock, Millis } from '#base/clock.ts'
import { sha256Latin1 } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import { unproven } from '../unproven.ts'

/**
 * A proof is accepted for a minute after it says it was made, and may say so a minute ahead: 120 s of the wall clock, both ends
 * included. Here the other clock counts, so there are 5 s more for what sets the wall clock back a little.
 */
const REMEMBERED_MS = 125_000

interface Spent {
  readonly until: Millis
  readonly jkt: string
}

/**
 * The proofs that were taken in the last two minutes, so that each is taken once (RFC 9449 section 11.1). When there is no
 * room for one more it is refused: to forget one would let it be used again.
 */
export class SpentProofs {
  readonly #clock: Clock
  readonly #most: number
  /** By hash of key and id; in the order in which they came, which is also that in which they end. */
  readonly #spent = new Map<string, Spent>()
  readonly #countOf = new Map<string, number>()

  constructor(clock: Clock, most: number = LIMITS.proofsRemembered) {
    this.#clock = clock
    this.#most = most
  }

  get size(): number {
    return this.#spent.size
  }

  /**
   * Takes a proof. One key may have as many as stay free for the others, so that no caller uses up all the room.
   * Throws `caller.unknown` with `proof.replayed`, and `load.exceeded`.
   */
  spend(jkt: string, jti: string): void {
    // Does not go back when the clock is set: a proof would be forgotten early.
    const now = this.#clock.monotonic()
    this.#forget(now)
    const name = sha256Latin1(`${jkt}\n${jti}`)
    if (this.#spent.has(name)) throw unproven('proof.replayed')
    const own = (this.#countOf.get(jkt) ?? 0) + 1
    if (own > this.#most - this.#spent.size)
      throw new Fault(
        'load.exceeded',
        { reason: 'proofs', count: this.#spent.size },
        { retryAfterSeconds: 1 },
      )
    this.#spent.set(name, { until: now + REMEMBERED_MS, jkt })
    this.#countOf.set(jkt, own)
  }

  #forget(now: Millis): void {
    for (const [name, { until, jkt }] of this.#spent) {
      if (until > now) return
      this.#spent.delete(name)
      const left = (this.#countOf.get(jkt) ?? 0) - 1
      if (left > 0) this.#countOf.set(jkt, left)
      else this.#countOf.delete(jkt)
    }
  }
}
