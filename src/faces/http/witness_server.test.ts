import assert from 'node:assert/strict'
import { connect } from 'node:net'
import test, { type TestContext } from 'node:test'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import { HandClock } from '../../../test/support/ledger_fixture.ts'
import { HTTP_LIMITS } from './http_server.ts'
import { openWitnessServer, type WitnessServerParts, WITNESS_LIMITS, WITNESS_RATE } from './witness_server.ts'

const HASH = 'a'.repeat(64)

interface Opened {
  readonly url: string
  readonly port: number
  readonly bodies: string[]
  readonly clock: HandClock
}

async function open(t: TestContext, more: Partial<WitnessServerParts> = {}): Promise<Opened> {
  const bodies: string[] = []
  const clock = new HandClock()
  const server = await openWitnessServer({
    at: {
      kind: 'tcp',
      address: { host: '127.0.0.1', port: 0 },
      ask: { name: 'witness', hasTls: false, hasCredential: true, hasProxies: false, exception: undefined },
    },
    tls: undefined,
    witness: {
      add: async (body) => {
        bodies.push(body)
        if (body === 'broken') throw new Fault('home.unwritable')
        return Promise.resolve({ status: 409, type: 'text/x.tlog.size', body: '7\n' } as const)
      },
      newest: (hash) => (hash === HASH ? 'a note\n' : undefined),
    },
    trustedProxies: [],
    clock,
    limits: { ...HTTP_LIMITS, headersTimeoutMs: 200, bodyTimeoutMs: 200, lingerMs: 50 },
    ...more,
  })
  t.after(async () => server.close())
  return { url: `http://${server.address}`, port: server.port, bodies, clock }
}

test('the listener of a witness hands on what is posted, byte for byte, and its answer', async (t) => {
  const { url, bodies } = await open(t)
  const body = 'old 0\n\n— é\n'
  const answer = await fetch(`${url}/add-checkpoint`, { method: 'POST', body })
  assert.equal(answer.status, 409)
  assert.equal(answer.headers.get('content-type'), 'text/x.tlog.size')
  assert.equal(await answer.text(), '7\n')
  assert.deepEqual(bodies, [body])
})

test('the listener of a witness gives monitors the newest checkpoint of a log', async (t) => {
  const { url } = await open(t)
  const answer = await fetch(`${url}/${HASH}/checkpoint`)
  assert.equal(answer.status, 200)
  assert.equal(await answer.text(), 'a note\n')
  assert.equal((await fetch(`${url}/${'b'.repeat(64)}/checkpoint`)).status, 404)
})

const REFUSALS: readonly [
  why: string,
  method: string,
  path: string,
  body: string | undefined,
  status: number,
][] = [
  ['another path', 'POST', '/', 'x', 404],
  ['a query', 'POST', '/add-checkpoint?x', 'x', 404],
  ['a hash in capitals', 'GET', `/${'A'.repeat(64)}/checkpoint`, undefined, 404],
  ['another method', 'GET', '/add-checkpoint', undefined, 405],
  ['another method for reading', 'POST', `/${HASH}/checkpoint`, 'x', 405],
  [
    'a body of more than the limit',
    'POST',
    '/add-checkpoint',
    'x'.repeat(LIMITS.witnessRequestBytes + 1),
    413,
  ],
  ['a memory that cannot be written', 'POST', '/add-checkpoint', 'broken', 503],
]

for (const [why, method, path, body, status] of REFUSALS)
  test(`the listener of a witness answers ${status}: ${why}`, async (t) => {
    const { url } = await open(t)
    const answer = await fetch(url + path, { method, body: body ?? null })
    assert.equal(answer.status, status)
    await answer.text()
  })

test('the listener of a witness reads no endless body: in pieces without a length', async (t) => {
  const { url, bodies } = await open(t)
  const piece = Buffer.alloc(64 * 1_024, 'x')
  const pieces = ReadableStream.from([piece, piece, piece])
  const init = { method: 'POST', body: pieces, duplex: 'half' } as const
  const status = await fetch(`${url}/add-checkpoint`, init).then(
    (answer) => answer.status,
    () => 413,
  )
  assert.equal(status, 413)
  assert.deepEqual(bodies, [])
})

test('the listener of a witness gives up on a body that does not come', async (t) => {
  const { port, bodies } = await open(t)
  const socket = connect(port, '127.0.0.1')
  t.after(() => socket.destroy())
  socket.write('POST /add-checkpoint HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nold')
  const chunks: Buffer[] = []
  for await (const chunk of socket as AsyncIterable<Buffer>) chunks.push(chunk)
  assert.match(Buffer.concat(chunks).toString('latin1'), /^HTTP\/1\.1 408 /)
  assert.deepEqual(bodies, [])
})

test('the listener of a witness takes so many requests of one source, and more with time', async (t) => {
  const { url, clock } = await open(t, { rate: { burst: 2, perSecond: 1 } })
  const post = async (): Promise<number> => {
    const answer = await fetch(`${url}/add-checkpoint`, { method: 'POST', body: 'x' })
    await answer.text()
    if (answer.status === 429) assert.equal(answer.headers.get('retry-after'), '1')
    return answer.status
  }
  assert.deepEqual([await post(), await post(), await post()], [409, 409, 429])
  clock.time += 1_000
  assert.deepEqual([await post(), await post()], [409, 429])
})

test('the listener of a witness counts by the source behind a proxy of its own, and believes nobody else', async (t) => {
  for (const [proxies, expected] of [
    [['127.0.0.0/8'], 409],
    [[], 429],
  ] as const) {
    const { url } = await open(t, { rate: { burst: 1, perSecond: 1 }, trustedProxies: proxies })
    const post = async (source: string): Promise<number> => {
      const headers = { 'x-forwarded-for': source }
      const answer = await fetch(`${url}/add-checkpoint`, { method: 'POST', body: 'x', headers })
      await answer.text()
      return answer.status
    }
    assert.equal(await post('198.51.100.1'), 409)
    assert.equal(await post('203.0.113.1'), expected)
  }
})

test('a source that sends slowly cannot take all places for requests: each is given up before there are so many', () => {
  const { burst, perSecond } = WITNESS_RATE
  const most = burst + perSecond * (WITNESS_LIMITS.bodyTimeoutMs / 1_000)
  assert.ok(most < LIMITS.witnessRequests / 2, `${most} of ${LIMITS.witnessRequests}`)
})
