import assert from 'node:assert/strict'
import { decodeJwt } from 'jose'
import { cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { makeCertificate, type Certificate } from '../support/certificates.ts'
import { askSocket, exchangeOf, freePort } from '../support/exchange_scene.ts'
import { removeHome, ROOT, startDoor, temporaryHome, type DoorProcess } from '../support/gatehouse_process.ts'

const CA = makeCertificate({ name: 'callers', isAuthority: true, keyUsage: [5, 6] })
const OTHER_CA = makeCertificate({ name: 'strangers', isAuthority: true, keyUsage: [5, 6] })
const SERVER = makeCertificate({ name: 'door', dnsNames: ['localhost'] })
const CI = makeCertificate({ name: 'ci', uris: ['spiffe://example.org/ns/build/sa/ci'] }, CA)
const CI_AGAIN = makeCertificate({ name: 'ci', uris: ['spiffe://example.org/ns/other/sa/ci'] }, CA)
const BATCH = makeCertificate({ name: 'batch', dnsNames: ['batch.example.org'] }, CA)
const NOBODY = makeCertificate({ name: 'nobody', dnsNames: ['nobody.example.org'] }, CA)
const FORGED = makeCertificate({ name: 'ci', uris: ['spiffe://example.org/ns/build/sa/ci'] }, OTHER_CA)
const TWO_IDS = makeCertificate(
  { name: 'ci', uris: ['spiffe://example.org/ns/build/sa/ci', 'spiffe://example.org/x'] },
  CA,
)
const ENDED = makeCertificate(
  { name: 'ci', uris: ['spiffe://example.org/ns/build/sa/ci'], notAfter: new Date(Date.now() - 1_000) },
  CA,
)

interface Scene {
  readonly home: string
  readonly origin: string
  readonly door: DoorProcess
  admin(method: string, at: string, body?: object): Promise<object>
  key(name: string): Promise<string>
}

async function open(mode: string): Promise<Scene> {
  const home = await temporaryHome()
  const origin = `https://localhost:${String(await freePort())}`
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(home, name), text, { mode: 0o600 })
    return name
  }
  file(
    'gatehouse.yaml',
    `models:
  echo: {provider: echo}
tls:
  cert: ${file('door.cert', SERVER.cert)}
  key: ${file('door.key', SERVER.key)}
  client_certificates: ${mode}
  client_ca: ${file('callers.pem', CA.cert)}
identity:
  issuer: ${origin}
  audiences:
    ${origin}: {}
  certificates:
    - {uri: "spiffe://example.org/ns/*/sa/ci", caller: ci}
    - {dns: batch.example.org, caller: batch}
`,
  )
  mkdirSync(path.join(home, 'policies'))
  for (const name of readdirSync(path.join(ROOT, 'policies')))
    if (name.endsWith('.cedar')) cpSync(path.join(ROOT, 'policies', name), path.join(home, 'policies', name))
  file(
    'policies/exchange.cedar',
    '@id("exchange") permit (principal, action == Action::"token:exchange", resource);',
  )
  const door = await startDoor(home, ['--listen', `127.0.0.1:${new URL(origin).port}`])
  const admin = async (method: string, at: string, body?: object): Promise<object> =>
    askSocket({ socketPath: path.join(home, 'admin.sock'), method, path: at }, body)
  const key = async (name: string): Promise<string> => {
    const made = (await admin('POST', '/admin/keys', { name, expires_in_ms: 3_600_000 })) as { key: string }
    return made.key
  }
  return { home, origin, door, admin, key }
}

interface Sent {
  readonly certificate?: Certificate | undefined
  readonly authorization?: string
  readonly form?: Readonly<Record<string, unknown>>
  readonly at?: string
}

interface Answer {
  readonly status: number
  readonly id: string
  readonly body: Readonly<Record<string, unknown>>
}

/** One request on a connection of its own; its status is 0 where TLS refused it. */
async function ask(
  origin: string,
  { certificate, authorization, form, at = '/v1/models' }: Sent,
): Promise<Answer> {
  const { promise, resolve } = Promise.withResolvers<Answer>()
  const body = form === undefined ? '' : new URLSearchParams(form as Record<string, string>).toString()
  const sent = request(`${origin}${at}`, {
    method: form === undefined ? 'GET' : 'POST',
    agent: false,
    ca: SERVER.cert,
    ...(certificate === undefined ? {} : { cert: certificate.cert, key: certificate.key }),
    headers: {
      ...(authorization === undefined ? {} : { authorization }),
      ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
    },
  })
  sent.on('response', (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (part: string) => (text += part))
    response.on('end', () => {
      const id = String(response.headers['x-request-id'])
      resolve({ status: response.statusCode ?? 0, id, body: JSON.parse(text) })
    })
  })
  sent.on('error', () => resolve({ status: 0, id: '', body: {} }))
  sent.end(body)
  return promise
}

