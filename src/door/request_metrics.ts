import type { Counter, Family, Gauge, Histogram, Metrics } from '#base/metrics.ts'
import type { Observation } from './observation.ts'
import { operationOf } from './operation.ts'

/** Rate, errors and duration of requests by route and model, as callers see them, on record or not. */
export class RequestMetrics {
  readonly #requests: Family<Counter>
  readonly #durations: Family<Histogram>
  readonly #firstTokens: Family<Histogram>
  readonly #digested: Family<Counter>
  readonly #inFlight: Gauge
  readonly #drops: Family<Counter>

  constructor(metrics: Metrics) {
    this.#requests = metrics.counter({
      name: 'gatehouse_requests_total',
      help: 'Requests that the door answered or refused; without a route those refused before it was known.',
      labels: ['route', 'model', 'code'],
    })
    this.#durations = metrics.histogram({
      name: 'gatehouse_request_duration_seconds',
      help: 'Time from the start of the pipeline to its outcome.',
      labels: ['route', 'model'],
    })
    this.#firstTokens = metrics.histogram(FIRST_TOKEN, FIRST_TOKEN_BOUNDS)
    this.#digested = metrics.counter({
      name: 'gatehouse_digested_total',
      help: 'What was refused, or closed, and is counted in a digest instead of recorded by itself.',
      labels: ['code'],
    })
    this.#inFlight = metrics
      .gauge({ name: 'gatehouse_requests_in_flight', help: 'Requests whose replies have not left yet.' })
      .series()
    this.#drops = metrics.counter({
      name: 'gatehouse_connections_dropped_total',
      help: 'Connections closed to make room: too many strangers from their source block, too many of one caller, or a full listener.',
      labels: ['reason'],
    })
  }

  /** A request entered a route; `left` must follow. */
  entered(): void {
    this.#inFlight.add(1)
  }

  left(): void {
    this.#inFlight.add(-1)
  }

  /** Takes what the door observes of each request; pass it as `DoorParts.observe`. */
  observe({ route, model, code, seconds, firstSeconds, provider }: Observation): void {
    this.#requests.series(route, model, code).add()
    this.#durations.series(route, model).observe(seconds)
    if (firstSeconds !== undefined && code === 'ok')
      this.#firstTokens.series(operationOf(route), provider, model).observe(firstSeconds)
  }

  /** Counts what goes into a digest; pass it as `FloodParts.counted`. */
  digested(code: string): void {
    this.#digested.series(code).add()
  }

  /** Counts a connection that a face closed to make room. */
  dropped(reason: 'block' | 'share' | 'full'): void {
    this.#drops.series(reason).add()
  }

  /** Counts what a face refused before the pipeline. */
  refusedEarly(code: string): void {
    this.#requests.series('', '', code).add()
  }
}

const FIRST_TOKEN = {
  name: 'gatehouse_first_token_seconds',
  help: 'Time from the start of the pipeline to the first text of a stream that came to its end.',
  labels: ['operation', 'provider', 'model'],
  exported: {
    name: 'gen_ai.server.time_to_first_token',
    unit: 's',
    attributes: ['gen_ai.operation.name', 'gen_ai.provider.name', 'gen_ai.request.model'],
  },
}

/** As the conventions of OpenTelemetry want them. */
const FIRST_TOKEN_BOUNDS = [
  0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
]
