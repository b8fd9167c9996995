import type { ExportedNames, HistogramCounts, MetricNames, Reading } from '#base/metric_reading.ts'
import { attributesOf, nanosOf, resourceOf, scopeOf, type Exporting, type KeyValue } from './otlp_value.ts'

export interface OtlpMetric {
  readonly name: string
  readonly description: string
  readonly unit?: string
  readonly sum?: {
    readonly dataPoints: readonly object[]
    readonly aggregationTemporality: number
    readonly isMonotonic: true
  }
  readonly gauge?: { readonly dataPoints: readonly object[] }
  readonly histogram?: { readonly dataPoints: readonly object[]; readonly aggregationTemporality: number }
}

/** The time that the numbers are about, in milliseconds since 1970: counters began with the process. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** The body of an export of metrics, as `ExportMetricsServiceRequest` has it. */
export function metricsRequest(metrics: readonly OtlpMetric[], exporting: Exporting): object {
  return {
    resourceMetrics: [
      { resource: resourceOf(exporting), scopeMetrics: [{ scope: scopeOf(exporting), metrics }] },
    ],
  }
}

/** A metric as it is exported; undefined for one that has no series yet. */
export function metricOf(reading: Reading, span: Span): OtlpMetric | undefined {
  if (reading.series.length === 0) return undefined
  const { names } = reading
  const exported = names.exported ?? ownNames(names)
  const { name, unit } = exported
  const told = { name, description: names.help, ...(unit === '' ? {} : { unit }) }
  const point = { startTimeUnixNano: nanosOf(span.from), timeUnixNano: nanosOf(span.to) }
  const attributes = (values: readonly string[]): readonly KeyValue[] =>
    attributesOf(Object.fromEntries(exported.attributes.map((key, at) => [key, values[at]])))
  if (reading.kind === 'histogram') {
    const { bounds } = reading
    const dataPoints = reading.series.map(({ values, value }) => ({
      ...point,
      attributes: attributes(values),
      ...histogramPoint(value, bounds),
    }))
    return { ...told, histogram: { dataPoints, aggregationTemporality: CUMULATIVE } }
  }
  const dataPoints = reading.series.map(({ values, value }) => ({
    ...(reading.kind === 'counter' ? point : { timeUnixNano: point.timeUnixNano }),
    attributes: attributes(values),
    asDouble: value,
  }))
  return reading.kind === 'counter'
    ? { ...told, sum: { dataPoints, aggregationTemporality: CUMULATIVE, isMonotonic: true } }
    : { ...told, gauge: { dataPoints } }
}

export function pointCount({ sum, gauge, histogram }: OtlpMetric): number {
  return (sum ?? gauge ?? histogram)?.dataPoints.length ?? 0
}

const CUMULATIVE = 2

/** By the names that it has on `/metrics`, so that a dashboard finds it in either. */
function ownNames({ name, labels = [] }: MetricNames): ExportedNames {
  const unit = name.endsWith('_seconds') ? 's' : name.endsWith('_bytes') ? 'By' : ''
  return { name, unit, attributes: labels }
}

function histogramPoint({ counts, count, sum }: HistogramCounts, bounds: readonly number[]): object {
  const within = [...counts]
  const above = count - within.reduce((all, each) => all + each, 0)
  return {
    count: String(count),
    sum,
    bucketCounts: [...within, above].map(String),
    explicitBounds: bounds,
  }
}
