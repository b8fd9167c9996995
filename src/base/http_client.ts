import { Pool, type Dispatcher } from 'undici'
import { ByteCollector } from './byte_collector.ts'
import { asFault, Fault } from './fault.ts'
import type { FaultCode } from './fault_table.ts'
import { StreamedExchange, type UpstreamStream } from './http_stream.ts'
import type { Memory } from './memory.ts'
import { checkedLookup, type Resolve, type UpstreamNetwork } from './upstream_address.ts'
import { unreadableAnswer, upstreamFault } from './upstream_fault.ts'

export interface UpstreamSettings {
  /** Scheme, host and port. Every request goes there and nowhere else; no redirect is followed. */
  readonly origin: string
  /** Connections at most; further requests wait, inside their own time limit. */
  readonly connections: number
  /** Milliseconds for a connection, TLS included. */
  readonly connectTimeoutMs: number
  /** Milliseconds from the sent request to the end of the answer's headers. */
  readonly headersTimeoutMs: number
  /** Milliseconds between two pieces of the answer's body. */
  readonly bodyTimeoutMs: number
  /** Milliseconds for the whole exchange, waiting for a connection included. */
  readonly totalTimeoutMs: number
  readonly maxAnswerBytes: number
  /** Where a host name may lead; without it only to public addresses. */
  readonly network?: UpstreamNetwork | undefined
  /** What names are looked up with; the system's resolver without it. */
  readonly resolve?: Resolve | undefined
  /** Certificates in PEM that stand in place of the roots that Node trusts. */
  readonly roots?: string | undefined
}

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Path and query, as the `URL` class prints them. */
  readonly path: string
  /** Names and values in turn. */
  readonly headers: readonly string[]
  readonly body: string | undefined
  /** Where the bytes of the answer are claimed before they are kept. */
  readonly memory: Memory
  /** Registers what to do when our own caller goes away. */
  readonly onAbort: (listener: () => void) => void
}

