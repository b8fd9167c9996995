import { isJsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { Reading } from '#base/metric_reading.ts'
import { isAmount, isNumber, isOneOf, isWord, listOf, listOfJust, objectOf, type Form } from './form.ts'

/**
 * The metrics that the writer has itself. A worker is the same program and counts under the same names: anything else, as a
 * name with a line break, would stand in the page that the writer gives as if it were the writer's own word.
 */
export class KnownMetrics {
  readonly #forms: ReadonlyMap<string, Form>

  constructor(own: Iterable<Reading>) {
    this.#forms = new Map([...own].map((reading) => [reading.names.name, formOf(reading)]))
  }

  get count(): number {
    return this.#forms.size
  }

  /** True for what a worker may say of one of them. */
  isReading(value: unknown): boolean {
    if (!isJsonObject(value) || !isJsonObject(value['names'])) return false
    const { name } = value['names']
    return typeof name === 'string' && this.#forms.get(name)?.(value) === true
  }
}

function formOf(own: Reading): Form {
  const { kind, names } = own
  const labels = names.labels?.length ?? 0
  const isCount = kind === 'gauge' ? isNumber : isAmount
  const value = own.kind === 'histogram' ? histogramOf(own.bounds.length) : isCount
  return objectOf({
    kind: isOneOf([kind]),
    names: sameAs(names),
    ...(own.kind === 'histogram' ? { bounds: sameAs(own.bounds) } : {}),
    series: listOf(objectOf({ values: listOfJust(labels, isWord), value }), LIMITS.metricSeries + 1),
  })
}

function histogramOf(bounds: number): Form {
  return objectOf({ counts: listOfJust(bounds, isAmount), sum: isNumber, count: isAmount })
}

/** The same text in JSON: it is made by the same lines of the same program. */
function sameAs(own: unknown): Form {
  const text = JSON.stringify(own)
  return (value) => JSON.stringify(value) === text
}
