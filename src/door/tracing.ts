import type { Clock, Millis } from '#base/clock.ts'
import { randomHex } from '#base/ids.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { printTraceParent, type TraceContext } from '#base/trace_context.ts'
import type { Observation } from './observation.ts'
import { STAGES, type Stage } from './outcome.ts'
import type { CalledModel, CallSpan, CallTrace, Incoming, Route } from './route.ts'

export interface TracerParts {
  readonly clock: Clock
  /** Whether a request keeps the trace that its caller says it is part of. */
  readonly acceptsCallers: boolean
  /** Decides for each request by itself whether its spans are taken, never by what a caller sends. */
  readonly sample: () => boolean
  /** Given each sampled request when it has ended. Must not throw. */
  readonly take: (traced: TracedRequest) => void
}

/** What spans say of the route of a request. */
export type TracedRoute = Pick<Route<JsonObject>, 'name' | 'method' | 'path' | 'action'>

/** What is known of a request when it has ended. */
export interface RequestEnd {
  readonly observation: Observation
  /** As `printRef` gives it; undefined for a stranger. */
  readonly caller: string | undefined
  /** Names of rules. */
  readonly findings: readonly string[]
  /** Fields of the outcome; empty where there is none. */
  readonly outcome: Readonly<Record<string, JsonValue>>
}

/** A request of which spans are to be made. It holds what must not leave the process: whoever exports it picks. */
export interface TracedRequest extends RequestEnd {
  readonly id: string
  readonly route: TracedRoute
  readonly traceId: string
  readonly spanId: string
  /** The span of the caller; undefined where the trace begins here. */
  readonly parentId: string | undefined
  /** Wall-clock time; all else of the request is milliseconds of the clock that never goes back. */
  readonly startedAt: Millis
  readonly startedMonotonic: number
  readonly endedMonotonic: number
  readonly stages: readonly Reached[]
  readonly calls: readonly TracedCall[]
}

export interface Reached {
  readonly stage: Stage
  readonly at: number
}

export interface TracedCall {
  readonly spanId: string
  readonly called: CalledModel
  readonly from: number
  readonly to: number
  /** Empty where the call was answered. */
  readonly error: string
}

/** Begins the traces of requests. */
export class Tracer {
  readonly #parts: TracerParts

  constructor(parts: TracerParts) {
    this.#parts = parts
  }

  /** The trace of a request; undefined where nobody could find it again: its caller sent none and no span is taken. */
  begin(incoming: Pick<Incoming, 'id' | 'trace'>, route: TracedRoute): RequestTrace | undefined {
    const { acceptsCallers, sample } = this.#parts
    const parent = acceptsCallers ? incoming.trace : undefined
    const isSampled = sample()
    if (parent === undefined && !isSampled) return undefined
    return new RequestTrace(this.#parts, { id: incoming.id, route, parent, isSampled })
  }
}

interface Begun {
  readonly id: string
  readonly route: TracedRoute
  readonly parent: TraceContext | undefined
  readonly isSampled: boolean
}

/** One request in a trace. */
export class RequestTrace implements CallTrace {
  readonly traceId: string
  /** `tracestate` as the caller sent it: a text of somebody else's. */
  readonly state: string
  readonly #parts: TracerParts
  readonly #begun: Begun
  readonly #spanId = randomHex(SPAN_DIGITS)
  readonly #startedAt: Millis
  readonly #startedMonotonic: number
  readonly #stages: Reached[] = []
  readonly #calls: OpenCall[] = []
  #furthest = -1

  constructor(parts: TracerParts, begun: Begun) {
    const { parent } = begun
    this.#parts = parts
    this.#begun = begun
    this.traceId = parent?.traceId ?? randomHex(TRACE_DIGITS)
    this.state = parent?.state ?? ''
    this.#startedAt = parts.clock.now()
    this.#startedMonotonic = parts.clock.monotonic()
  }

  /** A stage that is entered again, as when a caller is proven anew, is the same one. */
  enter(stage: Stage): void {
    if (!this.#begun.isSampled) return
    const place = STAGES.indexOf(stage)
    if (place <= this.#furthest) return
    this.#furthest = place
    this.#stages.push({ stage, at: this.#parts.clock.monotonic() })
  }

  begin(called: CalledModel): CallSpan {
    const spanId = randomHex(SPAN_DIGITS)
    const { isSampled } = this.#begun
    const traceparent = printTraceParent(this.traceId, spanId, isSampled)
    const { state } = this
    if (!isSampled) return { traceparent, state, end: () => undefined }
    const call = new OpenCall(spanId, called, this.#parts.clock)
    // A pool makes only so many; what a mistake of ours makes beyond that is not kept.
    if (this.#calls.length < CALLS) this.#calls.push(call)
    return { traceparent, state, end: (error) => call.end(error) }
  }

  end(known: RequestEnd): void {
    const { id, route, parent, isSampled } = this.#begun
    if (!isSampled) return
    const endedMonotonic = this.#parts.clock.monotonic()
    this.#parts.take({
      ...known,
      id,
      route,
      traceId: this.traceId,
      spanId: this.#spanId,
      parentId: parent?.parentId,
      startedAt: this.#startedAt,
      startedMonotonic: this.#startedMonotonic,
      endedMonotonic,
      stages: this.#stages,
      calls: this.#calls.map((call) => call.traced(endedMonotonic, known.observation.code)),
    })
  }
}

const TRACE_DIGITS = 32
const SPAN_DIGITS = 16
/** Ten tries of a pool, and some. */
const CALLS = 16

class OpenCall {
  readonly #spanId: string
  readonly #called: CalledModel
  readonly #clock: Clock
  readonly #from: number
  #end: { readonly to: number; readonly error: string } | undefined

  constructor(spanId: string, called: CalledModel, clock: Clock) {
    this.#spanId = spanId
    this.#called = called
    this.#clock = clock
    this.#from = clock.monotonic()
  }

  end(error: string): void {
    this.#end ??= { to: this.#clock.monotonic(), error }
  }

  /** A stream may still be told to its end when its outcome is recorded; then it ends with its request. */
  traced(requestEnd: number, code: string): TracedCall {
    const { to, error } = this.#end ?? { to: requestEnd, error: code === 'ok' ? '' : code }
    return { spanId: this.#spanId, called: this.#called, from: this.#from, to, error }
  }
}
