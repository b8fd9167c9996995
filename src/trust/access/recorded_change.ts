import type { Millis } from '#base/clock.ts'
import type { JsonObject } from '#base/json.ts'

/** A change of keys or callers as the ledger has it. */
export interface RecordedChange {
  readonly what: string
  readonly at: Millis
  /** The key that it names, or that it made. */
  readonly kid: string | undefined
  /** What else the ledger says of it, with names of people and groups. */
  readonly values: JsonObject
  /** True when the ledger says that it was made, not only that it was asked for. */
  readonly isMade: boolean
}
