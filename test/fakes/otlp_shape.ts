/*
 * What the JSON of an export must look like, from the messages of opentelemetry-proto (trace/v1, metrics/v1, common/v1,
 * resource/v1) and the exceptions of OTLP/JSON: ids in hex, enums as numbers, 64-bit integers as texts. A member that no
 * message has is a mistake here, although a receiver has to pass over it.
 */

type Check = (value: unknown, at: string, wrong: string[]) => void

const RESOURCE = message({ attributes: list(keyValue), droppedAttributesCount: uint32 })
const SCOPE = message({ name: filled, version: text })

const EVENT = message({ timeUnixNano: nanos, name: filled, attributes: list(keyValue) }, [
  'timeUnixNano',
  'name',
])

const SPAN = message(
  {
    traceId: hex(32),
    spanId: hex(16),
    traceState: text,
    parentSpanId: hex(16),
    flags: uint32,
    name: filled,
    kind: oneOf(1, 2, 3, 4, 5),
    startTimeUnixNano: nanos,
    endTimeUnixNano: nanos,
    attributes: list(keyValue),
    events: list(EVENT),
    status: message({ code: oneOf(0, 1, 2), message: text }),
  },
  ['traceId', 'spanId', 'name', 'kind', 'startTimeUnixNano', 'endTimeUnixNano'],
)

const NUMBER_POINT = message(
  {
    attributes: list(keyValue),
    startTimeUnixNano: nanos,
    timeUnixNano: nanos,
    asDouble: double,
    asInt: int64,
  },
  ['timeUnixNano'],
)

const HISTOGRAM_POINT = message(
  {
    attributes: list(keyValue),
    startTimeUnixNano: nanos,
    timeUnixNano: nanos,
    count: uint64,
    sum: double,
    bucketCounts: list(uint64),
    explicitBounds: list(double),
  },
  ['startTimeUnixNano', 'timeUnixNano', 'count', 'bucketCounts', 'explicitBounds'],
)

const METRIC = message(
  {
    name: filled,
    description: text,
    unit: text,
    gauge: message({ dataPoints: list(NUMBER_POINT) }, ['dataPoints']),
    sum: message(
      { dataPoints: list(NUMBER_POINT), aggregationTemporality: oneOf(1, 2), isMonotonic: boolean },
      ['dataPoints', 'aggregationTemporality'],
    ),
    histogram: message({ dataPoints: list(HISTOGRAM_POINT), aggregationTemporality: oneOf(1, 2) }, [
      'dataPoints',
      'aggregationTemporality',
    ]),
  },
  ['name'],
)

const TRACES = message(
  {
    resourceSpans: list(
      message(
        {
          resource: RESOURCE,
          scopeSpans: list(message({ scope: SCOPE, spans: list(SPAN), schemaUrl: text }, ['scope', 'spans'])),
          schemaUrl: text,
        },
        ['resource', 'scopeSpans'],
      ),
    ),
  },
  ['resourceSpans'],
)

const METRICS = message(
  {
    resourceMetrics: list(
      message(
        {
          resource: RESOURCE,
          scopeMetrics: list(message({ scope: SCOPE, metrics: list(METRIC) }, ['scope', 'metrics'])),
        },
        ['resource', 'scopeMetrics'],
      ),
    ),
  },
  ['resourceMetrics'],
)

/** What is wrong with the body of an export to a path; nothing where it is as it must be. */
export function wrongWith(path: string, body: string): readonly string[] {
  const wrong: string[] = []
  let value: unknown
  try {
    value = JSON.parse(body)
  } catch {
    return ['the body is not JSON']
  }
  if (path === '/v1/traces') TRACES(value, '', wrong)
  else if (path === '/v1/metrics') METRICS(value, '', wrong)
  else wrong.push(`there is no ${path}`)
  if (wrong.length > 0) return wrong
  if (path === '/v1/traces') for (const span of spansIn(body)) checkSpan(span, wrong)
  else for (const metric of metricsIn(body)) checkMetric(metric, wrong)
  return wrong
}

