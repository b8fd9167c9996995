import type { Family, Histogram, Metrics } from '#base/metrics.ts'
import type { CalledModel } from '#door/route.ts'

/** How long calls of models take, by what is called. Labels are names of the configuration and codes of ours. */
export class CallMetrics {
  readonly #durations: Family<Histogram>

  constructor(metrics: Metrics) {
    this.#durations = metrics.histogram(
      {
        name: 'gatehouse_upstream_call_duration_seconds',
        help: 'Time of a call of a model over HTTP, a stream to its end.',
        labels: ['operation', 'provider', 'model', 'error'],
        exported: {
          name: 'gen_ai.client.operation.duration',
          unit: 's',
          attributes: ['gen_ai.operation.name', 'gen_ai.provider.name', 'gen_ai.request.model', 'error.type'],
        },
      },
      BOUNDS,
    )
  }

  /** `error` is empty for a call that was answered. */
  took({ operation, provider, model }: CalledModel, seconds: number, error: string): void {
    this.#durations.series(operation, provider, model, error).observe(seconds)
  }
}

/** As the conventions of OpenTelemetry want them: from 10 ms, doubled thirteen times. */
const BOUNDS = Array.from({ length: 14 }, (_, power) => (10 * 2 ** power) / 1_000)
