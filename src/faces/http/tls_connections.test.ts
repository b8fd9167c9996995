import assert from 'node:assert/strict'
import { once } from 'node:events'
import { suite, test, type TestContext } from 'node:test'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { ENDLESS } from '../../../test/support/door_parts.ts'
import { answer, ASK, HEAD, rig, route, type Rig } from '../../../test/support/http_rig.ts'
import { makePairs, NO_CERTIFICATES } from '../../../test/support/tls_pair.ts'
import type { HttpLimits } from './http_server.ts'
import { TlsPair } from './tls.ts'

const LARGE = 30_000_000
const PROVE = route('GET', '/v1/prove', async (incoming) => {
  await incoming.body(ENDLESS)
  return answer('{}')
})

async function tlsRig(t: TestContext, limits: Partial<HttpLimits>, routes = [PROVE]): Promise<Rig> {
  const read = makePairs(t, ['one'])
  const tls = new TlsPair({
    paths: { cert: 'one.cert', key: 'one.key', minimum: '1.2' },
    readFile: read,
    watch: () => ({ close: () => undefined }),
    onReload: () => undefined,
  })
  const at = { kind: 'tcp', address: { host: '127.0.0.1', port: 0 }, ask: { ...ASK, hasTls: true } } as const
  return rig(t, { at, tls, routes }, limits)
}

async function secure(t: TestContext, { server }: Rig, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ port: server.port, host: '127.0.0.1', rejectUnauthorized: false, ...options })
  t.after(() => socket.destroy())
  socket.on('error', () => undefined)
  await once(socket, 'secureConnect')
  return socket
}

async function ask(socket: TLSSocket, path: string): Promise<string> {
  socket.write(`GET ${path} HTTP/1.1\r\n${HEAD}\r\n`)
  const [bytes] = (await once(socket, 'data')) as [Buffer]
  return bytes.toString('latin1').slice(0, 15)
}

suite('a TLS listener', { skip: NO_CERTIFICATES, timeout: 60_000 }, () => {
  test('counts connections that never finish a handshake, and keeps those with a proven caller', async (t) => {
    const running = await tlsRig(t, { strangersPerBlock: 3, connections: 5 })
    const proven = await secure(t, running)
    assert.equal(await ask(proven, '/v1/prove'), 'HTTP/1.1 200 OK')
    const silent = await running.open()
    for (let at = 0; at < 3; at += 1) await running.open()
    await silent.closed()
    for (let at = 0; at < 20; at += 1) await running.open()
    assert.equal(await ask(proven, '/v1/prove'), 'HTTP/1.1 200 OK')
    assert.match(running.metrics.expose(), /connections_dropped_total\{reason="block"\} 21/)
  })

  test('closes a connection whose handshake takes too long', async (t) => {
    const running = await tlsRig(t, { headersTimeoutMs: 100, checkMs: 20 })
    const silent = await running.open()
    assert.equal(await silent.closed(), '')
    const dripping = await running.open()
    // The start of a ClientHello that says it goes on for 512 bytes.
    dripping.write('\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}')
    assert.equal(await dripping.closed(), '')
  })

  test('does not renegotiate: a connection keeps what it began with', async (t) => {
    const running = await tlsRig(t, {})
    const socket = await secure(t, running, { maxVersion: 'TLSv1.2' })
    assert.equal(await ask(socket, '/v1/prove'), 'HTTP/1.1 200 OK')
    const refused = await new Promise<boolean>((resolve) => {
      socket.once('close', () => resolve(true))
      socket.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error !== null))
    })
    assert.equal(refused, true)
  })

  test('cuts off a caller that takes no byte of its reply, and not one that is slow', async (t) => {
    const ended = { count: 0, wake: (): void => undefined }
    const large = route('GET', '/v1/large', (incoming) => {
      incoming.onEnd(() => {
        ended.count += 1
        ended.wake()
      })
      return Promise.resolve(answer(JSON.stringify('x'.repeat(LARGE))))
    })
    const running = await tlsRig(t, { stalledReplyMs: 300 }, [large])
    const slow = await secure(t, running)
    const { promise: all, resolve, reject } = Promise.withResolvers<void>()
    let received = 0
    slow.on('close', () => reject(new Error(`cut off after ${String(received)} bytes`)))
    slow.on('data', (bytes: Buffer) => {
      received += bytes.length
      if (received > LARGE) resolve()
      slow.pause()
      setTimeout(() => slow.resume(), 1)
    })
    const stalled = await secure(t, running)
    stalled.pause()
    for (const socket of [slow, stalled]) socket.write(`GET /v1/large HTTP/1.1\r\n${HEAD}\r\n`)
    while (ended.count < 2) await new Promise<void>((resolve) => (ended.wake = resolve))
    await all
    stalled.resume()
    await once(stalled, 'close')
  })
})
