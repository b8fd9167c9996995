import assert from 'node:assert/strict'
import { createRemoteJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from 'jose'
import * as client from 'openid-client'
import { after, before, describe, test } from 'node:test'
import {
  exchangeOf,
  exchangeScene,
  TYPES,
  type Answer,
  type ExchangeScene,
  type Form,
} from '../support/exchange_scene.ts'
import { ProofMaker } from '../support/proof_maker.ts'

let scene: ExchangeScene

before(async () => {
  scene = await exchangeScene()
})
after(async () => scene.close())

async function configuration(id: string, secret?: string): Promise<client.Configuration> {
  const how = secret === undefined ? client.None() : client.ClientSecretBasic(secret)
  return client.discovery(new URL(scene.origin), id, undefined, how, {
    algorithm: 'oauth2',
    execute: [client.allowInsecureRequests],
  })
}

describe('an OAuth client that knows nothing but the standards', () => {
  test('a service gets a token about a person for one audience: with the chain, the assurance, and a short life', async () => {
    const { key } = await scene.makeKey('ci')
    const config = await configuration('ci', key)
    const subject = await scene.person()
    const answer = await client.genericGrantRequest(config, TYPES.grant, {
      subject_token: subject,
      subject_token_type: TYPES.access,
      audience: 'payments',
      scope: 'read',
    })
    assert.deepEqual(
      [answer.token_type, answer['issued_token_type'], answer.expires_in, answer.scope],
      ['bearer', TYPES.access, 120, 'read'],
    )
    const { jwks_uri: keys } = config.serverMetadata()
    const { payload, protectedHeader } = await jwtVerify(
      answer.access_token,
      createRemoteJWKSet(new URL(String(keys))),
      { issuer: scene.origin, audience: 'payments', typ: 'at+jwt', algorithms: ['ES256'] },
    )
    const { sub, aud, act, acr, amr, auth_time, client_id, scope, exp = 0, iat = 0, jti } = payload
    assert.deepEqual(
      { sub, aud, act, acr, amr, auth_time, client_id, scope, life: exp - iat },
      {
        sub: 'p:ann@example.com',
        aud: 'payments',
        act: { sub: 'ci' },
        acr: 'urn:mfa',
        amr: ['otp', 'pwd'],
        auth_time: 1_700_000_000,
        client_id: 'ci',
        scope: 'read',
        life: 120,
      },
    )
    assert.equal(typeof jti, 'string')
    assert.equal(protectedHeader.alg, 'ES256')
  })

  test('a workload that has nothing but its token gets one that is bound to its key, and uses it at the door', async () => {
    const config = await configuration('ci:repo:example/app:ref:refs/heads/main')
    const proofs = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'))
    const answer = await client.genericGrantRequest(
      config,
      TYPES.grant,
      { subject_token: await scene.workload(), subject_token_type: TYPES.jwt, audience: scene.origin },
      { DPoP: proofs },
    )
    assert.equal(answer.token_type, 'dpop')
    const { cnf, act } = decodeJwt<{ cnf?: { jkt?: string } }>(answer.access_token)
    assert.equal(typeof cnf?.jkt, 'string')
    assert.equal(act, undefined)
    const used = await client.fetchProtectedResource(
      config,
      answer.access_token,
      new URL(`${scene.origin}/v1/models`),
      'GET',
      undefined,
      undefined,
      { DPoP: proofs },
    )
    const text = await used.text()
    assert.equal(used.status, 200, text)
    const stolen = await fetch(`${scene.origin}/v1/models`, {
      headers: { authorization: `Bearer ${answer.access_token}` },
    })
    assert.equal(stolen.status, 401, 'a bound token is worth nothing alone')
  })
})

/** `status error code` of an answer. */
function said({ status, body }: Answer): string {
  return `${String(status)} ${String(body['error'])} ${String(body['code'])}`
}

async function reasonOf({ body }: Answer): Promise<string> {
  const shown = await scene.admin('GET', `/admin/entries/${String(body['entry'])}`)
  return /"reason":\s*"([^"]+)"/.exec(JSON.stringify(shown))?.[1] ?? ''
}

