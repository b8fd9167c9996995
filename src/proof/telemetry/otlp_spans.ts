import type { JsonValue } from '#base/json.ts'
import type { TracedCall, TracedRequest } from '#door/tracing.ts'
import { operationOf } from '#door/operation.ts'
import {
  attributesOf,
  nanosOf,
  resourceOf,
  scopeOf,
  type Exporting,
  type KeyValue,
  type Plain,
} from './otlp_value.ts'

export interface OtlpSpan {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly flags: number
  readonly name: string
  readonly kind: number
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly KeyValue[]
  readonly events?: readonly OtlpEvent[]
  readonly status: { readonly code?: number }
}

interface OtlpEvent {
  readonly timeUnixNano: string
  readonly name: string
}

/** The body of an export of spans, as `ExportTraceServiceRequest` has it. */
export function traceRequest(
  requests: readonly TracedRequest[],
  exporting: Exporting,
  pseudonymOf: (caller: string) => string,
): object {
  const spans = requests.flatMap((request) => spansOf(request, pseudonymOf))
  return {
    resourceSpans: [{ resource: resourceOf(exporting), scopeSpans: [{ scope: scopeOf(exporting), spans }] }],
  }
}

/** How many spans a request comes to. */
export function spanCount({ calls }: TracedRequest): number {
  return 1 + calls.length
}

/**
 * The span of a request and those of its calls. What is in them is picked name by name: our own words, names of the
 * configuration, counts, times, the id of the entry and the caller's pseudonym, and nothing that a caller or a provider wrote.
 */
export function spansOf(
  request: TracedRequest,
  pseudonymOf: (caller: string) => string,
): readonly OtlpSpan[] {
  const answering = request.calls.findLast(({ error }) => error === '')
  const usage = usageOf(request)
  const own = answering === undefined ? usage : {}
  return [
    serverSpan(request, { ...own, 'enduser.pseudo.id': pseudonymIn(request, pseudonymOf) }),
    ...request.calls.map((call) => clientSpan(request, call, call === answering ? usage : {})),
  ]
}

const KIND = { server: 2, client: 3 } as const
const STATUS_ERROR = 2
const SERVER_ERRORS = 500
// Of the flags of a span: the W3C ones in the low byte, then that it is known whether the parent is in another process, and
// that it is.
const SAMPLED = 0x01
const HAS_IS_REMOTE = 0x1_00
const IS_REMOTE = 0x2_00

type Attributes = Readonly<Record<string, Plain>>

function serverSpan(request: TracedRequest, more: Attributes): OtlpSpan {
  const { id, traceId, spanId, parentId, route, observation, outcome, findings } = request
  const { status, code, stage, model } = observation
  const isError = status >= SERVER_ERRORS
  return {
    traceId,
    spanId,
    ...(parentId === undefined ? {} : { parentSpanId: parentId }),
    flags: SAMPLED | HAS_IS_REMOTE | (parentId === undefined ? 0 : IS_REMOTE),
    name: `${route.method} ${route.path}`,
    kind: KIND.server,
    startTimeUnixNano: nanosOf(request.startedAt),
    endTimeUnixNano: timeOf(request, request.endedMonotonic),
    attributes: attributesOf({
      'http.request.method': route.method,
      'http.route': route.path,
      'http.response.status_code': status,
      'error.type': isError ? code : undefined,
      'gatehouse.entry': id,
      'gatehouse.code': code,
      'gatehouse.stage': stage,
      'gatehouse.action': route.action,
      'gatehouse.cost_nanodollars': numberIn(outcome['cost']),
      'gatehouse.findings': findings.length === 0 ? undefined : findings,
      ...(model === '' ? {} : modelAttributes(request, textIn(outcome['model']) ?? model)),
      ...more,
    }),
    events: request.stages.map(({ stage: name, at }) => ({ timeUnixNano: timeOf(request, at), name })),
    status: isError ? { code: STATUS_ERROR } : {},
  }
}

function modelAttributes({ observation }: TracedRequest, answering: string): Attributes {
  const { route, model, provider } = observation
  return {
    'gen_ai.operation.name': operationOf(route),
    'gen_ai.provider.name': provider,
    'gen_ai.request.model': model,
    'gen_ai.response.model': provider === '' ? undefined : answering,
  }
}

function clientSpan(request: TracedRequest, call: TracedCall, usage: Attributes): OtlpSpan {
  const { called, error } = call
  const { hostname, port, protocol } = new URL(called.origin)
  return {
    traceId: request.traceId,
    spanId: call.spanId,
    parentSpanId: request.spanId,
    flags: SAMPLED | HAS_IS_REMOTE,
    name: `${called.operation} ${called.model}`,
    kind: KIND.client,
    startTimeUnixNano: timeOf(request, call.from),
    endTimeUnixNano: timeOf(request, call.to),
    attributes: attributesOf({
      'gen_ai.operation.name': called.operation,
      'gen_ai.provider.name': called.provider,
      'gen_ai.request.model': called.model,
      'server.address': hostname,
      'server.port': Number(port || (protocol === 'https:' ? 443 : 80)),
      'error.type': error,
      ...usage,
    }),
    status: error === '' ? {} : { code: STATUS_ERROR },
  }
}

function usageOf({ outcome }: TracedRequest): Attributes {
  return {
    'gen_ai.usage.input_tokens': numberIn(outcome['tokens_in']),
    'gen_ai.usage.output_tokens': numberIn(outcome['tokens_out']),
  }
}

function pseudonymIn({ caller }: TracedRequest, pseudonymOf: (caller: string) => string): string | undefined {
  return caller === undefined ? undefined : pseudonymOf(caller)
}

function timeOf({ startedAt, startedMonotonic }: TracedRequest, at: number): string {
  return nanosOf(startedAt + Math.max(0, at - startedMonotonic))
}

function textIn(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function numberIn(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined
}
