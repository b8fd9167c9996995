import path from 'node:path'
import { setInterval } from 'node:timers'
import type { Clock } from '#base/clock.ts'
import { NODE_FILES } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import type { Metrics } from '#base/metrics.ts'
import type { Ledger } from '#trust/ledger/ledger.ts'
import type { OpenIntents } from '#trust/ledger/open_intents.ts'
import { Sweeper } from '#trust/ledger/sweeper.ts'

/** A start reads at most what was recorded in so long, if the door did not come to its own end. */
const REMEMBER_MS = 60_000

export interface SweepParts {
  /** The home folder. */
  readonly home: string
  readonly sidecarKey: Uint8Array
  readonly ledger: Ledger
  readonly intents: OpenIntents
  readonly clock: Clock
  readonly metrics: Metrics
  readonly isOurs: () => boolean
}

/** What is known of requests that came to no end of their own. */
export interface Sweep {
  /** Outcomes that this door had to record as unknown. */
  readonly unknown: number
  /** What an operator should know. */
  readonly problem: string | undefined
  /** Every request must have ended, and the ledger be open. */
  close(): Promise<void>
}

/** Gives requests without an outcome one, in the background: now, and for as long as the door runs. */
export function openSweep(parts: SweepParts): Sweep {
  const { home, sidecarKey, ledger, intents, clock, metrics, isOurs } = parts
  const sweeper = new Sweeper({
    files: NODE_FILES,
    directory: path.join(home, 'ledger'),
    path: path.join(home, 'swept'),
    sidecarKey,
    ledger,
    clock,
    intents,
    isOurs,
  })
  metrics.gaugeFrom(
    { name: 'gatehouse_open_intents', help: 'Intents on disk whose outcomes are not: requests under way.' },
    () => intents.count,
  )
  void sweeper.catchUp()
  const timers = [
    setInterval(() => void sweeper.catchUp(), REMEMBER_MS),
    setInterval(() => void sweeper.sweep(), LIMITS.openIntentMs),
  ]
  for (const timer of timers) timer.unref()
  return {
    get unknown() {
      return sweeper.unknown
    },
    get problem() {
      return sweeper.problem
    },
    close: async () => {
      for (const timer of timers) clearInterval(timer)
      await sweeper.close()
    },
  }
}
