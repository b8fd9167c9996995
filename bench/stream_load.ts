import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { cpuSeconds } from './processes.ts'
import { quantile, round } from './statistics.ts'
import { frameText, wordsOf, type StreamMock, type Wish } from './stream_mock.ts'
import { StreamReader, type StreamPiece } from './stream_reader.ts'

export interface Target {
  readonly port: number
  readonly headers: Readonly<Record<string, string>>
  /** Asked for in turn, one for each connection. */
  readonly models: readonly string[]
  /** Whose processor time is taken; none for the provider itself. */
  readonly pid: number | undefined
}

/** One burst: `streams` at any time, each of `frames` frames, a new one where one has ended. */
export interface StreamOrder extends Target {
  readonly streams: number
  readonly frames: number
  readonly warmMs: number
  readonly measureMs: number
}

export interface StreamResult {
  readonly streams: number
  readonly sent: number
  readonly received: number
  readonly lost: number
  readonly reordered: number
  readonly repeated: number
  /** Streams whose whole text is not, character by character, what was sent. */
  readonly altered: number
  readonly failed: number
  readonly firstFailure?: string
  readonly firstTokenUs: Spread
  /** From the moment in which a frame was written to that in which its number was read. */
  readonly frameUs: Spread
  /** The same to the moment in which the last character of the frame was read. */
  readonly wholeFrameUs: Spread
  readonly perSecond: number
  /** Processor time of the target and of this process, in percent of one core. */
  readonly targetBusyPercent: number | null
  readonly loadBusyPercent: number
}

export interface Spread {
  readonly p50: number
  readonly p99: number
}

const DRAIN_MS = 10_000
const NUMBERS = /s(\d+)n(\d+) /g
/** No number is cut off by looking this far back. */
const NUMBER_LENGTH = 32

let lastStream = 0

