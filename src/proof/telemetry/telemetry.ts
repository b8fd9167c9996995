import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Clock } from '#base/clock.ts'
import { LIMITS } from '#base/limits.ts'
import type { Metrics } from '#base/metrics.ts'
import type { TracedRequest } from '#door/tracing.ts'
import type { Delivery } from './delivery.ts'
import { metricOf, metricsRequest, pointCount, type OtlpMetric } from './otlp_metrics.ts'
import { spanCount, traceRequest } from './otlp_spans.ts'
import type { Exporting } from './otlp_value.ts'
import { TelemetryMetrics, type Signal } from './telemetry_metrics.ts'

export interface TelemetryParts {
  readonly clock: Clock
  /** What is exported, and where it is counted how that goes. */
  readonly metrics: Metrics
  readonly exporting: Exporting
  readonly pseudonymOf: (caller: string) => string
  readonly delivery: Delivery
  /** Milliseconds between two exports of all metrics. */
  readonly intervalMs: number
}

/**
 * Takes the spans of requests and exports them a moment later, and all metrics from time to time. What a request pays is
 * a place in a list; when the list is full its spans are dropped and counted. Nothing here fails or delays a request.
 */
export class Telemetry {
  readonly #parts: TelemetryParts
  readonly #counts: TelemetryMetrics
  #waiting: TracedRequest[] = []
  #soon: NodeJS.Timeout | undefined
  readonly #interval: NodeJS.Timeout
  #sending: Promise<void> | undefined
  #telling: Promise<void> | undefined
  #isClosed = false

  constructor(parts: TelemetryParts) {
    this.#parts = parts
    this.#counts = new TelemetryMetrics(parts.metrics, () => this.#waiting.length)
    this.#interval = setInterval(() => this.#tell(), parts.intervalMs)
    this.#interval.unref()
  }

  /** Pass it as `TracerParts.take`. */
  take(request: TracedRequest): void {
    if (this.#isClosed) return this.#counts.dropped('traces', 'stopped', spanCount(request))
    if (this.#waiting.length >= LIMITS.tracedRequests)
      return this.#counts.dropped('traces', 'queue_full', spanCount(request))
    this.#waiting.push(request)
    this.#sendSoon()
  }

  /** Exports what waits and the last numbers, each once, and takes nothing more. Resolves within `LIMITS.telemetryFlushMs`. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearInterval(this.#interval)
    this.#parts.delivery.stop()
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, LIMITS.telemetryFlushMs)
    await Promise.race([this.#flush(), late])
    clearTimeout(timer)
    this.#drop(this.#waiting.splice(0))
  }

  async #flush(): Promise<void> {
    await this.#sending
    this.#send()
    await this.#sending
    // Last, so that the receiver learns what became of the spans.
    await this.#telling
    this.#tell()
    await this.#telling
  }

  #sendSoon(): void {
    if (this.#soon !== undefined || this.#sending !== undefined) return
    this.#soon = setTimeout(() => this.#send(), GATHER_MS)
    this.#soon.unref()
  }

  #send(): void {
    clearTimeout(this.#soon)
    this.#soon = undefined
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined
      // One may have come in this very turn.
      if (this.#waiting.length > 0 && !this.#isClosed) this.#sendSoon()
    })
  }

  async #sendAll(): Promise<void> {
    const { exporting, pseudonymOf } = this.#parts
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, LIMITS.tracedBatch)
      const count = batch.reduce((sum, each) => sum + spanCount(each), 0)
      await this.#deliver('traces', traceRequest(batch, exporting, pseudonymOf), count)
    }
  }

  #tell(): void {
    this.#telling ??= this.#tellAll().finally(() => (this.#telling = undefined))
  }

  async #tellAll(): Promise<void> {
    const { metrics, clock } = this.#parts
    const span = { from: metrics.since, to: clock.now() }
    let batch: OtlpMetric[] = []
    let points = 0
    for (const reading of metrics.readings()) {
      const metric = metricOf(reading, span)
      if (metric === undefined) continue
      if (points > 0 && points + pointCount(metric) > LIMITS.exportedPoints) {
        await this.#tellBatch(batch, points)
        batch = []
        points = 0
      }
      batch.push(metric)
      points += pointCount(metric)
      // A metric may have a thousand series: requests are not to wait for all of them.
      await nextTurn()
    }
    await this.#tellBatch(batch, points)
  }

  #tellBatch(batch: readonly OtlpMetric[], points: number): Promise<void> {
    return this.#deliver('metrics', metricsRequest(batch, this.#parts.exporting), points)
  }

  async #deliver(signal: Signal, request: object, count: number): Promise<void> {
    const { path, rejectedIn } = SIGNALS[signal]
    const body = JSON.stringify(request)
    const told = await this.#parts.delivery.deliver({ path, body, rejectedIn, count })
    if (told.kind === 'dropped') return this.#counts.dropped(signal, told.reason, count)
    this.#counts.exported(signal, count - told.rejected)
    this.#counts.dropped(signal, 'rejected', told.rejected)
  }

  #drop(requests: readonly TracedRequest[]): void {
    for (const request of requests) this.#counts.dropped('traces', 'stopped', spanCount(request))
  }
}

const SIGNALS = {
  traces: { path: '/v1/traces', rejectedIn: 'rejectedSpans' },
  metrics: { path: '/v1/metrics', rejectedIn: 'rejectedDataPoints' },
} as const

/** Requests of so long share an export. */
const GATHER_MS = 1_000
