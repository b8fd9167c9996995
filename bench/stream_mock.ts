import { once } from 'node:events'
import net from 'node:net'
import { COMPLETION, requestLength } from './mock.ts'

/** Between two frames of a stream. */
export const PACE_MS = 20
/** The frames that a stream may have: sequence numbers are kept for each. */
const FRAMES_MAX = 10_000

/** What a request asks the provider to do, in the words of its last message. */
export type Wish =
  | { readonly way: 'paced'; readonly stream: number; readonly frames: number }
  /** One frame, and then nothing. */
  | { readonly way: 'silent' }
  /** As many frames as are taken. */
  | { readonly way: 'endless' }

/** The words of a wish, which pass inspection as they are. */
export function wordsOf(wish: Wish): string {
  return wish.way === 'paced' ? `paced ${wish.stream} of ${wish.frames}` : wish.way
}

/** The wish in a request body; undefined for one that is not streamed. */
export function wishIn(body: string): Wish | undefined {
  const [, words = '', stream, frames] =
    /"content": ?"(paced (\d+) of (\d+)|silent|endless)"/.exec(body) ?? []
  if (words === 'silent' || words === 'endless') return { way: words }
  if (words === '') return undefined
  return { way: 'paced', stream: Number(stream), frames: Math.min(Number(frames), FRAMES_MAX) }
}

const WORDS = 'the room was warm and will be changed before the plan of the house comes out again'.split(' ')

/** What a frame says: four words, one of them the numbers of the stream and the frame. */
export function frameText(stream: number, frame: number): string {
  const word = (at: number): string => WORDS[at % WORDS.length] ?? ''
  return ` ${word(frame)} s${stream}n${frame} ${word(frame + 1)} ${word(frame + 2)}`
}

interface Paced {
  readonly socket: net.Socket
  readonly stream: number
  readonly frames: number
  readonly sentAt: Float64Array
  next: number
}

/**
 * A model provider that streams: each stream has a frame every 20 ms, and those of many streams are spread over that time.
 * Raw sockets, and one timer for all. It remembers when each frame was written, for a client in the same process.
 */
export class StreamMock {
  readonly #server = net.createServer((socket) => this.#serve(socket))
  readonly #slots: Set<Paced>[] = Array.from({ length: PACE_MS }, () => new Set())
  readonly #paced = new Map<number, Paced>()
  readonly #sockets = new Set<net.Socket>()
  readonly #open = { silent: 0, endless: 0 }
  #slot = 0
  #framesSent = 0
  #timer: NodeJS.Timeout | undefined

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1', 4_096)
    await once(this.#server, 'listening')
    this.#slot = Math.floor(performance.now())
    this.#timer = setInterval(() => this.#tick(), 1)
    return (this.#server.address() as net.AddressInfo).port
  }

  close(): void {
    clearInterval(this.#timer)
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Frames of paced streams that were written. */
  get framesSent(): number {
    return this.#framesSent
  }

  /** Streams of the other two ways that are open. */
  get open(): { readonly silent: number; readonly endless: number } {
    return { ...this.#open }
  }

  /** When a frame was written, as `performance.now` tells; undefined for one that never was. */
  sentAt(stream: number, frame: number): number | undefined {
    const paced = this.#paced.get(stream)
    return paced === undefined || frame >= paced.next ? undefined : paced.sentAt[frame]
  }

  /** How many frames of a stream were written; it is forgotten after this. */
  takeSent(stream: number): number {
    const sent = this.#paced.get(stream)?.next ?? 0
    this.#paced.delete(stream)
    return sent
  }

  #serve(socket: net.Socket): void {
    socket.setNoDelay(true)
    this.#sockets.add(socket)
    let kept = ''
    socket.on('error', () => socket.destroy())
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('data', (chunk: Buffer) => {
      kept += chunk.toString('latin1')
      const length = requestLength(Buffer.from(kept, 'latin1'))
      if (length === 0 || length > kept.length) return
      const body = kept.slice(0, length)
      kept = kept.slice(length)
      this.#answer(socket, body)
    })
  }

  #answer(socket: net.Socket, request: string): void {
    const wish = wishIn(request)
    if (wish === undefined)
      socket.write(
        `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(COMPLETION)}\r\n\r\n${COMPLETION}`,
      )
    else if (wish.way === 'paced') this.#pace(socket, wish)
    else this.#hold(socket, wish.way)
  }

  #pace(socket: net.Socket, { stream, frames }: Wish & { way: 'paced' }): void {
    const paced = { socket, stream, frames, sentAt: new Float64Array(frames), next: 0 }
    this.#paced.set(stream, paced)
    socket.write(HEAD + chunk(ROLE))
    this.#writeFrame(paced)
    this.#slots[this.#slot % PACE_MS]?.add(paced)
  }

  #tick(): void {
    const now = Math.floor(performance.now())
    // After a pause everything that is due is written at once; it was this process that was late.
    while (this.#slot < now) {
      this.#slot += 1
      const due = this.#slots[this.#slot % PACE_MS] ?? new Set()
      for (const paced of due) if (!this.#writeFrame(paced)) due.delete(paced)
    }
  }

  /** False when the stream is over. */
  #writeFrame(paced: Paced): boolean {
    const { socket, stream, frames, sentAt, next } = paced
    if (socket.destroyed) return false
    if (next === frames) {
      socket.write(END)
      return false
    }
    sentAt[next] = performance.now()
    paced.next += 1
    this.#framesSent += 1
    socket.write(chunk(event({ content: frameText(stream, next) })))
    return true
  }

  #hold(socket: net.Socket, way: 'silent' | 'endless'): void {
    this.#open[way] += 1
    socket.on('close', () => (this.#open[way] -= 1))
    socket.write(HEAD + chunk(ROLE) + chunk(event({ content: 'This is the beginning. ' })))
    if (way === 'silent') return
    const more = (): void => {
      while (!socket.destroyed && socket.write(PAGE));
    }
    socket.on('drain', more)
    more()
  }
}

const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'

function event(delta: object, end: string | null = null): string {
  const head = { id: 'chatcmpl-7Qb2mYp0sXk4', object: 'chat.completion.chunk', created: 1_790_000_000 }
  const choices = [{ index: 0, delta, logprobs: null, finish_reason: end }]
  return `data: ${JSON.stringify({ ...head, model: 'mock', system_fingerprint: 'fp_0a1b2c', choices })}\n\n`
}

/** Only for ASCII. */
function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`
}

const ROLE = event({ role: 'assistant', content: '' })
const END = `${chunk(event({}, 'stop') + 'data: [DONE]\n\n')}0\r\n\r\n`
const PAGE = chunk(event({ content: `${WORDS.join(' ')}. `.repeat(50) }))