export interface UpstreamAnswer {
  readonly status: number
  /** By lower-case name; only for reading single ones: they are never handed on. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Uint8Array
}

/** One origin that we call, with its pool of connections. */
export interface Upstream {
  /**
   * Sends once, never again, and resolves with the whole answer of any status but 3xx.
   *
   * Throws `upstream.failed` (refused, reset, closed early), `upstream.invalid` (not HTTP, redirect, encoded body),
   * `upstream.oversized`, `upstream.slow`, `load.exceeded`, `input.aborted`. No fault holds a header, an address or a body.
   */
  send(request: UpstreamRequest): Promise<UpstreamAnswer>
  /** As `send`, but resolves once the headers of the answer are there; the body follows as it is read. */
  open(request: Omit<UpstreamRequest, 'memory'>): Promise<UpstreamStream>
  /** Destroys all connections; exchanges under way fail. */
  close(): Promise<void>
}

export function openUpstream(settings: UpstreamSettings): Upstream {
  const pool = new Pool(settings.origin, {
    connections: settings.connections,
    pipelining: 1,
    // One answer per connection at a time: a broken one takes nobody else with it.
    allowH2: false,
    connectTimeout: settings.connectTimeoutMs,
    connect: {
      lookup: checkedLookup(settings.network, settings.resolve),
      ...(settings.roots === undefined ? {} : { ca: settings.roots }),
    },
    headersTimeout: within(settings.headersTimeoutMs, settings),
    bodyTimeout: within(settings.bodyTimeoutMs, settings),
  })
  const dispatch = (
    request: Omit<UpstreamRequest, 'memory'>,
    exchange: Exchange | StreamedExchange,
  ): void => {
    request.onAbort(() => exchange.fail('input.aborted', 'caller.gone'))
    if (exchange.isOver) return
    const { method, path, body } = request
    const headers = [...request.headers, 'accept-encoding', 'identity']
    try {
      pool.dispatch({ method, path, headers, body: body ?? null }, exchange)
    } catch (thrown) {
      exchange.onResponseError(undefined, thrown)
    }
  }
  return {
    send: (request) =>
      new Promise((resolve, reject) =>
        dispatch(request, new Exchange(settings, request.memory, { resolve, reject })),
      ),
    open: (request) =>
      new Promise((resolve, reject) =>
        dispatch(request, new StreamedExchange(settings, { resolve, reject })),
      ),
    close: () => pool.destroy(),
  }
}

/** The limit of a part as undici wants it: none where the whole has ended before, since each costs a timer of its own. */
function within(partMs: number, { totalTimeoutMs }: UpstreamSettings): number {
  return partMs < totalTimeoutMs ? partMs : 0
}

const NOTHING = new Uint8Array(0)

interface Ends {
  readonly resolve: (answer: UpstreamAnswer) => void
  readonly reject: (fault: Fault) => void
}

/** One request and its answer. Whichever end comes first counts; later ones are ignored. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #settings: UpstreamSettings
  readonly #memory: Memory
  readonly #ends: Ends
  readonly #timer: NodeJS.Timeout
  #body: ByteCollector | undefined
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #headers: UpstreamAnswer['headers'] = {}
  #isOver = false

  constructor(settings: UpstreamSettings, memory: Memory, ends: Ends) {
    this.#settings = settings
    this.#memory = memory
    this.#ends = ends
    this.#timer = setTimeout(() => this.#runOut(), settings.totalTimeoutMs)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#isOver) this.#hangUp()
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: UpstreamAnswer['headers'],
  ): void {
    // 1xx answers stand before the real one (RFC 9110 section 15.2).
    if (status < 200) return
    this.#status = status
    this.#headers = headers
    const unreadable = unreadableAnswer(status, headers['content-encoding'])
    if (unreadable === undefined) this.#expect(headers['content-length'])
    else this.#failWith(unreadable)
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#isOver || this.#body === undefined) return
    const body = this.#body
    if (body.size + chunk.length > this.#settings.maxAnswerBytes)
      this.fail('upstream.oversized', 'answer_bytes')
    else this.#keep(() => body.add(chunk))
  }

  onResponseEnd(): void {
    if (!this.#end()) return
    const body = this.#body?.take() ?? NOTHING
    this.#ends.resolve({ status: this.#status, headers: this.#headers, body })
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: unknown): void {
    this.#failWith(upstreamFault(error))
  }

  /** Ends the exchange at once, whatever the upstream does. `reason` is a word of ours or undici's, never a value. */
  fail(code: FaultCode, reason: string): void {
    this.#failWith(new Fault(code, { reason }))
  }

  #runOut(): void {
    this.fail('upstream.slow', this.#status === 0 ? 'total_timeout' : 'total_timeout_in_body')
  }

  #failWith(fault: Fault): void {
    if (!this.#end()) return
    this.#body = undefined
    this.#ends.reject(fault)
    this.#hangUp()
  }

  /** The announced length is claimed at once: an answer that there is no room for is not read at all. */
  #expect(length: string | readonly string[] | undefined): void {
    const { maxAnswerBytes: most } = this.#settings
    const announced = Number(length)
    const bytes = Number.isSafeInteger(announced) ? announced : undefined
    if (bytes !== undefined && bytes > most) this.fail('upstream.oversized', 'answer_bytes')
    else this.#keep(() => (this.#body = new ByteCollector(this.#memory, bytes, most)))
  }

  #keep(bytes: () => void): void {
    try {
      bytes()
    } catch (thrown) {
      this.#failWith(asFault(thrown))
    }
  }

  #end(): boolean {
    if (this.#isOver) return false
    this.#isOver = true
    clearTimeout(this.#timer)
    return true
  }

  /** On HTTP/1.1 an abort destroys the connection, so that no rest of this answer can reach another request. */
  #hangUp(): void {
    this.#controller?.abort(new Error('the exchange is over'))
  }
}
