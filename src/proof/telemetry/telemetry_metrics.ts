import type { Counter, Family, Metrics } from '#base/metrics.ts'

/** What is exported: spans, or data points of metrics. */
export type Signal = 'traces' | 'metrics'

/**
 * Why something was not exported: too much waits, the receiver refused it or a part of it, it could not be reached, or the
 * door stopped before.
 */
export type DropReason = 'queue_full' | 'refused' | 'rejected' | 'unreachable' | 'stopped'

/** How the export does, for those who read `/metrics` when the receiver shows nothing. */
export class TelemetryMetrics {
  readonly #exported: Family<Counter>
  readonly #dropped: Family<Counter>

  constructor(metrics: Metrics, waiting: () => number) {
    this.#exported = metrics.counter({
      name: 'gatehouse_telemetry_exported_total',
      help: 'Spans and data points that the receiver took.',
      labels: ['signal'],
    })
    this.#dropped = metrics.counter({
      name: 'gatehouse_telemetry_dropped_total',
      help: 'Spans and data points that were not exported.',
      labels: ['signal', 'reason'],
    })
    metrics.gaugeFrom(
      { name: 'gatehouse_telemetry_waiting', help: 'Requests whose spans wait to be exported.' },
      waiting,
    )
  }

  exported(signal: Signal, count: number): void {
    if (count > 0) this.#exported.series(signal).add(count)
  }

  dropped(signal: Signal, reason: DropReason, count: number): void {
    if (count > 0) this.#dropped.series(signal, reason).add(count)
  }
}
