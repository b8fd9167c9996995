import type { Millis } from './clock.ts'

/**
 * Does something again and again beside everything else: one round at a time, and the next so long after the last has
 * ended. A round never rejects.
 */
export class Rounds {
  readonly #round: () => Promise<void>
  readonly #waitMs: () => Millis
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(round: () => Promise<void>, waitMs: () => Millis) {
    this.#round = round
    this.#waitMs = waitMs
  }

  /** The first round may come at another time than those that follow. */
  start(waitMs = this.#waitMs()): void {
    this.#timer = setTimeout(() => {
      this.#work = this.#round().then(() => {
        if (!this.#isClosed) this.start()
      })
    }, waitMs)
    this.#timer.unref()
  }

  /** Begins no other round, and waits for the one under way. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#work
  }
}
