import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import type { JsonValue } from '#base/json.ts'
import type { Target } from '#door/route.ts'
import type { ModelConnection } from '../provider.ts'
import { Breaker, type BreakerSettings, type BreakerState, type Pass } from './breaker.ts'
import type { Candidate } from './choose.ts'
import { PeakLatency } from './peak_latency.ts'
import { POOL_LIMITS } from './pool_limits.ts'
import { verdictOn, type Verdict } from './verdict.ts'

export interface MemberParts {
  /** The name of the model that it is. */
  readonly name: string
  readonly target: Target
  /** Answers under the name of the pool. */
  readonly connection: ModelConnection
  readonly weight: number
  /** Facts for the outcome entry of what it answers. */
  readonly facts: Readonly<Record<string, JsonValue>>
}

/** One model of a pool, with what is known of how it does. */
export class Member implements Candidate {
  readonly name: string
  readonly target: Target
  readonly connection: ModelConnection
  readonly weight: number
  readonly facts: Readonly<Record<string, JsonValue>>
  readonly breaker: Breaker
  readonly #clock: Clock
  readonly #latency: PeakLatency
  #coolUntil = 0
  #underWay = 0

  constructor(
    parts: MemberParts,
    breaker: BreakerSettings,
    clock: Clock,
    onState: (state: BreakerState) => void,
  ) {
    this.name = parts.name
    this.target = parts.target
    this.connection = parts.connection
    this.weight = parts.weight
    this.facts = parts.facts
    this.breaker = new Breaker(breaker, clock, onState)
    this.#clock = clock
    this.#latency = new PeakLatency(clock)
  }

  cost(): number {
    return this.#latency.cost(this.#underWay)
  }

  /** Milliseconds until it may be asked, 0 for now. */
  waitMs(): number {
    return Math.max(this.breaker.waitMs(), this.coolMs())
  }

  /** Milliseconds for which it asked to be left alone. */
  coolMs(): number {
    return Math.max(0, this.#coolUntil - this.#clock.monotonic())
  }

  /** A call begins; `waitMs` has just said 0. */
  begin(): MemberCall {
    const pass = this.breaker.enter()
    if (pass === undefined) throw new Fault('internal.bug', { error: 'a member was asked that may not be' })
    this.#underWay += 1
    const startedAt = this.#clock.monotonic()
    return new MemberCall(pass, {
      took: (isGood) => {
        const ms = this.#clock.monotonic() - startedAt
        this.#latency.observe(isGood ? ms : Math.max(ms, POOL_LIMITS.failureLatencyMs))
      },
      cool: (seconds) => this.#cool(seconds),
      end: () => void (this.#underWay -= 1),
    })
  }

  #cool(seconds: number | undefined): void {
    const { cooldownMs, longestCooldownMs } = POOL_LIMITS
    const ms = seconds === undefined ? cooldownMs : Math.min(seconds * 1_000, longestCooldownMs)
    this.#coolUntil = Math.max(this.#coolUntil, this.#clock.monotonic() + ms)
  }
}

interface CallEnds {
  readonly took: (isGood: boolean) => void
  readonly cool: (seconds: number | undefined) => void
  readonly end: () => void
}

/** One call of a member, and what its end means for the member. */
export class MemberCall {
  readonly #pass: Pass
  readonly #ends: CallEnds
  #isOver = false

  constructor(pass: Pass, ends: CallEnds) {
    this.#pass = pass
    this.#ends = ends
  }

  /** The answer is there, or its first frame; one of the ends below has still to come. */
  began(): void {
    this.#pass.begun()
    this.#ends.took(true)
  }

  /** The answer came to its own end. */
  succeeded(): void {
    this.#pass.succeeded()
    this.end()
  }

  /** There is no answer, or it broke off. */
  failed(fault: Fault): Verdict {
    const verdict = verdictOn(fault)
    if (this.#isOver) return verdict
    if (verdict.member === 'works') this.#pass.succeeded()
    else if (verdict.member === 'fails') {
      this.#pass.failed()
      this.#ends.took(false)
    }
    if (fault.code === 'upstream.limited') this.#ends.cool(fault.retryAfterSeconds)
    this.end()
    return verdict
  }

  /** The call is over. How it ended says nothing about the member, unless that was told before. */
  end(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#pass.left()
    this.#ends.end()
  }
}
