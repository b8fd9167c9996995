import { Fault } from '#base/fault.ts'

/** A place in flight, held from the meter stage until the outcome. Releasing twice counts once. */
export interface Reservation {
  release(): void
}

/** Seconds after which a caller that met the limit may try again; requests are short, so the least HTTP can say. */
const RETRY_AFTER_SECONDS = 1

/**
 * Bounds the requests in flight. Admin and key acts have `reserved` places more than others, so that a flood of calls
 * cannot keep an operator from revoking a key.
 */
export class Meter {
  readonly #limit: number
  readonly #reserved: number
  #inFlight = 0

  constructor(limit: number, reserved: number) {
    this.#limit = limit
    this.#reserved = reserved
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Takes a place, or throws `load.exceeded`. */
  reserve(record: 'grouped' | 'strict'): Reservation {
    const places = record === 'strict' ? this.#limit + this.#reserved : this.#limit
    if (this.#inFlight >= places) {
      throw new Fault('load.exceeded', { count: this.#inFlight }, { retryAfterSeconds: RETRY_AFTER_SECONDS })
    }
    this.#inFlight += 1
    let held = true
    return {
      release: () => {
        if (held) this.#inFlight -= 1
        held = false
      },
    }
  }
}