/** A span as it was received. */
export interface ReceivedSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly flags: number
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly ReceivedAttribute[]
  readonly events?: readonly { readonly timeUnixNano: string; readonly name: string }[]
  readonly status: { readonly code?: number }
}

export interface ReceivedAttribute {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

export interface ReceivedPoint {
  readonly attributes: readonly ReceivedAttribute[]
  readonly startTimeUnixNano?: string
  readonly timeUnixNano: string
  readonly asDouble?: number
  readonly count?: string
  readonly sum?: number
  readonly bucketCounts?: readonly string[]
  readonly explicitBounds?: readonly number[]
}

export interface ReceivedMetric {
  readonly name: string
  readonly unit?: string
  readonly sum?: { readonly dataPoints: readonly ReceivedPoint[] }
  readonly gauge?: { readonly dataPoints: readonly ReceivedPoint[] }
  readonly histogram?: { readonly dataPoints: readonly ReceivedPoint[] }
}

export function spansIn(body: string): readonly ReceivedSpan[] {
  const { resourceSpans } = JSON.parse(body) as {
    resourceSpans: { scopeSpans: { spans: ReceivedSpan[] }[] }[]
  }
  return resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
}

export function metricsIn(body: string): readonly ReceivedMetric[] {
  const { resourceMetrics } = JSON.parse(body) as {
    resourceMetrics: { scopeMetrics: { metrics: ReceivedMetric[] }[] }[]
  }
  return resourceMetrics.flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics }) => metrics))
}

export function pointsOf({ sum, gauge, histogram }: ReceivedMetric): readonly ReceivedPoint[] {
  return (sum ?? gauge ?? histogram)?.dataPoints ?? []
}

/** Attributes as plain values; whole numbers as they came, which is as texts. */
export function plain(attributes: readonly ReceivedAttribute[]): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [inner] = Object.values(value)
      const isList = 'arrayValue' in value
      return [key, isList ? (inner as { values: object[] }).values.flatMap(Object.values) : inner]
    }),
  )
}

function checkSpan(span: ReceivedSpan, wrong: string[]): void {
  const { name, startTimeUnixNano: from, endTimeUnixNano: to, attributes, events = [] } = span
  if (BigInt(to) < BigInt(from)) wrong.push(`${name} ends before it begins`)
  if (span.parentSpanId === span.spanId) wrong.push(`${name} is its own parent`)
  for (const event of events)
    if (BigInt(event.timeUnixNano) < BigInt(from) || BigInt(event.timeUnixNano) > BigInt(to))
      wrong.push(`${name}: the event ${event.name} is outside of it`)
  checkKeys(name, attributes, wrong)
}

function checkMetric(metric: ReceivedMetric, wrong: string[]): void {
  const kinds = [metric.sum, metric.gauge, metric.histogram].filter((kind) => kind !== undefined)
  if (kinds.length !== 1) wrong.push(`${metric.name} is not of one kind`)
  const seen = new Set<string>()
  for (const point of pointsOf(metric)) {
    checkKeys(metric.name, point.attributes, wrong)
    const series = JSON.stringify(point.attributes.map((each) => JSON.stringify(each)).toSorted())
    if (seen.has(series)) wrong.push(`${metric.name} has ${series} twice`)
    seen.add(series)
    if (point.startTimeUnixNano !== undefined && BigInt(point.timeUnixNano) < BigInt(point.startTimeUnixNano))
      wrong.push(`${metric.name} ends before it begins`)
    if (metric.histogram !== undefined) checkBuckets(metric.name, point, wrong)
  }
}

function checkBuckets(name: string, point: ReceivedPoint, wrong: string[]): void {
  const { bucketCounts = [], explicitBounds = [], count } = point
  if (bucketCounts.length !== explicitBounds.length + 1)
    wrong.push(`${name} has not one bucket more than bounds`)
  const sum = bucketCounts.reduce((all, each) => all + BigInt(each), 0n)
  if (sum !== BigInt(count ?? -1)) wrong.push(`the buckets of ${name} do not add up`)
  if (explicitBounds.some((bound, at) => at > 0 && bound <= (explicitBounds[at - 1] ?? 0)))
    wrong.push(`the bounds of ${name} do not grow`)
}

