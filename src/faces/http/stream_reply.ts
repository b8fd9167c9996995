import type { ServerResponse } from 'node:http'
import { BYTES, LIMITS } from '#base/limits.ts'
import type { OutgoingStream } from '#door/outcome.ts'
import { limitStall } from './stalled_reply.ts'

/** After a cut the last words of a stream wait so long for a slow caller. */
const CUT_GRACE_MS = 1_000
/** A slow caller is seen to take something when a slice has left. */
const SLICE_BYTES = 64 * BYTES.kib

/**
 * Sends a streamed answer, each chunk once the one before it was taken: a slow caller slows the upstream and fills no
 * memory. A caller that takes nothing for `stalledMs` loses its connection; one that leaves ends the stream. Never rejects.
 */
export async function sendStream(
  response: ServerResponse,
  headers: readonly string[],
  stream: OutgoingStream,
  stalledMs: number,
): Promise<void> {
  const patience = new Patience(response, stalledMs)
  stream.onCut(() => patience.shorten(CUT_GRACE_MS))
  const leave = (): void => stream.abort()
  if (response.destroyed) leave()
  else response.once('close', leave)
  response.writeHead(200, [...headers])
  // The first text is there already, mostly, and then head and text leave in one write.
  const head = setImmediate(() => response.flushHeaders())
  // A stream may be silent for as long as its model thinks; only a caller that takes nothing is timed.
  untimed(response)
  for await (const chunk of stream.chunks()) {
    if (chunk !== '') clearImmediate(head)
    const taken = write(response, chunk, patience)
    if (taken !== undefined) await taken
    if (response.destroyed) break
  }
  clearImmediate(head)
  response.off('close', leave)
  if (response.destroyed) return
  response.end()
  response.socket?.setTimeout(LIMITS.stillConnectionMs)
  limitStall(response, patience.ms)
}

function untimed(response: ServerResponse): void {
  const { socket } = response
  if (socket === null) response.once('socket', (its) => its.setTimeout(0))
  else socket.setTimeout(0)
}

/** A promise only where the caller does not take the chunk at once. */
function write(response: ServerResponse, chunk: string, patience: Patience): Promise<void> | undefined {
  if (chunk.length > SLICE_BYTES) return writeInSlices(response, Buffer.from(chunk), patience)
  // A connection that is gone takes nothing more, and never says so again.
  if (chunk === '' || response.destroyed || response.write(chunk)) return undefined
  return patience.untilTaken()
}

async function writeInSlices(response: ServerResponse, bytes: Uint8Array, patience: Patience): Promise<void> {
  for (let at = 0; at < bytes.length && !response.destroyed; at += SLICE_BYTES)
    if (!response.write(bytes.subarray(at, at + SLICE_BYTES))) await patience.untilTaken()
}

/** How long a caller may take nothing. Behind another reply on its connection it can take nothing yet, and is not timed. */
class Patience {
  readonly #response: ServerResponse
  #ms: number
  #timer: NodeJS.Timeout | undefined
  #isWaiting = false

  constructor(response: ServerResponse, ms: number) {
    this.#response = response
    this.#ms = ms
  }

  get ms(): number {
    return this.#ms
  }

  shorten(ms: number): void {
    this.#ms = Math.min(ms, this.#ms)
    if (this.#isWaiting) this.#start()
  }

  /** Resolves when what was written has left, or the connection is gone; sees to it that one of them happens. */
  async untilTaken(): Promise<void> {
    const response = this.#response
    const { promise, resolve } = Promise.withResolvers<void>()
    const start = (): void => this.#start()
    this.#isWaiting = true
    response.once('drain', resolve).once('close', resolve)
    if (response.socket === null) response.once('socket', start)
    else start()
    await promise
    this.#isWaiting = false
    clearTimeout(this.#timer)
    response.off('drain', resolve).off('close', resolve).off('socket', start)
  }

  #start(): void {
    clearTimeout(this.#timer)
    const { socket } = this.#response
    if (socket !== null) this.#timer = setTimeout(() => void this.#response.destroy(), this.#ms)
  }
}
