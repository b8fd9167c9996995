import type { Counter, Family, Gauge, Metrics } from '#base/metrics.ts'
import type { BreakerState } from './breaker.ts'

const STATES: readonly BreakerState[] = ['closed', 'open', 'half_open']

/** How the members of pools do. Labels are names of the configuration. */
export class PoolMetrics {
  readonly #states: Family<Gauge>
  readonly #retries: Family<Counter>
  readonly #fallbacks: Family<Counter>

  constructor(metrics: Metrics) {
    const labels = ['pool', 'model']
    this.#states = metrics.gauge({
      name: 'gatehouse_upstream_state',
      help: 'State of the breaker of a member of a pool: 1 for the one it is in.',
      labels: [...labels, 'state'],
    })
    this.#retries = metrics.counter({
      name: 'gatehouse_upstream_retries_total',
      help: 'Calls of a member that were made because an earlier call for the same request had failed.',
      labels,
    })
    this.#fallbacks = metrics.counter({
      name: 'gatehouse_upstream_fallbacks_total',
      help: 'Requests that a member answered in the place of the one that was chosen first.',
      labels,
    })
  }

  became(pool: string, model: string, state: BreakerState): void {
    for (const one of STATES) this.#states.series(pool, model, one).set(one === state ? 1 : 0)
  }

  retried(pool: string, model: string): void {
    this.#retries.series(pool, model).add()
  }

  fellBack(pool: string, model: string): void {
    this.#fallbacks.series(pool, model).add()
  }
}
