import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { RawConnection, type RawReply } from '../../../test/support/raw_http.ts'
import { newEntryId } from '#base/ids.ts'
import { Metrics } from '#base/metrics.ts'
import { Sealed } from '#base/sealed.ts'
import { openMetricsServer } from './metrics_server.ts'
import { HTTP_LIMITS } from './http_server.ts'

async function rig(t: TestContext, token?: string): Promise<(text: string) => Promise<RawReply | undefined>> {
  const metrics = new Metrics()
  metrics.counter({ name: 'a_total', help: 'A.' }).series().add()
  const server = await openMetricsServer({
    at: {
      kind: 'tcp',
      address: { host: '127.0.0.1', port: 0 },
      ask: {
        name: 'metrics',
        hasTls: false,
        hasCredential: token !== undefined,
        hasProxies: false,
        exception: undefined,
      },
    },
    tls: undefined,
    expose: () => metrics.expose(),
    token: token === undefined ? undefined : new Sealed(token),
    readiness: () => ({ isReady: false, reasons: ['policy.unavailable'] }),
    clock: { now: () => 0, monotonic: () => 0 },
    onDrop: () => undefined,
    newId: newEntryId,
    limits: { ...HTTP_LIMITS, lingerMs: 50 },
  })
  t.after(() => server.close())
  return async (text) => {
    const connection = await RawConnection.open({ port: server.port, host: '127.0.0.1' })
    t.after(() => connection.destroy())
    return await connection.write(text).reply()
  }
}

test('openMetricsServer answers /metrics in the text format: and health', async (t) => {
  const ask = await rig(t)
  const reply = await ask('GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n')
  assert.equal(reply?.status, 200)
  assert.equal(reply.headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
  assert.equal(reply.body, '# HELP a_total A.\n# TYPE a_total counter\na_total 1\n')
  assert.equal((await ask('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'))?.status, 200)
  assert.equal((await ask('GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n'))?.status, 503)
})

test('openMetricsServer asks for the token when there is one: the same refusal for each reason', async (t) => {
  const ask = await rig(t, 'scrape-me')
  const scrape = async (headers: string): Promise<RawReply | undefined> =>
    await ask(`GET /metrics HTTP/1.1\r\nHost: x\r\n${headers}\r\n`)
  assert.equal((await scrape('Authorization: Bearer scrape-me\r\n'))?.status, 200)
  for (const headers of [
    '',
    'Authorization: Bearer scrape-m\r\n',
    'Authorization: Bearer scrape-mee\r\n',
    'Authorization: Basic scrape-me\r\n',
    'Authorization: Bearer scrape-me\r\nAuthorization: Bearer scrape-me\r\n',
  ]) {
    const reply = await scrape(headers)
    assert.equal(reply?.status, 401, headers)
    assert.ok(!reply.body.includes('a_total'))
  }
  assert.equal((await ask('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'))?.status, 200, 'health is open')
})

test('openMetricsServer refuses the rest: and what is no HTTP', async (t) => {
  const ask = await rig(t)
  assert.equal((await ask('GET /other HTTP/1.1\r\nHost: x\r\n\r\n'))?.status, 404)
  assert.equal(
    (await ask('POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n'))?.headers.get('allow'),
    'GET',
  )
  const large = await ask('POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\nx')
  assert.deepEqual([large?.status, large?.headers.get('connection')], [405, 'close'])
  assert.equal((await ask('garbage\r\n\r\n'))?.status, 400)
})
