import assert from 'node:assert/strict'
import { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { test, type TestContext } from 'node:test'
import type { OutgoingStream } from '#door/outcome.ts'
import { codeOf, HEAD, rig, route, SHOW, type Rig } from '../../../test/support/http_rig.ts'
import type { RawConnection } from '../../../test/support/raw_http.ts'
import type { HttpLimits } from './http_server.ts'
import { sendStream } from './stream_reply.ts'

/** Without the limit a test would wait for minutes. */
const SOON = { timeout: 30_000 }
const ASK = `GET /v1/stream HTTP/1.1\r\n${HEAD}\r\n`
const NEXT = `GET /v1/show/x HTTP/1.1\r\n${HEAD}\r\n`
/** More than the buffers of two sockets take. */
const LARGE = 12_000_000
const CHUNK = 'x'.repeat(100_000)

/** A stream that says what a test tells it to, and notes what becomes of it. */
class Told implements OutgoingStream {
  /** Chunks that were asked for. */
  asked = 0
  aborts = 0
  /** When it was aborted or its walk has ended. */
  readonly over = Promise.withResolvers<void>()
  readonly #next: () => Promise<string | undefined>
  #listener: (() => void) | undefined
  readonly #aborted = Promise.withResolvers<undefined>()

  constructor(next: () => Promise<string | undefined>) {
    this.#next = next
  }

  onCut(listener: () => void): void {
    this.#listener = listener
  }

  cut(): void {
    this.#listener?.()
  }

  abort(): void {
    this.aborts += 1
    this.#aborted.resolve(undefined)
    this.over.resolve()
  }

  async *chunks(): AsyncGenerator<string, void, undefined> {
    try {
      for (;;) {
        this.asked += 1
        const chunk = await Promise.race([this.#next(), this.#aborted.promise])
        if (chunk === undefined) return
        yield chunk
      }
    } finally {
      this.over.resolve()
    }
  }
}

/** One that says these chunks, as soon as each can be taken. */
function saying(...chunks: readonly string[]): Told {
  let at = 0
  return new Told(async () => Promise.resolve(chunks[at++]))
}

/** One whose chunks a test gives; nothing ends it. */
function giving(): { readonly stream: Told; readonly give: (chunk: string | undefined) => void } {
  const waiting: (string | undefined)[] = []
  let wake = (): void => undefined
  const stream = new Told(async () => {
    if (waiting.length === 0) await new Promise<void>((resolve) => (wake = resolve))
    return waiting.shift()
  })
  const give = (chunk: string | undefined): void => {
    waiting.push(chunk)
    wake()
  }
  return { stream, give }
}

interface Streamed extends Rig {
  /** A connection on which one stream was asked for. */
  readonly listen: () => Promise<RawConnection>
  /** Requests in flight, as the metrics say. */
  readonly inFlight: () => number
}

async function streaming(
  t: TestContext,
  streams: Told | readonly Told[],
  limits: Partial<HttpLimits> = {},
): Promise<Streamed> {
  const waiting = [streams].flat()
  const asked = route('GET', '/v1/stream', async () => {
    const stream = waiting.shift()
    assert.ok(stream !== undefined)
    return Promise.resolve({ kind: 'stream', stream })
  })
  const running = await rig(t, { routes: [asked, SHOW] }, limits)
  return {
    ...running,
    listen: async () => (await running.open()).write(ASK),
    inFlight: () => Number(/^gatehouse_requests_in_flight (\d+)$/m.exec(running.metrics.expose())?.[1]),
  }
}

/** Waits until so much has been received. */
async function heard(connection: RawConnection, text: string): Promise<void> {
  while (!connection.rest.includes(text)) {
    assert.ok(!connection.isClosed, `closed before ${text}: ${connection.rest}`)
    await new Promise((resolve) => connection.socket.once('data', resolve).once('close', resolve))
  }
}

/** The body of a chunked reply. */
function bodyOf(received: string): string {
  let rest = received.slice(received.indexOf('\r\n\r\n') + 4)
  let body = ''
  for (;;) {
    const end = rest.indexOf('\r\n')
    const size = Number.parseInt(rest.slice(0, end), 16)
    if (!(size > 0)) return body
    body += rest.slice(end + 2, end + 2 + size)
    rest = rest.slice(end + 2 + size + 2)
  }
}

test('sendStream sends each chunk as it comes, and the head before the first', SOON, async (t) => {
  const { stream, give } = giving()
  const { listen, inFlight } = await streaming(t, stream)
  const connection = await listen()
  await heard(connection, '\r\n\r\n')
  assert.match(
    connection.rest,
    /^HTTP\/1\.1 200 OK\r\n[^]*content-type: text\/event-stream; charset=utf-8\r\n/,
  )
  assert.match(connection.rest, /x-accel-buffering: no/)
  for (const chunk of ['data: one\n\n', 'data: two\n\n', 'data: ünder\n\n']) {
    assert.equal(inFlight(), 1)
    give(chunk)
    await heard(connection, Buffer.from(chunk).toString('latin1'))
  }
  give('')
  give('data: [DONE]\n\n')
  give(undefined)
  await heard(connection, '0\r\n\r\n')
  assert.equal(
    Buffer.from(bodyOf(connection.rest), 'latin1').toString(),
    'data: one\n\ndata: two\n\ndata: ünder\n\ndata: [DONE]\n\n',
  )
  assert.deepEqual([stream.aborts, inFlight()], [0, 0])
})

/** The wire of a connection on which nobody listens but the test. */
class Wire extends Duplex {
  readonly writes: string[] = []

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.writes.push(chunk.toString())
    done()
  }

  override _writev(chunks: readonly { readonly chunk: Buffer }[], done: () => void): void {
    this.writes.push(chunks.map(({ chunk }) => chunk.toString()).join(''))
    done()
  }

  setTimeout(): this {
    return this
  }
}

test('sendStream sends the head in one write with a text that is there, and alone before one that is not', async () => {
  const send = (stream: Told): { readonly wire: Wire; readonly sent: Promise<void> } => {
    const wire = new Wire()
    const socket = wire as unknown as Socket
    const response = new ServerResponse(new IncomingMessage(socket))
    response.assignSocket(socket)
    return { wire, sent: sendStream(response, [], stream, 1_000) }
  }
  const ready = send(saying('data: one\n\n'))
  await ready.sent
  assert.match(ready.wire.writes[0] ?? '', /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n[^]*data: one/)
  const { stream, give } = giving()
  const silent = send(stream)
  // Nothing to say is no reason to wait.
  give('')
  while (silent.wire.writes.length === 0) await new Promise((resolve) => setImmediate(resolve))
  give('data: late\n\n')
  give(undefined)
  await silent.sent
  assert.match(silent.wire.writes[0] ?? '', /^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\n$/)
  assert.match(silent.wire.writes[1] ?? '', /data: late/)
})

test(
  'the connection is good for a next request behind a stream, and each waits for its turn',
  SOON,
  async (t) => {
    const { stream, give } = giving()
    const second = saying('data: second\n\n')
    const { listen, inFlight } = await streaming(t, [stream, second])
    const connection = await listen()
    connection.write(NEXT + ASK + NEXT)
    give('data: first\n\n')
    await heard(connection, 'data: first')
    await second.over.promise
    assert.ok(!connection.rest.includes('second') && !connection.rest.includes('params'))
    give(undefined)
    await heard(connection, 'data: second')
    while (connection.rest.split('"params"').length < 3) await heard(connection, '"params"')
    const order = ['data: first', '"params"', 'data: second', '"params"']
    let from = 0
    for (const part of order) from = connection.rest.indexOf(part, from) + part.length
    assert.ok(from > connection.rest.lastIndexOf('"params"'))
    assert.equal(inFlight(), 0)
  },
)

test(
  'a stream behind another on its connection is not timed while it can be taken by nobody',
  SOON,
  async (t) => {
    const { stream, give } = giving()
    const { listen } = await streaming(t, [stream, saying(CHUNK, CHUNK, 'data: end\n\n')], {
      stalledReplyMs: 40,
    })
    const connection = await listen()
    connection.write(ASK)
    give('data: first\n\n')
    await new Promise((resolve) => setTimeout(resolve, 150))
    give(undefined)
    await heard(connection, 'data: end')
  },
)

test('a silent stream is not a stalled one', SOON, async (t) => {
  const { stream, give } = giving()
  const { listen } = await streaming(t, stream, { stalledReplyMs: 20 })
  const connection = await listen()
  await heard(connection, '\r\n\r\n')
  await new Promise((resolve) => setTimeout(resolve, 120))
  give('data: at last\n\n')
  give(undefined)
  await heard(connection, '0\r\n\r\n')
})

test('a reader that takes nothing slows the stream, and loses its connection', SOON, async (t) => {
  const stream = new Told(async () => Promise.resolve(CHUNK))
  const { listen, inFlight } = await streaming(t, stream, { stalledReplyMs: 150 })
  const connection = await listen()
  connection.socket.pause()
  await new Promise((resolve) => setTimeout(resolve, 100))
  const until = stream.asked
  assert.ok(until < LARGE / CHUNK.length, `${until} chunks`)
  await stream.over.promise
  assert.ok(stream.asked - until <= 1, 'nothing more was asked for meanwhile')
  connection.socket.resume()
  await connection.closed()
  assert.equal(inFlight(), 0)
})

test(
  'a slow reader gets all of it, one huge chunk too: every slice that leaves starts the wait anew',
  SOON,
  async (t) => {
    const { listen } = await streaming(t, saying('x'.repeat(LARGE), 'y'), { stalledReplyMs: 1_000 })
    const connection = await listen()
    const { promise, resolve } = Promise.withResolvers<void>()
    let received = 0
    connection.socket.removeAllListeners('data')
    connection.socket.on('close', resolve).on('data', (bytes: Buffer) => {
      received += bytes.length
      if (received >= LARGE) resolve()
      connection.socket.pause()
      setTimeout(() => connection.socket.resume(), received < 5_000_000 ? 20 : 0)
    })
    const began = Date.now()
    await promise
    assert.ok(received >= LARGE, `${received} bytes`)
    assert.ok(Date.now() - began > 1_200, 'it took longer than the limit')
    connection.destroy()
  },
)

test('a caller that leaves ends the stream at once, while it says nothing', SOON, async (t) => {
  const told = Array.from({ length: 5 }, giving)
  const { listen, inFlight } = await streaming(
    t,
    told.map(({ stream }) => stream),
  )
  const times: number[] = []
  for (const { stream, give } of told) {
    const connection = await listen()
    give('data: one\n\n')
    await heard(connection, 'data: one')
    const began = performance.now()
    connection.destroy()
    await stream.over.promise
    times.push(performance.now() - began)
    assert.deepEqual([stream.aborts, inFlight()], [1, 0])
  }
  // The machine may be busy with something else, but not each time.
  assert.ok(Math.min(...times) < 50, `${times.join(', ')} ms`)
})

test('callers that leave with several streams on a connection end all of them', SOON, async (t) => {
  const streams = [giving().stream, giving().stream, giving().stream]
  const { listen, inFlight } = await streaming(t, streams)
  const connection = await listen()
  connection.write(ASK + ASK)
  while (inFlight() < 3) await new Promise((resolve) => setTimeout(resolve, 5))
  connection.destroy()
  await Promise.all(streams.map(async ({ over }) => over.promise))
  assert.equal(inFlight(), 0)
})

test('a cut does not wait long for a slow reader', SOON, async (t) => {
  const stream = new Told(async () => Promise.resolve(CHUNK))
  const { listen, inFlight } = await streaming(t, stream, { stalledReplyMs: 20_000 })
  const connection = await listen()
  connection.socket.pause()
  await new Promise((resolve) => setTimeout(resolve, 100))
  const began = performance.now()
  stream.cut()
  await stream.over.promise
  const took = performance.now() - began
  assert.ok(took < 5_000, `${took} ms`)
  connection.socket.resume()
  await connection.closed()
  assert.equal(inFlight(), 0)
})

test('HTTP/1.0 gets the same without chunks of its own, up to the end of the connection', SOON, async (t) => {
  for (const more of ['', 'Connection: keep-alive\r\n']) {
    const { open } = await streaming(t, saying('data: one\n\n', 'data: [DONE]\n\n'))
    const connection = await open()
    const received = await connection.write(`GET /v1/stream HTTP/1.0\r\n${HEAD}${more}\r\n`).closed()
    assert.ok(received.endsWith('\r\n\r\ndata: one\n\ndata: [DONE]\n\n'), received)
    assert.doesNotMatch(received, /transfer-encoding/i)
  }
})

test('HEAD asks for no stream', SOON, async (t) => {
  const stream = saying('data: one\n\n')
  const { open } = await streaming(t, stream)
  const received = await (
    await open()
  )
    .write(`HEAD /v1/stream HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`)
    .closed()
  assert.match(received, /^HTTP\/1\.1 405 /)
  assert.equal(stream.asked, 0)
})

test('a server that closes lets streams end, and takes no more requests behind them', SOON, async (t) => {
  const { stream, give } = giving()
  const { listen, server } = await streaming(t, stream)
  const connection = await listen()
  give('data: one\n\n')
  await heard(connection, 'data: one')
  const closing = server.close()
  give('data: two\n\n')
  await heard(connection, 'data: two')
  give(undefined)
  await closing
  assert.ok((await connection.closed()).endsWith('0\r\n\r\n'))
  assert.equal(stream.aborts, 0)
})

test('a server that closes ends streams that do not end by themselves', SOON, async (t) => {
  const { stream } = giving()
  const { listen, server, inFlight } = await streaming(t, stream, { drainMs: 50 })
  const connection = await listen()
  await heard(connection, '\r\n\r\n')
  await server.close()
  await stream.over.promise
  assert.deepEqual([stream.aborts, inFlight(), connection.isClosed], [1, 0, true])
})

test('a stream counts as one request of its listener', SOON, async (t) => {
  const { stream, give } = giving()
  const { listen, inFlight, ask } = await streaming(t, stream)
  const connection = await listen()
  await heard(connection, '\r\n\r\n')
  assert.equal(codeOf(await ask(`GET /v1/none HTTP/1.1\r\n${HEAD}\r\n`)), 'route.unknown')
  assert.equal(inFlight(), 1)
  give(undefined)
  await heard(connection, '0\r\n\r\n')
  assert.equal(inFlight(), 0)
})
