import type { Clock } from './clock.ts'

/** Less is how clocks are kept right; two machines that set theirs by the network differ by less. */
export const CLOCK_TOLERANCE_MS = 60_000

/** Notices when the wall clock is set: it then moves by another amount than the clock that never goes back. */
export class ClockWatch {
  readonly #clock: Clock
  #offset: number

  constructor(clock: Clock) {
    this.#clock = clock
    this.#offset = offsetOf(clock)
  }

  /** By how much the wall clock was set since the last call, back below zero; 0 within the tolerance. */
  step(): number {
    const offset = offsetOf(this.#clock)
    const step = Math.round(offset - this.#offset)
    if (Math.abs(step) < CLOCK_TOLERANCE_MS) return 0
    this.#offset = offset
    return step
  }
}

function offsetOf(clock: Clock): number {
  return clock.now() - clock.monotonic()
}
