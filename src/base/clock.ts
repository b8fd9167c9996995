/** Milliseconds since 1970-01-01T00:00:00Z. */
export type Millis = number

/** The only source of time. `now` is wall-clock milliseconds; `monotonic` is milliseconds that never go back. */
export interface Clock {
  now(): Millis
  monotonic(): number
}

export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
}
