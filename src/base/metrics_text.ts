import type { HistogramCounts, MetricNames, Reading } from './metric_reading.ts'

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Everything that was read, as Prometheus text format 0.0.4 with a final line feed. */
export function printReadings(readings: Iterable<Reading>): string {
  return `${[...readings].flatMap(printReading).join('\n')}\n`
}

function printReading(reading: Reading): readonly string[] {
  const { kind, names } = reading
  const lines = preamble(kind, names)
  if (reading.kind === 'histogram')
    for (const { values, value } of reading.series)
      lines.push(
        ...printHistogram({
          name: names.name,
          labels: labelsOf(names, values),
          value,
          bounds: reading.bounds,
        }),
      )
  else
    for (const { values, value } of reading.series)
      lines.push(`${names.name}${braces(labelsOf(names, values))} ${number(value)}`)
  return lines
}

function preamble(type: string, names: MetricNames): string[] {
  return [`# HELP ${names.name} ${escapeHelp(names.help)}`, `# TYPE ${names.name} ${type}`]
}

function labelsOf({ labels = [] }: MetricNames, values: readonly string[]): readonly string[] {
  return labels.map((name, at) => `${name}="${escapeLabel(values[at] ?? '')}"`)
}

function printHistogram(of: {
  readonly name: string
  readonly labels: readonly string[]
  readonly value: HistogramCounts
  readonly bounds: readonly number[]
}): string[] {
  const { name, labels, value, bounds } = of
  const counts = [...value.counts]
  let below = 0
  const lines = bounds.map((bound, at) => {
    below += counts[at] ?? 0
    return `${name}_bucket${braces([...labels, `le="${number(bound)}"`])} ${below}`
  })
  return [
    ...lines,
    `${name}_bucket${braces([...labels, 'le="+Inf"'])} ${value.count}`,
    `${name}_sum${braces(labels)} ${number(value.sum)}`,
    `${name}_count${braces(labels)} ${value.count}`,
  ]
}

function braces(labels: readonly string[]): string {
  return labels.length === 0 ? '' : `{${labels.join(',')}}`
}

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  return String(value)
}

// The text format escapes a backslash and a line feed in help, and a double quote as well in label values.
function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}