/** Runs paced streams and compares what was sent with what came. The provider is in this process, for its clock. */
export class PacedLoad {
  readonly #order: StreamOrder
  readonly #mock: StreamMock
  readonly #times = { firstToken: [] as number[], frame: [] as number[], whole: [] as number[] }
  readonly #counts = {
    streams: 0,
    sent: 0,
    received: 0,
    lost: 0,
    reordered: 0,
    repeated: 0,
    altered: 0,
    failed: 0,
  }
  #firstFailure: string | undefined
  #from = 0
  #until = 0

  constructor(order: StreamOrder, mock: StreamMock) {
    this.#order = order
    this.#mock = mock
  }

  async run(): Promise<StreamResult> {
    const { streams, warmMs, measureMs, pid } = this.#order
    this.#from = performance.now() + warmMs
    this.#until = this.#from + measureMs
    const all = Promise.all(Array.from({ length: streams }, (_, at) => this.#connection(at)))
    await delay(warmMs)
    const [busy, own] = [pid === undefined ? undefined : cpuSeconds(pid), process.cpuUsage()]
    const began = performance.now()
    await delay(Math.max(0, this.#until - began))
    const seconds = (performance.now() - began) / 1_000
    const after = pid === undefined ? undefined : cpuSeconds(pid)
    const { user, system } = process.cpuUsage(own)
    if (!(await isOverWithin(all, DRAIN_MS))) this.#fail('streams did not end in time')
    return {
      ...this.#counts,
      ...(this.#firstFailure === undefined ? {} : { firstFailure: this.#firstFailure }),
      firstTokenUs: spread(this.#times.firstToken),
      frameUs: spread(this.#times.frame),
      wholeFrameUs: spread(this.#times.whole),
      perSecond: Math.round(this.#times.frame.length / (measureMs / 1_000)),
      targetBusyPercent:
        after === undefined || busy === undefined ? null : round(((after - busy) / seconds) * 100, 1),
      loadBusyPercent: round((user + system) / 10_000 / seconds, 1),
    }
  }

  /** One stream after the other on one connection. Those of all begin spread over the length of a stream. */
  async #connection(at: number): Promise<void> {
    const { streams, frames, warmMs } = this.#order
    await delay((Math.min(warmMs, frames * 20) * at) / streams)
    let connection: StreamConnection | undefined
    while (performance.now() < this.#until) {
      connection ??= new StreamConnection(this.#order, at)
      const stream = (lastStream += 1)
      const isDone = await this.#stream(connection, stream)
      if (!isDone) {
        connection.destroy()
        connection = undefined
        await delay(100)
      }
    }
    connection?.destroy()
  }

  async #stream(connection: StreamConnection, stream: number): Promise<boolean> {
    const { frames } = this.#order
    const track = new StreamTrack(stream, frames, (frame) => this.#mock.sentAt(stream, frame))
    const began = performance.now()
    const isCounted = began >= this.#from
    let isFirst = true
    const failure = await connection.ask({ way: 'paced', stream, frames }, ({ text }) => {
      if (text === '') return
      const now = performance.now()
      const isInside = now >= this.#from && now <= this.#until
      const { numbers, wholes } = track.take(text, now)
      if (isFirst && isCounted) this.#times.firstToken.push(now - began)
      isFirst = false
      if (isInside) this.#times.frame.push(...numbers)
      if (isInside) this.#times.whole.push(...wholes)
    })
    this.#count(track, this.#mock.takeSent(stream))
    if (failure !== undefined) this.#fail(failure)
    return failure === undefined
  }

  #count(track: StreamTrack, sent: number): void {
    const counts = this.#counts
    counts.streams += 1
    counts.sent += sent
    counts.received += track.received
    counts.lost += sent - track.received
    counts.reordered += track.reordered
    counts.repeated += track.repeated
    if (!track.isWhole(sent)) counts.altered += 1
  }

  #fail(why: string): void {
    this.#counts.failed += 1
    this.#firstFailure ??= why
  }
}

async function isOverWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const stop = new AbortController()
  const late = delay(ms, false, { signal: stop.signal }).catch(() => false)
  const isOver = await Promise.race([work.then(() => true), late])
  stop.abort()
  return isOver
}

/** Follows the text of one stream as it comes, and knows which frame each part belongs to. */
export class StreamTrack {
  readonly #stream: number
  readonly #sentAt: (frame: number) => number | undefined
  readonly #seen: Uint8Array
  #text = ''
  #looked = 0
  #last = -1
  #whole = 0
  #wholeLength: number
  received = 0
  reordered = 0
  repeated = 0

  constructor(stream: number, frames: number, sentAt: (frame: number) => number | undefined) {
    this.#stream = stream
    this.#sentAt = sentAt
    this.#seen = new Uint8Array(frames)
    this.#wholeLength = frameText(stream, 0).length
  }

  /** Milliseconds that the frames took whose numbers, or last characters, came with this text. */
  take(
    text: string,
    now: number,
  ): { readonly numbers: readonly number[]; readonly wholes: readonly number[] } {
    this.#text += text
    const [numbers, wholes]: [number[], number[]] = [[], []]
    NUMBERS.lastIndex = this.#looked
    for (let found = NUMBERS.exec(this.#text); found !== null; found = NUMBERS.exec(this.#text)) {
      this.#looked = NUMBERS.lastIndex
      if (Number(found[1]) === this.#stream) this.#see(Number(found[2]), now, numbers)
    }
    this.#looked = Math.max(this.#looked, this.#text.length - NUMBER_LENGTH)
    while (this.#text.length >= this.#wholeLength && this.#whole < this.#seen.length) {
      const sentAt = this.#sentAt(this.#whole)
      if (sentAt !== undefined) wholes.push(now - sentAt)
      this.#whole += 1
      this.#wholeLength += frameText(this.#stream, this.#whole).length
    }
    return { numbers, wholes }
  }

  isWhole(sent: number): boolean {
    return this.#text === Array.from({ length: sent }, (_, frame) => frameText(this.#stream, frame)).join('')
  }

  #see(frame: number, now: number, numbers: number[]): void {
    if (frame < this.#last) this.reordered += 1
    this.#last = frame
    if (this.#seen[frame] !== 0) {
      this.repeated += 1
      return
    }
    this.#seen[frame] = 1
    this.received += 1
    const sentAt = this.#sentAt(frame)
    if (sentAt !== undefined) numbers.push(now - sentAt)
  }
}

/** One connection to a target, on which one stream may follow the other. */
export class StreamConnection {
  readonly socket: net.Socket
  readonly #target: Target
  readonly #model: string
  readonly #reader = new StreamReader()
  #take: (piece: StreamPiece) => void = () => undefined
  #end: (failure: string | undefined) => void = () => undefined

  constructor(target: Target, at: number) {
    this.#target = target
    this.#model = target.models[at % target.models.length] ?? ''
    this.socket = net.connect({ port: target.port, host: '127.0.0.1', noDelay: true })
    this.socket.on('data', (bytes: Buffer) => this.#read(bytes))
    this.socket.on('error', (error) => this.#end(error.message))
    this.socket.on('close', () => this.#end('the connection was closed'))
  }

  /** Asks for a stream and resolves when it has ended; with a text when it did not end well. */
  ask(wish: Wish, take: (piece: StreamPiece) => void): Promise<string | undefined> {
    this.socket.write(requestOf(this.#target, this.#model, wish))
    return new Promise((resolve) => {
      let refusal: string | undefined
      this.#take = (piece) => {
        refusal ??= piece.refusal
        take(piece)
        if (piece.isEnd) resolve(refusal ?? (this.#reader.status === 200 ? undefined : 'no 200'))
      }
      this.#end = resolve
      if (this.socket.destroyed) resolve('the connection was closed')
    })
  }

  destroy(): void {
    this.socket.destroy()
  }

  #read(bytes: Buffer): void {
    try {
      this.#take(this.#reader.push(bytes.toString('latin1')))
    } catch (thrown) {
      this.#end(thrown instanceof Error ? thrown.message : String(thrown))
    }
  }
}

/** A request for a stream; without a wish, for an answer that is none. */
export function requestOf({ port, headers }: Target, model: string, wish?: Wish): string {
  const messages = [{ role: 'user', content: wish === undefined ? 'good morning' : wordsOf(wish) }]
  const body = JSON.stringify({ model, messages, ...(wish === undefined ? {} : { stream: true }) })
  const lines = Object.entries({
    host: `127.0.0.1:${port}`,
    'content-type': 'application/json',
    'content-length': String(body.length),
    ...headers,
  })
  const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `POST /v1/chat/completions HTTP/1.1\r\n${head}\r\n${body}`
}

function spread(times: readonly number[]): Spread {
  const sorted = Float64Array.from(times).sort()
  const us = (share: number): number => Math.round(quantile(sorted, share) * 1_000)
  return { p50: us(0.5), p99: us(0.99) }
}
