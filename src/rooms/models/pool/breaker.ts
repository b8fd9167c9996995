import type { Clock } from '#base/clock.ts'
import { FailureWindow } from './failure_window.ts'
import { POOL_LIMITS } from './pool_limits.ts'

/** `closed` lets calls through, `open` none, `half_open` a few, to see. */
export type BreakerState = 'closed' | 'open' | 'half_open'

export interface BreakerSettings {
  /** Failures in a row that open it. */
  readonly failures: number
  /** Percent of the calls in the window that open it when they fail. */
  readonly failurePercent: number
  readonly windowMs: number
  /** Milliseconds until the first trial; more after trials that fail. */
  readonly openMs: number
}

/** Leave for one call. Exactly one of its ends is to be told; later ones are ignored. */
export interface Pass {
  /** The answer has begun to come. A trial has then shown enough; for all else only the end counts. */
  begun(): void
  succeeded(): void
  failed(): void
  /** The call ended in a way that says nothing about the member. */
  left(): void
}

/** Keeps calls away from what fails, and lets a few through after a while to see whether it is back. */
export class Breaker {
  readonly #settings: BreakerSettings
  readonly #clock: Clock
  readonly #onState: (state: BreakerState) => void
  readonly #window: FailureWindow
  #state: BreakerState = 'closed'
  #failuresInRow = 0
  #failedProbes = 0
  /** Times that it has opened since it was last closed. */
  #openings = 0
  #openUntil = 0
  #trials = 0
  /** Counts changes of the state: a call that began before a change says nothing about what is now. */
  #era = 0

  /** `onState` is told of each new state. */
  constructor(settings: BreakerSettings, clock: Clock, onState: (state: BreakerState) => void = () => {}) {
    this.#settings = settings
    this.#clock = clock
    this.#onState = onState
    this.#window = new FailureWindow(settings.windowMs, POOL_LIMITS.windowSlots)
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Milliseconds until `enter` may let a call through, 0 for now. */
  waitMs(): number {
    if (this.#state === 'open') return Math.max(0, this.#openUntil - this.#clock.monotonic())
    return this.#state === 'half_open' && this.#trials >= POOL_LIMITS.trials ? this.#settings.openMs : 0
  }

  /** Leave for one call; undefined when there is none now. */
  enter(): Pass | undefined {
    if (this.waitMs() > 0) return undefined
    if (this.#state === 'open') this.#become('half_open')
    if (this.#state === 'half_open') this.#trials += 1
    return this.#pass()
  }

  /** What a probe has seen. A good one shortens the wait and closes nothing: a server may be up and its model not. */
  probed(isGood: boolean): void {
    this.#failedProbes = isGood ? 0 : this.#failedProbes + 1
    if (isGood && this.#state === 'open') this.#openUntil = this.#clock.monotonic()
    else if (!isGood && this.#state === 'open') this.#openUntil = this.#clock.monotonic() + this.#openMs()
    else if (this.#failedProbes >= this.#settings.failures && this.#state === 'closed') this.#open()
  }

  #pass(): Pass {
    let era = this.#era
    let isOver = false
    const once = (end: () => void) => (): void => {
      if (isOver) return
      isOver = true
      if (era === this.#era) end()
    }
    return {
      begun: () => {
        if (isOver || era !== this.#era || this.#state !== 'half_open') return
        this.#become('closed')
        era = this.#era
      },
      succeeded: once(() => this.#succeeded()),
      failed: once(() => this.#failed()),
      left: once(() => this.#left()),
    }
  }

  #succeeded(): void {
    this.#failuresInRow = 0
    if (this.#state === 'half_open') this.#become('closed')
    else this.#window.add(false, this.#clock.monotonic())
  }

  #failed(): void {
    if (this.#state === 'half_open') return this.#open()
    const { failures, failurePercent } = this.#settings
    const now = this.#clock.monotonic()
    this.#failuresInRow += 1
    this.#window.add(true, now)
    const isRate = this.#window.isFailing(POOL_LIMITS.leastCalls, failurePercent, now)
    if (isRate || this.#failuresInRow >= failures) this.#open()
  }

  /** The place of a trial that told nothing is free again. */
  #left(): void {
    if (this.#state === 'half_open') this.#trials -= 1
  }

  #open(): void {
    this.#openings += 1
    this.#openUntil = this.#clock.monotonic() + this.#openMs()
    this.#become('open')
  }

  #openMs(): number {
    return this.#settings.openMs * Math.min(2 ** (this.#openings - 1), POOL_LIMITS.longestOpen)
  }

  #become(state: BreakerState): void {
    this.#state = state
    this.#era += 1
    this.#trials = 0
    this.#failuresInRow = 0
    if (state === 'closed') {
      this.#openings = 0
      this.#failedProbes = 0
      this.#window.clear()
    }
    this.#onState(state)
  }
}
