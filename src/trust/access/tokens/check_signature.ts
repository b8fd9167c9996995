import { compactVerify } from 'jose'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import { unproven } from '../unproven.ts'
import type { VerifyingKey } from './key_set.ts'

/**
 * Checks signatures on the threads of the engine, a few at once: a flood of forged tokens waits here, and not in front of
 * the writes of the ledger, which are done by the same threads.
 */
export class SignatureChecks {
  readonly #waiting: (() => void)[] = []
  #running = 0

  /** Throws `caller.unknown` with `token.signature`, or `load.exceeded` when too many wait. */
  async check(text: string, key: VerifyingKey): Promise<void> {
    if (this.#running >= LIMITS.signatureChecks) await this.#turn()
    else this.#running += 1
    try {
      await compactVerify(text, key.key, { algorithms: [key.algorithm] })
    } catch (thrown) {
      throw unproven('token.signature', { error: thrown instanceof Error ? thrown.name : 'unknown' })
    } finally {
      this.#leave()
    }
  }

  /** Whoever leaves hands its place on, so that nobody overtakes those who wait. */
  #leave(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#running -= 1
    else next()
  }

  async #turn(): Promise<void> {
    if (this.#waiting.length >= LIMITS.signatureChecksWaiting)
      throw new Fault('load.exceeded', { reason: 'signature.checks' }, { retryAfterSeconds: 1 })
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push(resolve)
    await promise
  }
}
