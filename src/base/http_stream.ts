import type { Dispatcher } from 'undici'
import { asFault, Fault } from './fault.ts'
import type { FaultCode } from './fault_table.ts'
import { unreadableAnswer, upstreamFault } from './upstream_fault.ts'

/** An answer whose body comes piece by piece. */
export interface UpstreamStream {
  readonly status: number
  /** By lower-case name; only for reading single ones: they are never handed on. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /**
   * To be walked once; gives all that is there in one piece. Little is read ahead of who walks; leaving the walk ends the
   * exchange. Throws the same faults as `Upstream.send`.
   */
  readonly body: AsyncIterable<Uint8Array>
  /** Ends the exchange at once; a walk under way throws `input.aborted`. */
  cancel(): void
  /** All that matters was read: the rest is read away for a moment, so that the connection can serve again. */
  release(): void
}

export interface StreamLimits {
  readonly totalTimeoutMs: number
  readonly maxAnswerBytes: number
}

interface Ends {
  readonly resolve: (answer: UpstreamStream) => void
  readonly reject: (fault: Fault) => void
}

/** Bytes that may wait for the reader before the upstream is told to stop. */
const AHEAD_BYTES = 64 * 1_024
/** The end of a body mostly stands right behind its last event. */
const RELEASE_MS = 100
const DONE = Object.freeze({ done: true, value: undefined })

/** One request and its streamed answer. Whichever end comes first counts; later ones are ignored. */
export class StreamedExchange implements Dispatcher.DispatchHandler {
  readonly #limits: StreamLimits
  readonly #ends: Ends
  readonly #timer: NodeJS.Timeout
  #waiting: Uint8Array[] = []
  #waitingBytes = 0
  #bytes = 0
  #controller: Dispatcher.DispatchController | undefined
  #hasAnswer = false
  #isPaused = false
  #isWhole = false
  #isReleased = false
  #fault: Fault | undefined
  #wake: (() => void) | undefined

  constructor(limits: StreamLimits, ends: Ends) {
    this.#limits = limits
    this.#ends = ends
    this.#timer = setTimeout(() => this.#runOut(), limits.totalTimeoutMs)
  }

  get isOver(): boolean {
    return this.#isWhole || this.#fault !== undefined
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.isOver) this.#hangUp()
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: UpstreamStream['headers'],
  ): void {
    // 1xx answers stand before the real one (RFC 9110 section 15.2).
    if (status < 200 || this.isOver) return
    const unreadable = unreadableAnswer(status, headers['content-encoding'])
    if (unreadable !== undefined) return this.#failWith(unreadable)
    this.#hasAnswer = true
    this.#ends.resolve({
      status,
      headers,
      body: { [Symbol.asyncIterator]: () => this.#walk() },
      cancel: () => this.#leave('cancelled'),
      release: () => this.#release(),
    })
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Uint8Array): void {
    if (this.isOver || this.#isReleased) return
    this.#bytes += chunk.length
    if (this.#bytes > this.#limits.maxAnswerBytes) return this.fail('upstream.oversized', 'answer_bytes')
    this.#waiting.push(chunk)
    this.#waitingBytes += chunk.length
    if (this.#waitingBytes > AHEAD_BYTES && !this.#isPaused) {
      this.#isPaused = true
      this.#controller?.pause()
    }
    this.#wake?.()
  }

  onResponseEnd(): void {
    if (this.isOver) return
    this.#isWhole = true
    this.#end()
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, error: unknown): void {
    this.#failWith(upstreamFault(error))
  }

  /** Ends the exchange at once, whatever the upstream does. `reason` is a word of ours or undici's, never a value. */
  fail(code: FaultCode, reason: string): void {
    this.#failWith(new Fault(code, { reason }))
  }

  #runOut(): void {
    this.fail('upstream.slow', this.#hasAnswer ? 'total_timeout_in_body' : 'total_timeout')
  }

  #failWith(fault: Fault): void {
    if (this.isOver) return
    this.#fault = fault
    // What nobody has read yet is not worth waiting for: the stream is cut.
    this.#waiting = []
    this.#end()
    if (!this.#hasAnswer) this.#ends.reject(fault)
    this.#hangUp()
  }

  #end(): void {
    clearTimeout(this.#timer)
    this.#wake?.()
  }

  /** Written out: a generator costs each piece several promises more. */
  #walk(): AsyncIterator<Uint8Array, undefined> {
    return {
      next: () => this.#next(),
      return: () => {
        this.#leave('left')
        return Promise.resolve(DONE)
      },
    }
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    while (this.#waiting.length === 0) {
      if (this.#fault !== undefined) throw asFault(this.#fault)
      if (this.#isWhole) return DONE
      await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    return { done: false, value: this.#takeAll() }
  }

  /** All that is there: who is behind catches up in one step. */
  #takeAll(): Uint8Array {
    const waiting = this.#waiting
    this.#waiting = []
    this.#waitingBytes = 0
    if (this.#isPaused) {
      this.#isPaused = false
      this.#controller?.resume()
    }
    const [first] = waiting
    return first !== undefined && waiting.length === 1 ? first : Buffer.concat(waiting)
  }

  #leave(reason: string): void {
    if (!this.#isReleased) this.fail('input.aborted', reason)
  }

  #release(): void {
    if (this.isOver || this.#isReleased) return
    this.#isReleased = true
    this.#waiting = []
    setTimeout(() => this.fail('input.aborted', 'left'), RELEASE_MS)
    if (this.#isPaused) this.#controller?.resume()
  }

  /** On HTTP/1.1 an abort destroys the connection, so that no rest of this answer can reach another request. */
  #hangUp(): void {
    this.#controller?.abort(new Error('the exchange is over'))
  }
}
