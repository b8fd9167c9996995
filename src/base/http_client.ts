import { Pool, type Dispatcher } from 'undici'
import { Fault, type FaultCode } from './fault.ts'

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
}

export interface UpstreamRequest {
  readonly method: 'GET' | 'POST'
  /** Path and query, as the `URL` class prints them. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
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
   * `upstream.oversized`, `upstream.slow`, `input.aborted`. No fault holds a header, an address or a body.
   */
  send(request: UpstreamRequest): Promise<UpstreamAnswer>
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
    headersTimeout: settings.headersTimeoutMs,
    bodyTimeout: settings.bodyTimeoutMs,
  })
  return {
    send: (request) =>
      new Promise((resolve, reject) => {
        const exchange = new Exchange(settings, resolve, reject)
        request.onAbort(() => exchange.fail('input.aborted', 'caller.gone'))
        if (exchange.isOver) return
        const { method, path, body } = request
        const headers = { ...request.headers, 'accept-encoding': 'identity' }
        try {
          pool.dispatch({ method, path, headers, body: body ?? null }, exchange)
        } catch (thrown) {
          exchange.onResponseError(undefined, thrown)
        }
      }),
    close: () => pool.destroy(),
  }
}

/** What undici and its parser call their errors, as far as the code is not `upstream.failed`. */
const CODES: Readonly<Record<string, FaultCode>> = {
  UND_ERR_CONNECT_TIMEOUT: 'upstream.slow',
  UND_ERR_HEADERS_TIMEOUT: 'upstream.slow',
  UND_ERR_BODY_TIMEOUT: 'upstream.slow',
  UND_ERR_HEADERS_OVERFLOW: 'upstream.invalid',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'upstream.invalid',
}
/** Its code is not always set. */
const PARSER_ERROR = 'HTTPParserError'
const ERROR_CODE_FORM = /^[A-Z][A-Z0-9_]{0,63}$/

/** One request and its answer. Whichever end comes first counts; later ones are ignored. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #settings: UpstreamSettings
  readonly #resolve: (answer: UpstreamAnswer) => void
  readonly #reject: (fault: Fault) => void
  readonly #timer: NodeJS.Timeout
  readonly #chunks: Uint8Array[] = []
  #controller: Dispatcher.DispatchController | undefined
  #status = 0
  #headers: UpstreamAnswer['headers'] = {}
  #bytes = 0
  #isOver = false

  constructor(
    settings: UpstreamSettings,
    resolve: (answer: UpstreamAnswer) => void,
    reject: (fault: Fault) => void,
  ) {
    this.#settings = settings
    this.#resolve = resolve
    this.#reject = reject
    this.#timer = setTimeout(() => this.fail('upstream.slow', 'total_timeout'), settings.totalTimeoutMs)
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
    if (status >= 300 && status < 400) this.fail('upstream.invalid', 'redirect')
    else if (isEncoded(headers['content-encoding'])) this.fail('upstream.invalid', 'encoded_body')
    else if (Number(headers['content-length']) > this.#settings.maxAnswerBytes) this.#failOversized()
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.#isOver) return
    this.#bytes += chunk.length
    if (this.#bytes > this.#settings.maxAnswerBytes) this.#failOversized()
    else this.#chunks.push(chunk)
  }

  onResponseEnd(): void {
    if (!this.#end()) return
    const [first] = this.#chunks
    const body = this.#chunks.length === 1 && first !== undefined ? first : Buffer.concat(this.#chunks)
    this.#resolve({ status: this.#status, headers: this.#headers, body })
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: unknown): void {
    const code = codeOf(error)
    if (error instanceof Error && error.name === PARSER_ERROR) this.fail('upstream.invalid', 'not_http')
    else this.fail(CODES[code] ?? 'upstream.failed', code)
  }

  /** Ends the exchange at once, whatever the upstream does. `reason` is a word of ours or undici's, never a value. */
  fail(code: FaultCode, reason: string): void {
    if (!this.#end()) return
    this.#chunks.length = 0
    this.#reject(new Fault(code, { reason }))
    this.#hangUp()
  }

  #failOversized(): void {
    this.fail('upstream.oversized', 'answer_bytes')
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

function isEncoded(encoding: string | readonly string[] | undefined): boolean {
  return encoding !== undefined && encoding !== '' && encoding !== 'identity'
}

/** Messages may hold addresses or header values; only the code is kept. */
function codeOf(error: unknown): string {
  const hasCode = typeof error === 'object' && error !== null && 'code' in error
  const code = hasCode && typeof error.code === 'string' ? error.code : ''
  return ERROR_CODE_FORM.test(code) ? code : 'unknown'
}