describe('a door that asks for certificates', () => {
  let scene: Scene
  let ciKey = ''
  let batchKey = ''

  before(async () => {
    scene = await open('request')
    ciKey = `Bearer ${await scene.key('ci')}`
    batchKey = `Bearer ${await scene.key('batch')}`
  })
  after(async () => {
    await scene.door.stop()
    await removeHome(scene.home)
  })

  const reasonOf = async ({ id }: Answer): Promise<string> => {
    const shown = await scene.admin('GET', `/admin/entries/${id}`)
    return /"reason":\s*"([^"]+)"/.exec(JSON.stringify(shown))?.[1] ?? ''
  }

  test('takes callers that their certificates prove, and refuses every other certificate, also beside a good key', async () => {
    const cases: readonly (readonly [why: string, sent: Sent, status: number, reason: string])[] = [
      ['a key alone', { authorization: ciKey }, 200, ''],
      ['a certificate alone', { certificate: CI }, 200, ''],
      ['both of one caller', { certificate: CI, authorization: ciKey }, 200, ''],
      ['another rule', { certificate: BATCH, authorization: batchKey }, 200, ''],
      ['nothing', {}, 401, 'credential.missing'],
      ['both of two callers', { certificate: CI, authorization: batchKey }, 401, 'credential.conflicting'],
      ['a bad key beside it', { certificate: CI, authorization: 'Bearer x' }, 401, 'key.unknown'],
      ['one that no rule maps', { certificate: NOBODY }, 401, 'certificate.unmapped'],
      [
        'the same beside a good key',
        { certificate: NOBODY, authorization: ciKey },
        401,
        'certificate.unmapped',
      ],
      ['of another authority', { certificate: FORGED }, 401, 'credential.malformed'],
      [
        'the same beside a good key',
        { certificate: FORGED, authorization: ciKey },
        401,
        'credential.malformed',
      ],
      ['no SVID', { certificate: TWO_IDS }, 401, 'credential.malformed'],
      ['ended', { certificate: ENDED }, 401, 'credential.malformed'],
    ]
    for (const [why, sent, status, reason] of cases) {
      const answer = await ask(scene.origin, sent)
      assert.equal(answer.status, status, why)
      if (status === 401) assert.equal(await reasonOf(answer), reason, why)
    }
  })

  test('makes tokens that are bound to the certificate of the client', async () => {
    const form = exchangeOf(ciKey.slice('Bearer '.length), { audience: scene.origin })
    const at = '/oauth/token'
    const unbound = await ask(scene.origin, { authorization: ciKey, form, at })
    assert.deepEqual([unbound.status, unbound.body['error']], [400, 'invalid_dpop_proof'])
    const made = await ask(scene.origin, { certificate: CI, authorization: ciKey, form, at })
    assert.equal(made.status, 200, JSON.stringify(made.body))
    const token = String(made.body['access_token'])
    const { cnf } = decodeJwt<{ cnf?: object }>(token)
    assert.deepEqual(Object.keys(cnf ?? {}), ['x5t#S256'])
    const byName = await ask(scene.origin, { certificate: CI, form: { ...form, client_id: 'ci' }, at })
    assert.equal(byName.status, 200, 'the certificate is the credential of the client (RFC 8705 section 2)')
    const authorization = `Bearer ${token}`
    const cases: readonly (readonly [why: string, certificate: Certificate | undefined, status: number])[] = [
      ['its own', CI, 200],
      ['another one of the same caller', CI_AGAIN, 401],
      ['that of another caller', BATCH, 401],
      ['none', undefined, 401],
    ]
    for (const [why, certificate, status] of cases)
      assert.equal((await ask(scene.origin, { certificate, authorization })).status, status, why)
  })

  test('asks for them at the door alone', async () => {
    const port = new URL(scene.door.admin).port
    const answer = await ask(`https://localhost:${port}`, {
      certificate: FORGED,
      authorization: ciKey,
      at: '/admin/keys',
    })
    assert.equal(answer.status, 403)
  })

  test('reads the authorities again when their file changes', async () => {
    writeFileSync(path.join(scene.home, 'callers.pem'), OTHER_CA.cert, { mode: 0o600 })
    for (let tries = 0; tries < 100; tries++) {
      const { status } = await ask(scene.origin, { certificate: FORGED })
      if (status === 200) break
      await pause(100)
    }
    assert.deepEqual(
      [
        (await ask(scene.origin, { certificate: FORGED })).status,
        (await ask(scene.origin, { certificate: CI })).status,
      ],
      [200, 401],
    )
  })
})

test('a door that requires certificates talks to nobody without one', async () => {
  const scene = await open('required')
  try {
    const authorization = `Bearer ${await scene.key('ci')}`
    assert.equal((await ask(scene.origin, { authorization })).status, 0)
    assert.equal((await ask(scene.origin, { authorization, certificate: FORGED })).status, 0)
    assert.equal((await ask(scene.origin, { authorization, certificate: CI })).status, 200)
  } finally {
    await scene.door.stop()
    await removeHome(scene.home)
  }
})
