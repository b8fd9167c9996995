import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { inspect } from 'node:util'
import { makePairs, NO_CERTIFICATES } from '../../../test/support/tls_pair.ts'
import { newEntryId } from '#base/ids.ts'
import { Metrics } from '#base/metrics.ts'
import { Sealed } from '#base/sealed.ts'
import { openMetricsServer } from './metrics_server.ts'
import { TlsPair, type TlsPaths } from './tls.ts'

interface Rig {
  readonly pair: TlsPair
  /** What the paths give; a test puts other files there. */
  readonly files: Map<string, string>
  readonly read: (name: string) => string
  readonly results: string[]
  readonly change: () => void
}

function rig(t: TestContext, minimum: TlsPaths['minimum']): Rig {
  const read = makePairs(t, ['one', 'two'])
  const files = new Map([
    ['cert', read('one.cert')],
    ['key', read('one.key')],
  ])
  const results: string[] = []
  let changed: () => void = () => undefined
  const pair = new TlsPair({
    paths: { cert: 'cert', key: 'key', minimum },
    readFile: (name) => {
      const text = files.get(name)
      if (text === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT' })
      return text
    },
    watch: (watched, onChange) => {
      assert.deepEqual(watched, ['cert', 'key'])
      changed = onChange
      return { close: () => undefined }
    },
    onReload: (result) => results.push(result),
  })
  return { pair, files, read, results, change: () => changed() }
}

async function serve(t: TestContext, tls: TlsPair): Promise<number> {
  const server = await openMetricsServer({
    at: {
      kind: 'tcp',
      address: { host: '0.0.0.0', port: 0 },
      ask: { name: 'metrics', hasTls: true, hasCredential: true, hasProxies: false, exception: undefined },
    },
    tls,
    expose: () => new Metrics().expose(),
    token: new Sealed('scrape'),
    readiness: () => ({ isReady: true, reasons: [] }),
    clock: { now: () => 0, monotonic: () => 0 },
    onDrop: () => undefined,
    newId: newEntryId,
  })
  t.after(() => server.close())
  assert.equal(server.rule.kind, 'tls')
  return server.port
}

/** What a client sees of the connection. */
async function handshake(port: number, options: ConnectionOptions = {}): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket: TLSSocket = connect(
    { port, host: '127.0.0.1', rejectUnauthorized: false, ...options },
    () => {
      resolve(
        `${String(socket.getPeerCertificate().subject.CN)} ${socket.getProtocol()} ${socket.alpnProtocol}`,
      )
      socket.destroy()
    },
  )
  socket.on('error', () => resolve('refused'))
  return await promise
}

test(
  'TlsPair speaks 1.3 only, unless 1.2 is asked for: and never less',
  { skip: NO_CERTIFICATES },
  async (t) => {
    const newest = await serve(t, rig(t, '1.3').pair)
    assert.equal(await handshake(newest, { ALPNProtocols: ['http/1.1'] }), 'one TLSv1.3 http/1.1')
    assert.equal(await handshake(newest, { maxVersion: 'TLSv1.2' }), 'refused')
    assert.equal(await handshake(newest, { ALPNProtocols: ['h2'] }), 'refused')
    const older = await serve(t, rig(t, '1.2').pair)
    assert.equal(await handshake(older, { maxVersion: 'TLSv1.2' }), 'one TLSv1.2 false')
    assert.equal(await handshake(older), 'one TLSv1.3 false')
    const weak = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA' } as const
    assert.equal(await handshake(older, weak), 'refused', 'no cipher without authenticated encryption')
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const
    assert.equal(await handshake(older, old), 'refused')
  },
)

test(
  'TlsPair takes a new pair without a restart: and keeps the old one while the new one is bad',
  { skip: NO_CERTIFICATES },
  async (t) => {
    const { pair, files, read, results, change } = rig(t, '1.3')
    const port = await serve(t, pair)
    files.set('cert', read('two.cert'))
    change()
    assert.equal(await handshake(port), 'one TLSv1.3 false', 'the key does not fit yet')
    files.delete('key')
    change()
    files.set('key', 'garbage')
    change()
    assert.equal(await handshake(port), 'one TLSv1.3 false')
    files.set('key', read('two.key'))
    assert.equal(pair.reload(), 'reloaded')
    assert.equal(await handshake(port), 'two TLSv1.3 false')
    assert.equal(await handshake(port, { maxVersion: 'TLSv1.2' }), 'refused', 'the minimum holds')
    assert.deepEqual(results, ['kept', 'kept', 'kept', 'reloaded'])
  },
)

test(
  'TlsPair refuses to start with a bad pair: config.invalid without a byte of the key',
  { skip: NO_CERTIFICATES },
  (t) => {
    const { read } = rig(t, '1.3')
    const open = (files: Readonly<Record<string, string>>): TlsPair =>
      new TlsPair({
        paths: { cert: 'cert', key: 'key', minimum: '1.3' },
        readFile: (name) => files[name] ?? assert.fail(),
        watch: () => assert.fail(),
        onReload: () => undefined,
      })
    for (const files of [
      { cert: read('one.cert'), key: read('two.key') },
      { cert: 'x', key: 'y' },
      { cert: '', key: '' },
    ])
      assert.throws(
        () => open(files),
        (thrown: unknown) => {
          assert.ok(thrown instanceof Error && 'code' in thrown)
          assert.equal(thrown.code, 'config.invalid')
          return files.key.length < 10 || !inspect(thrown).includes(files.key.slice(40, 80))
        },
      )
  },
)
