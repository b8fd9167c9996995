import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { Fault } from './fault.ts'
import { openUpstream, type Upstream, type UpstreamSettings } from './http_client.ts'

const PIECE = Buffer.alloc(16 * 1_024, 'x')

type Answer = (response: ServerResponse, request: IncomingMessage) => void

/** A real server that answers as told, and an upstream to it; both end with `tell`. */
async function exchange(
  answer: Answer,
  tell: (upstream: Upstream) => Promise<void>,
  settings: Partial<UpstreamSettings> = {},
): Promise<void> {
  const server = createServer((request, response) => answer(response, request))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const upstream = openUpstream({
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: 4,
    connectTimeoutMs: 1_000,
    headersTimeoutMs: 2_000,
    bodyTimeoutMs: 2_000,
    totalTimeoutMs: 5_000,
    maxAnswerBytes: 10_000_000,
    ...settings,
  })
  try {
    await tell(upstream)
  } finally {
    await upstream.close()
    server.closeAllConnections()
    server.close()
  }
}

function open(upstream: Upstream, onAbort: (listener: () => void) => void = () => {}) {
  return upstream.open({ method: 'POST', path: '/', headers: ['x-a', 'b'], body: '{}', onAbort })
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = []
  for await (const piece of body) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

function hasCode(code: string, reason?: string) {
  return (thrown: unknown): boolean =>
    thrown instanceof Fault &&
    thrown.code === code &&
    (reason === undefined || thrown.detail['reason'] === reason)
}

test('open resolves with the headers, and gives the body as it comes', async () => {
  let end: () => void = () => undefined
  await exchange(
    (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).write('one ')
      end = () => response.end('two')
    },
    async (upstream) => {
      const { status, headers, body } = await open(upstream)
      assert.equal(status, 200)
      assert.equal(headers['content-type'], 'text/event-stream')
      const pieces: string[] = []
      for await (const piece of body) {
        pieces.push(Buffer.from(piece).toString())
        end()
      }
      assert.deepEqual(pieces, ['one ', 'two'])
    },
  )
})

test('open lets the upstream send little more than what is read', async () => {
  let written = 0
  const over = Promise.withResolvers<void>()
  await exchange(
    (response) => {
      response.on('close', over.resolve)
      const more = (): void => {
        while (!response.destroyed && written < 50_000_000 && response.write(PIECE)) written += PIECE.length
        if (!response.destroyed) response.once('drain', more)
      }
      more()
    },
    async (upstream) => {
      const { body } = await open(upstream)
      const reader = body[Symbol.asyncIterator]()
      await reader.next()
      // It goes on until the buffers of both sockets are full, and then no further.
      let before = -1
      do {
        before = written
        await new Promise((resolve) => setTimeout(resolve, 100))
      } while (before !== written)
      assert.ok(written < 20_000_000, `${written} bytes were taken of a stream that nobody reads`)
      await reader.return?.()
      await over.promise
    },
    { maxAnswerBytes: 100_000_000 },
  )
})

test('open ends as its fault says', async () => {
  const rows: readonly (readonly [why: string, Answer, code: string, Partial<UpstreamSettings>?])[] = [
    [
      'cut in the middle',
      (response) => (response.write('a'), setTimeout(() => response.destroy(), 20)),
      'upstream.failed',
    ],
    ['silent in the middle', (response) => void response.write('a'), 'upstream.slow', { bodyTimeoutMs: 100 }],
    ['too long in all', (response) => void response.write('a'), 'upstream.slow', { totalTimeoutMs: 100 }],
    [
      'too many bytes',
      (response) => void response.write(PIECE),
      'upstream.oversized',
      { maxAnswerBytes: 1_000 },
    ],
  ]
  for (const [why, answer, code, settings] of rows)
    await exchange(
      answer,
      async (upstream) => {
        const { body } = await open(upstream)
        await assert.rejects(textOf(body), hasCode(code), why)
      },
      settings,
    )
})

test('open throws before the headers what send would throw', async () => {
  const rows: readonly (readonly [why: string, Answer, code: string, reason: string])[] = [
    [
      'a redirect',
      (response) => response.writeHead(302, { location: '/x' }).end(),
      'upstream.invalid',
      'redirect',
    ],
    [
      'an encoded body',
      (response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(),
      'upstream.invalid',
      'encoded_body',
    ],
    ['no answer', (response) => response.destroy(), 'upstream.failed', 'UND_ERR_SOCKET'],
  ]
  for (const [why, answer, code, reason] of rows)
    await exchange(answer, async (upstream) => {
      await assert.rejects(open(upstream), hasCode(code, reason), why)
    })
})

test('cancel, an abort of the caller and leaving the walk each end the exchange', async () => {
  const ways: readonly ((stream: { cancel: () => void; abort: () => void; leave: () => void }) => void)[] = [
    ({ cancel }) => cancel(),
    ({ abort }) => abort(),
    ({ leave }) => leave(),
  ]
  for (const end of ways) {
    const closed = Promise.withResolvers<void>()
    await exchange(
      (response) => {
        response.on('close', () => closed.resolve())
        response.write('a')
      },
      async (upstream) => {
        let abort: () => void = () => undefined
        const { body, cancel } = await open(upstream, (listener) => (abort = listener))
        const reader = body[Symbol.asyncIterator]()
        await reader.next()
        end({ cancel, abort, leave: () => void reader.return?.() })
        await closed.promise
        await assert.rejects(
          async () => (await reader.next()).done === true && Promise.reject(new Fault('input.aborted')),
          hasCode('input.aborted'),
        )
      },
    )
  }
})

test('release reads the rest away, so that the connection serves again; one without an end is closed', async () => {
  const rows: readonly (readonly [why: string, Answer, connections: number])[] = [
    [
      'the end comes soon',
      (response) => (response.write('last'), setTimeout(() => response.end('rest'), 20)),
      1,
    ],
    ['no end', (response) => void response.write('last'), 2],
  ]
  for (const [why, answer, connections] of rows) {
    const seen = new Set<unknown>()
    await exchange(
      (response, request) => {
        seen.add(request.socket)
        answer(response, request)
      },
      async (upstream) => {
        for (const _ of [1, 2]) {
          const { body, release, cancel } = await open(upstream)
          for await (const piece of body) {
            assert.equal(Buffer.from(piece).toString(), 'last', why)
            release()
            break
          }
          cancel()
          await new Promise((resolve) => setTimeout(resolve, 250))
        }
      },
    )
    assert.equal(seen.size, connections, why)
  }
})
