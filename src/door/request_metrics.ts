import type { Counter, Family, Gauge, Histogram, Metrics } from '#base/metrics.ts'
import type { Observation } from './passage.ts'

/** Rate, errors and duration by route and model, and refusals by stage and code. */
export class RequestMetrics {
  readonly #requests: Family<Counter>
  readonly #durations: Family<Histogram>
  readonly #refusals: Family<Counter>
  readonly #inFlight: Gauge
  readonly #drops: Family<Counter>

  constructor(metrics: Metrics) {
    this.#requests = metrics.counter({
      name: 'gatehouse_requests_total',
      help: 'Requests that the door answered or refused.',
      labels: ['route', 'model', 'code'],
    })
    this.#durations = metrics.histogram({
      name: 'gatehouse_request_duration_seconds',
      help: 'Time from the start of the pipeline to its outcome.',
      labels: ['route', 'model'],
    })
    this.#refusals = metrics.counter({
      name: 'gatehouse_refusals_total',
      help: 'Refusals by stage and code; the stage "receive" stands for what was refused before the pipeline.',
      labels: ['stage', 'code'],
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
  observe(observation: Observation): void {
    const { route, model, code, stage, seconds } = observation
    this.#requests.series(route, model, code).add()
    this.#durations.series(route, model).observe(seconds)
    if (code !== 'ok') this.#refusals.series(stage, code).add()
  }

  /** Counts a connection that a face closed to make room. */
  dropped(reason: 'block' | 'share' | 'full'): void {
    this.#drops.series(reason).add()
  }

  /** Counts what a face refused before the pipeline. */
  refusedEarly(code: string): void {
    this.#refusals.series('receive', code).add()
  }
}
