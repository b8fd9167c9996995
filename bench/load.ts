import net from 'node:net'
import { quantile } from './statistics.ts'

/** One burst of load on one port: `concurrency` connections, each sending its next request when it has its answer. */
export interface LoadOrder {
  readonly port: number
  readonly head: string
  readonly body: string
  readonly concurrency: number
  /** Not counted; connections open and caches warm in it. */
  readonly warmMs: number
  readonly measureMs: number
}

export interface LoadResult {
  readonly requests: number
  readonly perSecond: number
  readonly errors: number
  readonly firstError?: string
  readonly p50Us: number
  readonly p90Us: number
  readonly p99Us: number
}

/** A target that fails at once would otherwise be called in a tight circle. */
const ERRORS_MAX = 1_000
const DRAIN_MS = 5_000

/** Runs one order. Answers must have status 200 and hold `"choices"`; any other is an error and is not counted. */
export function runLoad(order: LoadOrder): Promise<LoadResult> {
  return new Burst(order).run()
}

class Burst {
  readonly #order: LoadOrder
  readonly #request: Buffer
  readonly #sockets = new Set<net.Socket>()
  #latencies = new Float64Array(1 << 16)
  #count = 0
  #errors = 0
  #firstError: string | undefined
  #from = 0
  #until = 0
  #finish: () => void = () => undefined

  constructor(order: LoadOrder) {
    this.#order = order
    const length = Buffer.byteLength(order.body)
    this.#request = Buffer.from(`${order.head}content-length: ${length}\r\n\r\n${order.body}`)
  }

  async run(): Promise<LoadResult> {
    this.#from = performance.now() + this.#order.warmMs
    this.#until = this.#from + this.#order.measureMs
    const ended = new Promise<void>((resolve) => (this.#finish = resolve))
    const timer = setTimeout(this.#finish, this.#order.warmMs + this.#order.measureMs + DRAIN_MS)
    for (let index = 0; index < this.#order.concurrency; index += 1) this.#open()
    await ended
    clearTimeout(timer)
    for (const socket of this.#sockets) socket.destroy()
    const sorted = this.#latencies.subarray(0, this.#count).sort()
    const us = (share: number): number => Math.round(quantile(sorted, share) * 1_000)
    return {
      requests: this.#count,
      perSecond: Math.round((this.#count * 1_000) / this.#order.measureMs),
      errors: this.#errors,
      ...(this.#firstError === undefined ? {} : { firstError: this.#firstError }),
      p50Us: us(0.5),
      p90Us: us(0.9),
      p99Us: us(0.99),
    }
  }

  #open(): void {
    const socket = net.connect({ port: this.#order.port, host: '127.0.0.1', noDelay: true })
    this.#sockets.add(socket)
    let [sentAt, kept] = [0, undefined as Buffer | undefined]
    const send = (): void => {
      sentAt = performance.now()
      if (sentAt >= this.#until) return this.#close(socket)
      socket.write(this.#request)
    }
    socket.on('connect', send)
    socket.on('data', (chunk: Buffer) => {
      const bytes = kept === undefined ? chunk : Buffer.concat([kept, chunk])
      const answer = readAnswer(bytes)
      kept = answer === undefined ? bytes : undefined
      if (answer === undefined) return
      this.#take(answer, sentAt)
      send()
    })
    socket.on('error', (error) => this.#fail(error.message))
    socket.on('close', () => this.#reopen(socket))
  }

  #take(answer: Answer, sentAt: number): void {
    if (!answer.isGood) return this.#fail(answer.say)
    const now = performance.now()
    if (sentAt < this.#from || now > this.#until) return
    if (this.#count === this.#latencies.length) {
      const larger = new Float64Array(this.#latencies.length * 2)
      larger.set(this.#latencies)
      this.#latencies = larger
    }
    this.#latencies[this.#count] = now - sentAt
    this.#count += 1
  }

  #fail(say: string): void {
    this.#errors += 1
    this.#firstError ??= say
  }

  /** The server closed: an error if it was not asked to, and a new connection takes the place. */
  #reopen(socket: net.Socket): void {
    if (!this.#sockets.delete(socket)) return
    this.#fail('the connection was closed')
    if (performance.now() < this.#until && this.#errors < ERRORS_MAX) this.#open()
    else if (this.#sockets.size === 0) this.#finish()
  }

  #close(socket: net.Socket): void {
    this.#sockets.delete(socket)
    socket.destroy()
    if (this.#sockets.size === 0) this.#finish()
  }
}

interface Answer {
  readonly isGood: boolean
  readonly say: string
}

/** Undefined while the answer is not complete. */
function readAnswer(bytes: Buffer): Answer | undefined {
  const end = bytes.indexOf('\r\n\r\n')
  if (end === -1) return undefined
  const head = bytes.toString('latin1', 0, end)
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1]
  if (length === undefined) {
    if (!bytes.subarray(-5).equals(LAST_CHUNK)) return undefined
  } else if (bytes.length < end + 4 + Number(length)) return undefined
  const isGood = head.startsWith('HTTP/1.1 200') && bytes.indexOf('"choices"', end) !== -1
  return {
    isGood,
    say: isGood ? '' : `${head.split('\r\n', 1)[0]}: ${bytes.toString('utf8', end + 4, end + 300)}`,
  }
}

const LAST_CHUNK = Buffer.from('0\r\n\r\n')

if (import.meta.main) {
  process.on('message', (order: LoadOrder) => {
    void runLoad(order).then((result) => process.send?.(result))
  })
}