function checkKeys(name: string, attributes: readonly ReceivedAttribute[], wrong: string[]): void {
  const keys = attributes.map(({ key }) => key)
  if (new Set(keys).size !== keys.length) wrong.push(`${name} has an attribute twice`)
}

function message(members: Readonly<Record<string, Check>>, needed: readonly string[] = []): Check {
  return (value, at, wrong) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      wrong.push(`${at} is no object`)
      return
    }
    for (const name of needed) if (!(name in value)) wrong.push(`${at}.${name} is missing`)
    for (const [name, inner] of Object.entries(value)) {
      const check = members[name]
      if (check === undefined) wrong.push(`${at}.${name} is in no message`)
      else check(inner, `${at}.${name}`, wrong)
    }
  }
}

function list(check: Check): Check {
  return (value, at, wrong) => {
    if (!Array.isArray(value)) wrong.push(`${at} is no list`)
    else value.forEach((inner, place) => check(inner, `${at}[${place}]`, wrong))
  }
}

function keyValue(value: unknown, at: string, wrong: string[]): void {
  message({ key: filled, value: anyValue }, ['key', 'value'])(value, at, wrong)
}

function anyValue(value: unknown, at: string, wrong: string[]): void {
  const kinds = {
    stringValue: text,
    boolValue: boolean,
    intValue: int64,
    doubleValue: double,
    arrayValue: message({ values: list(anyValue) }, ['values']),
  }
  message(kinds)(value, at, wrong)
  if (typeof value === 'object' && value !== null && Object.keys(value).length !== 1)
    wrong.push(`${at} is not one value`)
}

function matching(form: RegExp, what: string): Check {
  return (value, at, wrong) => {
    if (typeof value !== 'string' || !form.test(value)) wrong.push(`${at} is not ${what}`)
  }
}

function hex(digits: number): Check {
  const zeros = '0'.repeat(digits)
  return (value, at, wrong) => {
    if (typeof value !== 'string' || !/^[0-9a-f]+$/.test(value) || value.length !== digits || value === zeros)
      wrong.push(`${at} is not ${digits} hexadecimal digits`)
  }
}

function text(value: unknown, at: string, wrong: string[]): void {
  if (typeof value !== 'string') wrong.push(`${at} is no text`)
}

function filled(value: unknown, at: string, wrong: string[]): void {
  if (typeof value !== 'string' || value === '') wrong.push(`${at} is no text, or empty`)
}

function boolean(value: unknown, at: string, wrong: string[]): void {
  if (typeof value !== 'boolean') wrong.push(`${at} is neither true nor false`)
}

function double(value: unknown, at: string, wrong: string[]): void {
  if (typeof value !== 'number' || !Number.isFinite(value)) wrong.push(`${at} is no number`)
}

function uint32(value: unknown, at: string, wrong: string[]): void {
  if (!Number.isInteger(value) || Number(value) < 0 || Number(value) >= 2 ** 32)
    wrong.push(`${at} is no uint32`)
}

function int64(value: unknown, at: string, wrong: string[]): void {
  matching(/^-?\d{1,19}$/, 'a whole number as a text')(value, at, wrong)
}

function uint64(value: unknown, at: string, wrong: string[]): void {
  matching(/^\d{1,20}$/, 'a whole number as a text')(value, at, wrong)
}

/** Of this century: a time in milliseconds or microseconds is a mistake. */
function nanos(value: unknown, at: string, wrong: string[]): void {
  matching(/^[1-4]\d{18}$/, 'a time in nanoseconds as a text')(value, at, wrong)
}

function oneOf(...numbers: readonly number[]): Check {
  return (value, at, wrong) => {
    if (typeof value !== 'number' || !numbers.includes(value))
      wrong.push(`${at} is none of ${numbers.join(', ')}`)
  }
}
