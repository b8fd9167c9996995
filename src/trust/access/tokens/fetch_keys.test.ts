import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { after, before, test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import type { Resolve } from '#base/upstream_address.ts'
import { json, makeIssuerKey, startIssuer, type FakeIssuer } from '../../../../test/fakes/issuer.ts'
import { fetchDiscovered, fetchDocument, type FetchRules } from './fetch_keys.ts'

let idp: FakeIssuer
before(async () => (idp = await startIssuer([(await makeIssuerKey('one')).publicJwk])))
after(async () => idp.close())

const RULES: FetchRules = {
  network: 'public',
  roots: undefined,
  timeoutMs: 500,
  signal: new AbortController().signal,
}

async function codeOf(work: Promise<Uint8Array>): Promise<string> {
  try {
    return Buffer.from(await work).toString()
  } catch (thrown) {
    assert.ok(thrown instanceof Fault, String(thrown))
    const { reason } = thrown.detail
    return typeof reason === 'string' ? `${thrown.code} ${reason}` : thrown.code
  }
}

test('fetchDiscovered finds the keys of an issuer through its own document', async () => {
  idp.does(undefined)
  const { keys } = JSON.parse(Buffer.from(await fetchDiscovered(idp.issuer, RULES)).toString()) as {
    keys: { kid: string }[]
  }
  assert.deepEqual(
    keys.map(({ kid }) => kid),
    ['one'],
  )
  assert.deepEqual(idp.asked.slice(-2), ['/.well-known/openid-configuration', '/keys'])
})

test('fetchDocument leaves nothing behind at the signal that would end it', async () => {
  idp.does(undefined)
  const { signal } = new AbortController()
  await fetchDiscovered(idp.issuer, { ...RULES, signal })
  assert.deepEqual(getEventListeners(signal, 'abort'), [])
})

for (const [why, document, code] of [
  ['it is of another issuer', { issuer: 'https://other.example', jwks_uri: '/keys' }, 'input.invalid'],
  ['its issuer has a slash more', (origin: string) => ({ issuer: `${origin}/` }), 'input.invalid'],
  ['it is a list', [], 'input.invalid'],
  ['it has no link', (origin: string) => ({ issuer: origin }), 'upstream.invalid'],
  ['its link is no URL', (origin: string) => ({ issuer: origin, jwks_uri: '/keys' }), 'upstream.invalid'],
  [
    'its link has a password',
    (origin: string) => ({ issuer: origin, jwks_uri: origin.replace('//', '//a:b@') }),
    'upstream.invalid',
  ],
  [
    'its link leads past TLS',
    (origin: string) => ({ issuer: origin, jwks_uri: 'http://keys.example/keys' }),
    'upstream.invalid',
  ],
  [
    'its link leads to the metadata of a cloud',
    (origin: string) => ({ issuer: origin, jwks_uri: 'https://169.254.169.254/keys' }),
    'upstream.invalid',
  ],
  [
    'its link leads to another address of this machine',
    (origin: string) => ({ issuer: origin, jwks_uri: 'https://127.0.0.2/keys' }),
    'upstream.invalid',
  ],
  [
    'written in another way',
    (origin: string) => ({ issuer: origin, jwks_uri: 'https://0x7f000002/keys' }),
    'upstream.invalid',
  ],
  [
    'in the other family',
    (origin: string) => ({ issuer: origin, jwks_uri: 'https://[::ffff:127.0.0.2]/keys' }),
    'upstream.invalid',
  ],
  [
    'or by name',
    (origin: string) => ({ issuer: origin, jwks_uri: 'https://localhost/keys' }),
    'upstream.invalid',
  ],
] as const)
  test(`fetchDiscovered refuses a document with ${code}: ${why}`, async () => {
    idp.does((response) => json(response, typeof document === 'function' ? document(idp.origin) : document))
    assert.equal(await codeOf(fetchDiscovered(idp.issuer, RULES)), code)
  })

for (const [why, status, headers, body, code] of [
  ['there is none', 404, {}, '', 'upstream.failed'],
  ['the server fails', 500, {}, '', 'upstream.failed'],
  ['it is elsewhere', 302, { location: '/other' }, '', 'upstream.invalid redirect'],
  ['it is encoded', 200, { 'content-encoding': 'gzip' }, 'x', 'upstream.invalid encoded_body'],
  [
    'it says to be too long',
    200,
    { 'content-length': String(LIMITS.keySetBytes + 1) },
    '',
    'upstream.oversized answer_bytes',
  ],
  ['it is too long', 200, {}, 'x'.repeat(LIMITS.keySetBytes + 1), 'upstream.oversized answer_bytes'],
] as const)
  test(`fetchDocument refuses an answer with ${code}: ${why}`, async () => {
    idp.does((response) => {
      response.on('error', () => undefined)
      response.writeHead(status, headers)
      response.end(body)
    })
    assert.equal(await codeOf(fetchDocument(new URL(`${idp.origin}/keys`), RULES)), code)
  })

test('fetchDocument gives up an answer that does not come, and one that never ends', async () => {
  idp.does(() => undefined)
  assert.match(await codeOf(fetchDocument(new URL(`${idp.origin}/keys`), RULES)), /^upstream.slow/)
  idp.does((response) => void response.writeHead(200).write('{'))
  assert.match(await codeOf(fetchDocument(new URL(`${idp.origin}/keys`), RULES)), /^upstream.slow/)
})

test('fetchDocument gives up when it is told to', async () => {
  idp.does(() => undefined)
  const stopping = new AbortController()
  const rules = { ...RULES, timeoutMs: 60_000, signal: stopping.signal }
  const fetching = codeOf(fetchDocument(new URL(`${idp.origin}/keys`), rules))
  stopping.abort()
  assert.equal(await fetching, 'input.aborted caller.gone')
  assert.equal(await codeOf(fetchDocument(new URL(`${idp.origin}/keys`), rules)), 'input.aborted caller.gone')
})

test('fetchDocument connects to no private address that a name leads to, unless it may', async () => {
  idp.does((response) => json(response, { keys: [] }))
  const resolve: Resolve = (_host, _options, callback) =>
    callback(null, [{ address: '127.0.0.1', family: 4 }])
  const url = new URL(idp.origin.replace('127.0.0.1', 'keys.example'))
  assert.equal(await codeOf(fetchDocument(url, { ...RULES, resolve })), 'upstream.failed ADDRESS_REFUSED')
  assert.equal(await codeOf(fetchDocument(url, { ...RULES, resolve, network: 'private' })), '{"keys":[]}')
})
