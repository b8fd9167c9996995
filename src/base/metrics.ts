import { LIMITS } from './limits.ts'
import type { LabelValues, MetricNames, NumberReading, Reading } from './metric_reading.ts'
import { printReadings } from './metrics_text.ts'

/** A number that only grows. */
export class Counter {
  value = 0

  add(count = 1): void {
    this.value += count
  }
}

/** A number that goes up and down. */
export class Gauge {
  value = 0

  add(change: number): void {
    this.value += change
  }

  set(value: number): void {
    this.value = value
  }
}

/** Counts of observations by upper bound; bounds are inclusive, as Prometheus has them. */
export class Histogram {
  readonly counts: Float64Array
  sum = 0
  count = 0
  readonly #bounds: readonly number[]

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.counts = new Float64Array(bounds.length)
  }

  observe(value: number): void {
    this.sum += value
    this.count += 1
    const place = this.#bounds.findIndex((bound) => value <= bound)
    if (place >= 0) this.counts[place] = (this.counts[place] ?? 0) + 1
  }
}

/** A metric with labels. `series` gives the handle of one set of label values; keep the handle on a hot path. */
export interface Family<Handle> {
  /** Beyond the cap every new set of values shares one series whose labels all read `other`. */
  series(...values: LabelValues): Handle
}

/** Seconds; from a cached answer to the longest call of a model. */
export const DURATION_BOUNDS = [
  0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300,
] as const

/** What all labels say of a series that stands for those beyond the cap. */
export const OTHER = 'other'

/** Counters, gauges and histograms, printed as Prometheus text format 0.0.4. */
export class Metrics {
  readonly #families = new Map<string, Readable>()
  /** When counting began, in milliseconds since 1970. */
  readonly since: number
  readonly #seriesPerMetric: number

  constructor(options: { readonly seriesPerMetric?: number; readonly since?: number } = {}) {
    this.since = options.since ?? 0
    this.#seriesPerMetric = options.seriesPerMetric ?? LIMITS.metricSeries
  }

  counter(names: MetricNames): Family<Counter> {
    const kind = numbers('counter', () => new Counter())
    return this.#add(names, new SeriesOf(names, this.#seriesPerMetric, kind))
  }

  gauge(names: MetricNames): Family<Gauge> {
    const kind = numbers('gauge', () => new Gauge())
    return this.#add(names, new SeriesOf(names, this.#seriesPerMetric, kind))
  }

  histogram(names: MetricNames, bounds: readonly number[] = DURATION_BOUNDS): Family<Histogram> {
    const kind: Kind<Histogram> = {
      type: 'histogram',
      make: () => new Histogram(bounds),
      read: (of, series) => ({
        kind: 'histogram',
        names: of,
        bounds,
        series: series.map(({ values, handle }) => ({ values, value: handle })),
      }),
    }
    return this.#add(names, new SeriesOf(names, this.#seriesPerMetric, kind))
  }

  /** A gauge without labels whose value is asked for at each scrape. */
  gaugeFrom(names: Omit<MetricNames, 'labels'>, read: () => number): void {
    this.#add(names, {
      read: () => ({ kind: 'gauge', names, series: [{ values: [], value: read() }] }),
    })
  }

  /** Everything as it is now, metric by metric; a metric is read when it is asked for. */
  *readings(): Generator<Reading, void, undefined> {
    for (const family of this.#families.values()) yield family.read()
  }

  /** Everything, as Prometheus text format 0.0.4 with a final line feed. */
  expose(): string {
    return printReadings(this.readings())
  }

  #add<Of extends Readable>(names: MetricNames, family: Of): Of {
    const isName = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/.test(names.name)
    const areLabels = (names.labels ?? []).every((label) => /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(label))
    if (!isName || !areLabels)
      throw new TypeError('a metric or label has a name that Prometheus does not take')
    if (this.#families.has(names.name)) throw new TypeError(`the metric ${names.name} exists already`)
    this.#families.set(names.name, family)
    return family
  }
}

interface Readable {
  read(): Reading
}

interface Series<Handle> {
  readonly values: LabelValues
  readonly handle: Handle
}

interface Kind<Handle> {
  readonly type: Reading['kind']
  readonly make: () => Handle
  readonly read: (names: MetricNames, series: readonly Series<Handle>[]) => Reading
}

class SeriesOf<Handle> implements Family<Handle>, Readable {
  readonly #names: MetricNames
  readonly #cap: number
  readonly #kind: Kind<Handle>
  readonly #series = new Map<string, Series<Handle>>()

  constructor(names: MetricNames, cap: number, kind: Kind<Handle>) {
    this.#names = names
    this.#cap = cap
    this.#kind = kind
  }

  series(...values: LabelValues): Handle {
    const names = this.#names.labels ?? []
    if (values.length !== names.length)
      throw new TypeError(`the metric ${this.#names.name} has ${names.length} labels`)
    const key = values.join('\u{0}')
    const known = this.#series.get(key)
    if (known !== undefined) return known.handle
    if (this.#series.size >= this.#cap && values.some((value) => value !== OTHER))
      return this.series(...names.map(() => OTHER))
    const handle = this.#kind.make()
    this.#series.set(key, { values, handle })
    return handle
  }

  read(): Reading {
    return this.#kind.read(this.#names, [...this.#series.values()])
  }
}

function numbers<Handle extends { readonly value: number }>(
  type: NumberReading['kind'],
  make: () => Handle,
): Kind<Handle> {
  return {
    type,
    make,
    read: (names, series) => ({
      kind: type,
      names,
      series: series.map(({ values, handle }) => ({ values, value: handle.value })),
    }),
  }
}
