import { LIMITS } from './limits.ts'
import type { HistogramReading, MetricNames, NumberReading, Reading } from './metric_reading.ts'
import { OTHER } from './metrics.ts'

/**
 * What several processes read, as if it were of one: series with the same labels are added up, gauges too, for they say how
 * much there is. The metrics of the first come first. As in one process, what is beyond the cap of a metric is of one series:
 * processes that come and go must not leave more and more of them.
 */
export function sumReadings(all: Iterable<Iterable<Reading>>): readonly Reading[] {
  const sums = new Map<string, Sum>()
  for (const readings of all)
    for (const reading of readings) {
      const { name } = reading.names
      const sum = sums.get(name) ?? newSum(reading)
      sums.set(name, sum)
      sum.add(reading)
    }
  return [...sums.values()].map((sum) => sum.read())
}

interface Sum {
  /** Of another kind than the first it is left out: two programs that differ are not added up. */
  add(reading: Reading): void
  read(): Reading
}

function newSum(reading: Reading): Sum {
  return reading.kind === 'histogram'
    ? new HistogramSum(reading.names, reading.bounds)
    : new NumberSum(reading.names, reading.kind)
}

class NumberSum implements Sum {
  readonly #names: MetricNames
  readonly #kind: NumberReading['kind']
  readonly #series = new Map<string, { readonly values: readonly string[]; value: number }>()

  constructor(names: MetricNames, kind: NumberReading['kind']) {
    this.#names = names
    this.#kind = kind
  }

  add(reading: Reading): void {
    if (reading.kind !== this.#kind) return
    for (const { values: own, value } of reading.series) {
      const values = withinCap(this.#series, own)
      const known = this.#series.get(nameOf(values))
      if (known === undefined) this.#series.set(nameOf(values), { values, value })
      else known.value += value
    }
  }

  read(): NumberReading {
    return { kind: this.#kind, names: this.#names, series: [...this.#series.values()] }
  }
}

interface HistogramSeries {
  readonly values: readonly string[]
  readonly value: { readonly counts: number[]; sum: number; count: number }
}

class HistogramSum implements Sum {
  readonly #names: MetricNames
  readonly #bounds: readonly number[]
  readonly #series = new Map<string, HistogramSeries>()

  constructor(names: MetricNames, bounds: readonly number[]) {
    this.#names = names
    this.#bounds = bounds
  }

  add(reading: Reading): void {
    if (reading.kind !== 'histogram') return
    for (const { values, value } of reading.series) {
      const { value: sum } = this.#seriesOf(values)
      for (const [at, count] of [...value.counts].entries()) sum.counts[at] = (sum.counts[at] ?? 0) + count
      sum.sum += value.sum
      sum.count += value.count
    }
  }

  read(): HistogramReading {
    return { kind: 'histogram', names: this.#names, bounds: this.#bounds, series: [...this.#series.values()] }
  }

  #seriesOf(own: readonly string[]): HistogramSeries {
    const values = withinCap(this.#series, own)
    let series = this.#series.get(nameOf(values))
    if (series === undefined) {
      series = { values, value: { counts: this.#bounds.map(() => 0), sum: 0, count: 0 } }
      this.#series.set(nameOf(values), series)
    }
    return series
  }
}

/** The labels of the series that a value counts in. */
function withinCap(series: ReadonlyMap<string, unknown>, values: readonly string[]): readonly string[] {
  const hasRoom = series.size < LIMITS.metricSeries || series.has(nameOf(values))
  return hasRoom ? values : values.map(() => OTHER)
}

function nameOf(values: readonly string[]): string {
  return values.join('\u{0}')
}
