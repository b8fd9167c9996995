import type { Clock } from '#base/clock.ts'
import { asFault } from '#base/fault.ts'
import type { CalledModel, CallSpan } from '#door/route.ts'
import type { StreamSource } from './formats/stream_format.ts'
import type { CallContext, ModelSettings, ProviderParts } from './provider.ts'

/** The calls of one model over HTTP, as metrics and traces see them: times, words of the configuration, and no content. */
export class ProviderCalls {
  readonly #called: Omit<CalledModel, 'operation'>
  readonly #parts: ProviderParts

  constructor({ provider, model }: ModelSettings, origin: string, parts: ProviderParts) {
    this.#called = { provider, model, origin }
    this.#parts = parts
  }

  /** `api` is the path of the API at the provider. */
  begin(api: string, { trace }: CallContext): ProviderCall {
    const called = { ...this.#called, operation: operationOf(api) }
    return new ProviderCall(this.#parts, called, trace?.begin(called))
  }
}

/** One call. Its end is told once, whoever tells it first. */
export class ProviderCall {
  /** Names and values in turn, to be sent with the request. */
  readonly headers: readonly string[]
  readonly #calls: ProviderParts['calls']
  readonly #clock: Clock
  readonly #called: CalledModel
  readonly #span: CallSpan | undefined
  readonly #startedAt: number
  #isOver = false

  constructor({ calls, clock, redact }: ProviderParts, called: CalledModel, span: CallSpan | undefined) {
    this.#calls = calls
    this.#clock = clock
    this.#called = called
    this.#span = span
    this.#startedAt = clock.monotonic()
    this.headers = span === undefined ? NONE : traceHeaders(span, redact)
  }

  /** The answer is there. */
  answered(): void {
    this.#end('')
  }

  /** There is none; gives what was thrown. */
  failed(thrown: unknown): unknown {
    this.#end(asFault(thrown).code)
    return thrown
  }

  /** The same stream, with its end told. */
  ofStream(source: StreamSource): StreamSource {
    return {
      ...source,
      release: () => {
        this.answered()
        source.release?.()
      },
      cancel: () => {
        this.#end(CUT)
        source.cancel()
      },
    }
  }

  #end(error: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#calls?.took(this.#called, (this.#clock.monotonic() - this.#startedAt) / 1_000, error)
    this.#span?.end(error)
  }
}

const NONE: readonly string[] = Object.freeze([])
/** A stream that ended before its end, on whichever side: its outcome says why. */
const CUT = 'stream.cut'

/** What the caller says in `tracestate` is nobody's of ours: it leaves only where inspection has nothing against it. */
function traceHeaders({ traceparent, state }: CallSpan, redact: (text: string) => string): readonly string[] {
  const isClean = state !== '' && redact(state) === state
  return isClean ? ['traceparent', traceparent, 'tracestate', state] : ['traceparent', traceparent]
}

function operationOf(api: string): string {
  if (api === 'embeddings') return api
  return api.endsWith('count_tokens') ? 'count_tokens' : 'chat'
}