describe('what an exchange refuses', () => {
  let relay = ''
  let basic = ''

  before(async () => {
    const { key } = await scene.makeKey('relay')
    relay = `Bearer ${key}`
    const made = await scene.makeKey('narrow', { models: ['other'] })
    basic = `Basic ${Buffer.from(`narrow:${made.key}`).toString('base64')}`
  })

  test('forms that are not right: with the error of OAuth, our own code and the entry', async () => {
    const person = await scene.person()
    const good = exchangeOf(person)
    const cases: readonly (readonly [why: string, form: Form, expected: string])[] = [
      ['no grant type', { ...good, grant_type: undefined }, '400 invalid_request input.invalid'],
      [
        'another grant type',
        { ...good, grant_type: 'password' },
        '400 unsupported_grant_type grant.unsupported',
      ],
      ['no subject', { ...good, subject_token: undefined }, '401 invalid_client caller.unknown'],
      ['no subject type', { ...good, subject_token_type: undefined }, '400 invalid_request input.invalid'],
      [
        'SAML',
        { ...good, subject_token_type: 'urn:ietf:params:oauth:token-type:saml2' },
        '400 invalid_request input.invalid',
      ],
      ['an actor type alone', { ...good, actor_token_type: TYPES.jwt }, '400 invalid_request input.invalid'],
      [
        'another kind of token',
        { ...good, requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' },
        '400 invalid_request input.invalid',
      ],
      ['an assertion of the client', { ...good, client_assertion: 'x' }, '400 invalid_request input.invalid'],
      ['no audience', { ...good, audience: undefined }, '400 invalid_request input.invalid'],
      ['two audiences', { ...good, audience: ['payments', 'vault'] }, '400 invalid_target audience.unknown'],
      [
        'an audience and a resource',
        { ...good, resource: 'https://other.example' },
        '400 invalid_target audience.unknown',
      ],
      [
        'an audience that is not ours',
        { ...good, audience: 'elsewhere' },
        '403 invalid_target action.denied',
      ],
      ['a scope of nobody', { ...good, scope: 'admin' }, '400 invalid_scope scope.wider'],
      ['a parameter twice', { ...good, scope: ['read', 'read'] }, '400 invalid_request input.invalid'],
      ['a token twice', { ...good, subject_token: [person, person] }, '400 invalid_request input.invalid'],
      ['the name of another client', { ...good, client_id: 'ci' }, '401 invalid_client caller.unknown'],
      [
        'a broken escape',
        `${new URLSearchParams({ x: '1' }).toString()}&y=%E0%80%80`,
        '400 invalid_request input.invalid',
      ],
      ['bytes beyond ASCII', 'grant_type=é', '400 invalid_request input.invalid'],
      [
        '10,000 parameters',
        Array.from({ length: 10_000 }, () => 'a=').join('&'),
        '400 invalid_request input.invalid',
      ],
      ['too large', `grant_type=${'x'.repeat(40_000)}`, '413 invalid_request input.too_large'],
      ['nothing', '', '401 invalid_client caller.unknown'],
    ]
    for (const [why, form, expected] of cases) {
      const answer = await scene.ask(form)
      assert.equal(said(answer), expected, why)
      assert.equal(answer.body['access_token'], undefined, why)
      assert.match(String(answer.body['entry']), /^[0-9A-Za-z]{16}$/, why)
    }
  })

  test('subjects that do not hold: as the credential of the request, and beside a good one', async () => {
    const now = Math.floor(Date.now() / 1_000)
    const other = await scene.ci.sign(scene.ci.claims({ iss: 'https://nobody.example' }), scene.key)
    const cases: readonly (readonly [why: string, token: string, reason: string])[] = [
      ['ended', await scene.person({ iat: now - 900, exp: now - 300 }), 'token.expired'],
      ['for others', await scene.person({ aud: 'others' }), 'token.audience'],
      ['of nobody', other, 'token.issuer'],
      ['cut', (await scene.person()).slice(0, -1), 'token.form'],
      [
        'another signature',
        `${(await scene.person()).split('.').slice(0, 2).join('.')}.${'A'.repeat(86)}`,
        'token.signature',
      ],
      ['no token', 'gate_live_000000000000_00000000000000000000000000000000_000000', 'key.unknown'],
    ]
    for (const [why, token, reason] of cases) {
      const alone = await scene.ask(exchangeOf(token))
      assert.equal(said(alone), '401 invalid_client caller.unknown', why)
      const beside = await scene.ask(exchangeOf(token), { authorization: relay })
      assert.equal(said(beside), '400 invalid_grant grant.invalid', why)
      assert.deepEqual([await reasonOf(alone), await reasonOf(beside)], [reason, reason], why)
    }
  })

  test('tokens of issuers without rights of their own open nothing but the exchange', async () => {
    const token = await scene.workload()
    const response = await fetch(`${scene.origin}/v1/models`, {
      headers: { authorization: `Bearer ${token}` },
    })
    assert.equal(response.status, 401)
  })

  test('a caller that no policy lets act for the subject, and a subject that a policy keeps out', async () => {
    const beside = await scene.ask(exchangeOf(await scene.person()), { authorization: relay })
    assert.equal(said(beside), '403 invalid_target action.denied')
  })

  test('an unbound token where the audience takes bound ones only', async () => {
    const cases = [
      await scene.ask(exchangeOf(await scene.person(), { audience: 'vault' })),
      await scene.ask(exchangeOf(await scene.workload(), { audience: 'builds' })),
    ]
    for (const answer of cases) assert.equal(said(answer), '400 invalid_dpop_proof proof.invalid')
  })

  test('proofs that are not right', async () => {
    const maker = await ProofMaker.make()
    const url = `${scene.origin}/oauth/token`
    const form = exchangeOf(await scene.person(), { audience: 'vault' })
    const first = await scene.ask(form, { dpop: await maker.make('POST', url) })
    assert.equal(said(first), '401 use_dpop_nonce proof.nonce')
    maker.nonce = first.headers.get('dpop-nonce') ?? ''
    const now = Math.floor(Date.now() / 1_000)
    const twice = await maker.make('POST', url)
    assert.equal((await scene.ask(form, { dpop: twice })).status, 200)
    const cases: readonly (readonly [why: string, proof: string, reason: string])[] = [
      ['used before', twice, 'proof.replayed'],
      ['another method', await maker.make('GET', url), 'proof.method'],
      ['another path', await maker.make('POST', `${scene.origin}/v1/models`), 'proof.url'],
      ['another host', await maker.make('POST', 'https://evil.example/oauth/token'), 'proof.url'],
      ['about a token', await maker.make('POST', url, { token: 'x' }), 'proof.token'],
      ['too old', await maker.make('POST', url, { claims: { iat: now - 100 } }), 'proof.time'],
      ['ahead', await maker.make('POST', url, { claims: { iat: now + 100 } }), 'proof.time'],
      ['no id', await maker.make('POST', url, { claims: { jti: undefined } }), 'proof.form'],
      ['another type', await maker.make('POST', url, { header: { typ: 'jwt' } }), 'proof.type'],
      [
        'a private key',
        await maker.make('POST', url, { header: { jwk: { ...maker.jwk, d: 'AA' } } }),
        'proof.key',
      ],
      ['no key', await maker.make('POST', url, { header: { jwk: undefined } }), 'proof.key'],
      ['no proof', 'x', 'proof.form'],
    ]
    const { key } = await scene.makeKey('proven')
    const mine = exchangeOf(key, { audience: 'vault' })
    for (const [why, proof, reason] of cases) {
      const answer = await scene.ask(mine, { authorization: `Bearer ${key}`, dpop: proof })
      assert.equal(said(answer), '400 invalid_dpop_proof proof.invalid', why)
      assert.equal(await reasonOf(answer), reason, why)
    }
    const stale = await maker.make('POST', url, { claims: { nonce: 'AAAA' } })
    const told = await scene.ask(mine, { authorization: `Bearer ${key}`, dpop: stale })
    assert.equal(said(told), '400 use_dpop_nonce nonce.needed')
  })

  test('ways of clients to show who they are: Basic, post, and no two at once', async () => {
    const { key } = await scene.makeKey('ways')
    const form = exchangeOf(key)
    const login = (name: string, secret: string): string =>
      `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`
    const cases: readonly (readonly [
      why: string,
      form: Form,
      headers: Record<string, string>,
      expected: number,
    ])[] = [
      ['Basic', form, { authorization: login('ways', key) }, 200],
      ['post', { ...form, client_id: 'ways', client_secret: key }, {}, 200],
      ['the key as the subject alone', form, {}, 200],
      ['Basic with another name', form, { authorization: login('ci', key) }, 401],
      ['Basic without a colon', form, { authorization: `Basic ${Buffer.from(key).toString('base64')}` }, 401],
      ['post with another name', { ...form, client_id: 'ci', client_secret: key }, {}, 401],
      ['post without a name', { ...form, client_secret: key }, {}, 400],
      [
        'a good one and a bad one',
        { ...form, client_id: 'ways', client_secret: 'x' },
        { authorization: login('ways', key) },
        400,
      ],
    ]
    for (const [why, given, headers, expected] of cases)
      assert.equal((await scene.ask(given, headers)).status, expected, why)
    const elsewhere = await fetch(`${scene.origin}/v1/models`, {
      headers: { authorization: login('ways', key) },
    })
    assert.equal(elsewhere.status, 401, 'Basic is taken at /oauth/token only')
  })

  test('a key that is narrow makes tokens that are', async () => {
    const answer = await scene.ask(exchangeOf(basicKey(basic), { audience: scene.origin }), {
      authorization: basic,
    })
    assert.equal(answer.status, 200, said(answer))
    const token = String(answer.body['access_token'])
    const list = await fetch(`${scene.origin}/v1/models`, { headers: { authorization: `Bearer ${token}` } })
    const chat = await fetch(`${scene.origin}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: '{"model":"echo","messages":[{"role":"user","content":"hi"}]}',
    })
    assert.deepEqual([list.status, chat.status], [200, 403])
  })
})

function basicKey(basic: string): string {
  return Buffer.from(basic.slice('Basic '.length), 'base64').toString().split(':')[1] ?? ''
}

describe('tokens of ours', () => {
  test('hold at their audience alone, and are no subjects without a client where they are for another one', async () => {
    const answer = await scene.ask(exchangeOf(await scene.person()))
    assert.equal(answer.status, 200, said(answer))
    const token = String(answer.body['access_token'])
    const used = await fetch(`${scene.origin}/v1/models`, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(used.status, 401)
    const again = await scene.ask(exchangeOf(token, { audience: scene.origin }))
    assert.equal(said(again), '401 invalid_client caller.unknown')
    assert.equal(await reasonOf(again), 'token.audience')
  })

  test('end with the caller and with the key that they were made with', async () => {
    const { key, kid } = await scene.makeKey('ending')
    const form = exchangeOf(key, { audience: scene.origin })
    const token = String((await scene.ask(form)).body['access_token'])
    const use = async (): Promise<number> =>
      (await fetch(`${scene.origin}/v1/models`, { headers: { authorization: `Bearer ${token}` } })).status
    assert.equal(await use(), 200)
    await scene.admin('POST', '/admin/callers/disable', { name: 'ending' })
    assert.equal(await use(), 401)
    await scene.admin('POST', '/admin/callers/enable', { name: 'ending' })
    assert.equal(await use(), 200)
    await scene.admin('POST', `/admin/keys/${kid}/revoke`)
    assert.equal(await use(), 401)
  })

  test('that others were made with go on to end those: as subjects, and as the credential of who asks', async () => {
    const { key, kid } = await scene.makeKey('ci')
    const door = String((await scene.ask(exchangeOf(key, { audience: scene.origin }))).body['access_token'])
    const authorization = `Bearer ${door}`
    const form = exchangeOf(await scene.person(), { audience: scene.origin })
    const made = await scene.ask(form, { authorization })
    assert.equal(made.status, 200, said(made))
    const token = String(made.body['access_token'])
    const use = async (): Promise<number> =>
      (await fetch(`${scene.origin}/v1/models`, { headers: { authorization: `Bearer ${token}` } })).status
    assert.equal(await use(), 200)
    await scene.admin('POST', `/admin/keys/${kid}/revoke`)
    assert.equal(await use(), 401)
  })

  test('hold where the key holds that they were made with, and nowhere else', async () => {
    const { key } = await scene.makeKey('at-home', { addresses: ['198.51.100.0/24'] })
    const inside = { 'x-forwarded-for': '198.51.100.7' }
    const answer = await scene.ask(exchangeOf(key, { audience: scene.origin }), inside)
    const token = String(answer.body['access_token'])
    const use = async (headers: object): Promise<number> =>
      (
        await fetch(`${scene.origin}/v1/models`, {
          headers: { authorization: `Bearer ${token}`, ...headers },
        })
      ).status
    assert.equal(await use(inside), 200)
    assert.equal(await use({ 'x-forwarded-for': '203.0.113.7' }), 401)
    const again = await scene.ask(exchangeOf(token))
    assert.equal(await reasonOf(again), 'key.address_outside')
  })

  test('that were narrowed do no more as subjects or actors than they do at the door', async () => {
    const narrow = String(
      (await scene.ask(exchangeOf(await scene.person(), { audience: scene.origin, scope: 'model:list' })))
        .body['access_token'],
    )
    const direct = await scene.ask(exchangeOf(narrow), { authorization: `Bearer ${narrow}` })
    const alone = await scene.ask(exchangeOf(narrow))
    const actor = await scene.ask({
      ...exchangeOf(await scene.person()),
      actor_token: narrow,
      actor_token_type: TYPES.access,
    })
    assert.deepEqual([said(direct), said(alone), said(actor)], Array(3).fill(said(direct)))
    assert.equal(direct.body['code'], 'action.denied')
  })

  test('carry at most three actors, and what their subject said is never raised', async () => {
    const { key } = await scene.makeKey('ci')
    const authorization = `Bearer ${key}`
    const chain = (depth: number): object =>
      Array.from({ length: depth }).reduce<object>((act, _, at) => ({ sub: `a${String(at)}`, act }), {
        sub: 'root',
      })
    const deep = await scene.ask(exchangeOf(await scene.person({ act: chain(2) })), { authorization })
    assert.equal(said(deep), '400 invalid_grant grant.invalid')
    const right = await scene.ask(exchangeOf(await scene.person({ act: chain(1) })), { authorization })
    assert.equal(right.status, 200, said(right))
    assert.deepEqual(decodeJwt(String(right.body['access_token']))['act'], {
      sub: 'ci',
      act: { sub: 'people a0', act: { sub: 'people root' } },
    })
    const plain = await scene.ask(
      {
        ...exchangeOf(await scene.person({ acr: undefined, amr: ['pwd'] })),
        acr: 'urn:mfa',
        acr_values: 'urn:mfa',
      },
      { authorization },
    )
    const { acr, amr } = decodeJwt(String(plain.body['access_token']))
    assert.deepEqual([acr, amr], [undefined, ['pwd']])
    const named = await scene.ask(exchangeOf(await scene.person({ may_act: { sub: 'another' } })), {
      authorization,
    })
    assert.equal(said(named), '400 invalid_grant grant.invalid')
  })

  test('live no longer than their subject, and shrink in scope only', async () => {
    const now = Math.floor(Date.now() / 1_000)
    const { key } = await scene.makeKey('ci')
    const authorization = `Bearer ${key}`
    const short = await scene.ask(exchangeOf(await scene.person({ iat: now, exp: now + 40 })), {
      authorization,
    })
    assert.ok(Number(short.body['expires_in']) <= 40, said(short))
    const read = await scene.person({ scope: 'read' })
    const wider = await scene.ask(exchangeOf(read, { scope: 'read write' }), { authorization })
    assert.equal(said(wider), '400 invalid_scope scope.wider')
    const kept = await scene.ask(exchangeOf(read), { authorization })
    assert.equal(kept.body['scope'], 'read')
  })
})

test('a rotation changes the key that signs, and tokens of the one before hold on', async () => {
  const { key } = await scene.makeKey('rotating')
  const form = exchangeOf(key, { audience: scene.origin })
  const kidOf = (token: string): string => String(decodeProtectedHeader(token).kid)
  const published = async (): Promise<readonly string[]> => {
    const response = await fetch(`${scene.origin}/.well-known/jwks.json`)
    const { keys }: { keys: readonly { kid: string }[] } = JSON.parse(await response.text())
    return keys.map(({ kid }) => kid)
  }
  const before = String((await scene.ask(form)).body['access_token'])
  const [next, signing] = await published()
  assert.equal(kidOf(before), signing)
  await scene.cli('token-key', 'rotate')
  const after = String((await scene.ask(form)).body['access_token'])
  assert.equal(kidOf(after), next)
  const kids = await published()
  assert.deepEqual(kids.slice(1), [next, signing])
  for (const token of [before, after]) {
    const used = await fetch(`${scene.origin}/v1/models`, { headers: { authorization: `Bearer ${token}` } })
    assert.equal(used.status, 200)
  }
  const listed: { keys: readonly { state: string }[] } = JSON.parse(await scene.cli('token-key', 'list'))
  assert.deepEqual(
    listed.keys.map(({ state }) => state),
    ['next', 'signs', 'ends'],
  )
})

test('a bound token opens the door only with a new proof of its own key about this very request', async () => {
  const { key } = await scene.makeKey('bound')
  const url = `${scene.origin}/v1/models`
  const [own, other] = [await ProofMaker.make(), await ProofMaker.make()]
  const form = exchangeOf(key, { audience: scene.origin })
  const at = `${scene.origin}/oauth/token`
  const first = await scene.ask(form, { authorization: `Bearer ${key}`, dpop: await own.make('POST', at) })
  own.nonce = other.nonce = first.headers.get('dpop-nonce') ?? ''
  const made = await scene.ask(form, { authorization: `Bearer ${key}`, dpop: await own.make('POST', at) })
  const token = String(made.body['access_token'])
  assert.equal(made.body['token_type'], 'DPoP')
  const use = async (scheme: string, given: string, ...proofs: readonly string[]): Promise<Response> => {
    const headers = new Headers({ authorization: `${scheme} ${given}` })
    for (const proof of proofs) headers.append('dpop', proof)
    return fetch(url, { headers })
  }
  const proof = (of: ProofMaker, claims: object = {}): Promise<string> =>
    of.make('GET', url, { token, claims })
  const good = await proof(own)
  assert.equal((await use('DPoP', token, good)).status, 200)
  const cases: readonly (readonly [why: string, response: Response, reason: string])[] = [
    ['the same proof again', await use('DPoP', token, good), 'proof.replayed'],
    ['no proof', await use('DPoP', token), 'proof.unbound'],
    ['as plain Bearer', await use('Bearer', token), 'proof.unbound'],
    ['as plain Bearer with a proof', await use('Bearer', token, await proof(own)), 'proof.unbound'],
    ['the proof of another key', await use('DPoP', token, await proof(other)), 'token.binding'],
    [
      'a proof about another token',
      await use('DPoP', token, await own.make('GET', url, { token: 'x' })),
      'proof.token',
    ],
    ['a proof about no token', await use('DPoP', token, await own.make('GET', url)), 'proof.token'],
    ['a proof about the exchange', await use('DPoP', token, await proof(own, { htu: at })), 'proof.url'],
    ['two proofs in one header', await use('DPoP', token, await proof(own), await proof(own)), 'proof.form'],
    [
      'a key with a proof',
      await use('DPoP', key, await own.make('GET', url, { token: key })),
      'token.binding',
    ],
  ]
  for (const [why, response, reason] of cases) {
    assert.equal(response.status, 401, why)
    const { error }: { error: { gatehouse: Record<string, unknown> } } = JSON.parse(await response.text())
    const found = await reasonOf({ status: 401, headers: response.headers, body: error.gatehouse })
    assert.equal(found, reason, why)
  }
  const stale = await use('DPoP', token, await proof(own, { nonce: undefined }))
  assert.equal(stale.headers.get('www-authenticate'), 'DPoP realm="gatehouse", error="use_dpop_nonce"')
  const query = await fetch(url, {
    headers: { authorization: `DPoP ${token}`, dpop: await proof(own, { htu: `${url}?x#y` }) },
  })
  assert.equal(query.status, 200, 'query and fragment are no part of the URL of a proof')
  const again = await scene.ask(exchangeOf(token, { audience: 'payments' }))
  assert.equal(said(again), '401 invalid_client caller.unknown', 'a stolen bound token is no subject')
  const kept = await scene.ask(exchangeOf(token, { audience: 'payments' }), {
    dpop: await own.make('POST', at),
  })
  assert.equal(kept.status, 200, said(kept))
})
