import type { Stage } from './outcome.ts'

/** What happened to one request, for metrics. `model` is a configured name or empty: never a caller's text. */
export interface Observation {
  readonly route: string
  readonly model: string
  readonly status: number
  /** The fault's code, or `ok`. */
  readonly code: string
  readonly stage: Stage | 'done'
  readonly seconds: number
  /** Of a stream: to the first of its texts that left. */
  readonly firstSeconds: number | undefined
  /** Who answered; empty where nobody did. */
  readonly provider: string
}
