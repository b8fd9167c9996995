import type { BreakerSettings } from './breaker.ts'
import type { Choice } from './choose.ts'

/** A model of the configuration that is a pool of other models. */
export interface PoolSettings {
  readonly members: readonly MemberSettings[]
  readonly choose: Choice
  /** Calls that are made for one request at most, the first included. */
  readonly tries: number
  readonly breaker: BreakerSettings
}

export interface MemberSettings {
  /** The name of another model of the configuration, which is no pool. */
  readonly model: string
  /** How often it is chosen, beside the others; only for the choice by weight. */
  readonly weight: number
  readonly probe: ProbeSettings | undefined
}

/** A request that is made from time to time to see whether a member is up. It carries no key and no content. */
export interface ProbeSettings {
  readonly everyMs: number
  /** Path and query at the host of the member. */
  readonly path: string
}
