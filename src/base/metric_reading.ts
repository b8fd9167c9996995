/** Names and values of labels, in the order the metric declared. */
export type LabelValues = readonly string[]

export interface MetricNames {
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
  /** What it is called where it is exported as OpenTelemetry has it; its own names where this is left out. */
  readonly exported?: ExportedNames
}

export interface ExportedNames {
  readonly name: string
  /** As UCUM has it. */
  readonly unit: string
  /** In the order of the labels. An empty value of a label is left out. */
  readonly attributes: readonly string[]
}

/** What a metric says at one moment. */
export type Reading = NumberReading | HistogramReading

export interface NumberReading {
  readonly kind: 'counter' | 'gauge'
  readonly names: MetricNames
  readonly series: readonly { readonly values: LabelValues; readonly value: number }[]
}

export interface HistogramReading {
  readonly kind: 'histogram'
  readonly names: MetricNames
  readonly bounds: readonly number[]
  readonly series: readonly { readonly values: LabelValues; readonly value: HistogramCounts }[]
}

/** Observations by bound, each of which counts once; those above the last bound are in `count` alone. */
export interface HistogramCounts {
  readonly counts: Iterable<number>
  readonly sum: number
  readonly count: number
}
