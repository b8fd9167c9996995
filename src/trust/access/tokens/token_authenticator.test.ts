import fc from 'fast-check'
import { CompactSign } from 'jose'
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { sha256Hex } from '#base/crypto.ts'
import { Sealed } from '#base/sealed.ts'
import { makeIssuerKey } from '../../../../test/fakes/issuer.ts'
import { bearer, outcomeOf, tokenScene, type TokenScene } from '../../../../test/support/token_scene.ts'
import { FRESH_MS } from './kept_keys.ts'
import { SKEW_MS } from './check_claims.ts'

const MAP = {
  groups: { path: ['groups'], isRequired: false, split: 'none', names: undefined },
  tenant: { path: ['org'], isRequired: false },
  acr: new Map([['urn:mfa', 2]] as const),
  services: { path: ['client_id'], prefix: '', names: undefined, when: 'subject' },
} as const

let scene: TokenScene
before(async () => (scene = await tokenScene({ map: MAP })))
after(async () => scene.close())
beforeEach(() => {
  scene.idp.does(undefined)
  scene.idp.publish([scene.key.publicJwk])
})

test('a good token proves its user, and what proved it is on record', async () => {
  const text = await scene.token({
    jti: 'the-id',
    acr: 'urn:mfa',
    amr: ['pwd'],
    auth_time: 1_790_000_000,
    groups: ['eng'],
  })
  const { caller } = await scene.prove(text)
  assert.deepEqual(caller.ref, { type: 'User', id: 'alice' })
  assert.equal(caller.kid, undefined)
  assert.deepEqual(caller.scope, { models: undefined, actions: undefined })
  assert.deepEqual(caller.assurance, {
    aal: 2,
    via: 'token',
    binding: 'none',
    amr: ['pwd'],
    acr: 'urn:mfa',
    authTime: 1_790_000_000,
  })
  const evidence = { via: 'token', issuer: 'corp', aal: 2, token: sha256Hex('the-id') }
  assert.deepEqual(
    caller.evidence,
    { ...evidence, user: 'alice' },
    'whom the directory does not know has a name too',
  )
  assert.ok(caller.entities[0]?.parents.some(({ type, id }) => type === 'Group' && id === 'eng'))
  assert.ok(Object.isFrozen(caller))
})

test('a token that was verified before is proven at once, by the very same caller', async () => {
  const text = await scene.token()
  const first = await scene.prove(text)
  const again = scene.authenticator.authenticate(bearer(text), '127.0.0.1')
  assert.ok(!(again instanceof Promise))
  assert.equal(again.caller, first.caller)
})

test('the same new token, many times at once, is checked once', async () => {
  const text = await scene.token()
  const before = scene.tokens.size
  const all = await Promise.all(Array.from({ length: 50 }, async () => scene.prove(text)))
  assert.equal(new Set(all.map(({ caller }) => caller)).size, 1)
  assert.equal(scene.tokens.size, before + 1)
})

test('what is remembered ends with its token: nothing outlives exp by more than the skew', async () => {
  const text = await scene.token()
  const proven = await scene.prove(text)
  scene.clock.advance(600_000)
  assert.ok(
    scene.authenticator.authenticate(bearer(text), '127.0.0.1') instanceof Promise,
    'it is looked at again',
  )
  assert.equal(await scene.outcome(text), 'User::"alice"', 'clocks may differ')
  assert.equal(proven.recheck(), proven.caller)
  scene.clock.advance(SKEW_MS)
  assert.equal(await scene.outcome(text), 'token.expired')
  assert.equal(await outcomeOf(() => proven.recheck()), 'token.expired')
})

test('a key that the issuer takes back ends what it signed, also on its way', async () => {
  const other = await makeIssuerKey('two')
  const text = await scene.token()
  const proven = await scene.prove(text)
  scene.idp.publish([other.publicJwk])
  // Whoever comes with the new key lets the set be read again.
  assert.equal(await scene.outcome(await scene.idp.sign(scene.idp.claims(), other)), 'User::"alice"')
  assert.equal(await outcomeOf(() => proven.recheck()), 'token.key_removed')
  assert.equal(await scene.outcome(text), 'token.key_unknown')
  scene.idp.publish([scene.key.publicJwk])
  scene.clock.advance(FRESH_MS)
})

test('a user who is disabled is out with the next request, and in again when enabled', async () => {
  const { directory } = scene.callers
  const user = scene.change(() =>
    directory.createCaller({ name: 'dora', kind: 'User', createdBy: 'System::"operator"' }),
  )
  const text = await scene.token({ sub: 'dora' })
  assert.equal((await scene.prove(text)).caller.evidence['user'], undefined, 'the directory has the name')
  const proven = await scene.prove(text)
  scene.change(() => directory.setActive(user, false))
  assert.equal(await scene.outcome(text), 'caller.disabled')
  assert.equal(await outcomeOf(() => proven.recheck()), 'caller.disabled')
  assert.equal(await scene.outcome(await scene.token({ sub: 'dora' })), 'caller.disabled')
  scene.change(() => directory.setActive(user, true))
  assert.equal(await scene.outcome(text), 'User::"dora"')
})

test('a group that a user is put into counts with the next request, beside those of the token', async () => {
  const { directory } = scene.callers
  const user = scene.change(() =>
    directory.createCaller({ name: 'emil', kind: 'User', createdBy: 'System::"operator"' }),
  )
  const group = scene.change(() => directory.createGroup({ display: 'local' }))
  const text = await scene.token({ sub: 'emil', groups: ['signed'] })
  const proven = await scene.prove(text)
  const groupsOf = (caller = proven.recheck()) =>
    (caller.entities[0]?.parents ?? []).filter(({ type }) => type === 'Group').map(({ id }) => id)
  assert.deepEqual(groupsOf(), ['signed'])
  scene.change(() => directory.addMembers(group, [user]))
  assert.deepEqual(groupsOf().toSorted(), ['local', 'signed'])
  assert.deepEqual(groupsOf((await scene.prove(text)).caller).toSorted(), ['local', 'signed'])
})

test('a service of a token must be in the directory', async () => {
  const claims = { sub: 'deployer', client_id: 'deployer' }
  assert.equal(await scene.outcome(await scene.token(claims)), 'service.unknown')
  const { directory } = scene.callers
  const service = scene.change(() =>
    directory.createCaller({ name: 'deployer', kind: 'Service', createdBy: 'System::"operator"' }),
  )
  assert.equal(await scene.outcome(await scene.token(claims)), 'Service::"deployer"')
  assert.equal(await scene.outcome(await scene.token({ sub: 'deployer' })), 'caller.service')
  assert.equal(await scene.outcome(await scene.token({ ...claims, org: 'other' })), 'tenant.other')
  assert.equal(await scene.outcome(await scene.token({ ...claims, org: 'default' })), 'Service::"deployer"')
  scene.change(() => directory.setActive(service, false))
  assert.equal(await scene.outcome(await scene.token(claims)), 'caller.disabled')
})

test('an issuer that may not bring users is held to those of the directory', async () => {
  const strict = await tokenScene({ issuer: { unknownUsers: 'refuse' } })
  try {
    assert.equal(await strict.outcome(await strict.token()), 'user.unknown')
    const { directory } = strict.callers
    strict.change(() =>
      directory.createCaller({ name: 'alice', kind: 'User', createdBy: 'System::"operator"' }),
    )
    assert.equal(await strict.outcome(await strict.token()), 'User::"alice"')
  } finally {
    await strict.close()
  }
})

test('a name or group that does not fit refuses the token', async () => {
  for (const [claims, reason] of [
    [{ sub: 'a b' }, 'caller.malformed'],
    [{ sub: 'a\u{202E}b' }, 'caller.malformed'],
    [{ groups: ['Domain Admins'] }, 'group.malformed'],
    [{ groups: ['ok', 'x'.repeat(129)] }, 'group.malformed'],
  ] as const)
    assert.equal(await scene.outcome(await scene.token(claims)), reason, JSON.stringify(claims))
})

test('an issuer that cannot be reached is no reason to believe its tokens', async () => {
  const away = await tokenScene()
  try {
    away.idp.does((response) => response.writeHead(503).end())
    assert.equal(await away.outcome(await away.token()), 'issuer.unreachable')
  } finally {
    await away.close()
  }
})

test('looksReal is true for what could be a token of ours, and costs no signature', async () => {
  const { clock, tokens, idp } = scene
  const good = await scene.token()
  const looks = (text: string): boolean => tokens.looksReal(new Sealed(text))
  assert.equal(looks(good), true)
  assert.equal(looks(`${good.slice(0, -8)}AAAAAAAA`), true, 'a forged signature looks real')
  assert.equal(looks(await idp.sign({ ...idp.claims(), iss: 'https://other.example' }, scene.key)), false)
  assert.equal(looks(await idp.sign({ ...idp.claims(), aud: 'other' }, scene.key)), false)
  assert.equal(looks(await idp.sign({ ...idp.claims(), exp: clock.now() / 1_000 - 100 }, scene.key)), false)
  assert.equal(looks('a.b.c'), false)
  assert.equal(looks('x'.repeat(16_000)), false)
})

test('fewer tokens are remembered that name many groups, each of which takes memory', async () => {
  const groups = { path: ['groups'], isRequired: false, split: 'none', names: undefined } as const
  const small = await tokenScene({ kept: 100, map: { groups } })
  try {
    const names = Array.from({ length: 160 }, (_, at) => `g${at}`)
    for (let at = 0; at < 20; at++) await small.prove(await small.token({ sub: `u${at}`, groups: names }))
    assert.ok(small.tokens.size > 0 && small.tokens.size <= 4, String(small.tokens.size))
  } finally {
    await small.close()
  }
})

test('no more tokens are remembered than may be', async () => {
  const small = await tokenScene({ kept: 10 })
  try {
    for (let at = 0; at < 40; at++) await small.prove(await small.token({ sub: `u${at}` }))
    assert.ok(small.tokens.size <= 10)
    assert.equal(await small.outcome(await small.token()), 'User::"alice"')
  } finally {
    await small.close()
  }
})

test('any bit of a good token that is turned refuses it', async () => {
  const text = await scene.token({ jti: undefined })
  assert.equal(await scene.outcome(text), 'User::"alice"')
  const bytes = Buffer.from(text, 'latin1')
  await fc.assert(
    fc.asyncProperty(fc.nat(bytes.length * 8 - 1), async (bit) => {
      const flipped = Buffer.from(bytes)
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      const outcome = await scene.outcome(flipped.toString('latin1'))
      assert.doesNotMatch(outcome, /^(User|Service)::/)
    }),
    { seed: 20_260_722, numRuns: 400 },
  )
})

test('the order of the members of a token means nothing', async () => {
  const claims = Object.entries({ ...scene.idp.claims({ groups: ['a', 'b'], acr: 'urn:mfa' }), jti: 'same' })
  const expected = (await scene.prove(await scene.idp.sign(Object.fromEntries(claims), scene.key))).caller
  await fc.assert(
    fc.asyncProperty(fc.shuffledSubarray(claims, { minLength: claims.length }), async (shuffled) => {
      const text = await new CompactSign(utf8(JSON.stringify(Object.fromEntries(shuffled))))
        .setProtectedHeader({ typ: 'at+jwt', kid: scene.key.kid, alg: 'ES256' })
        .sign(scene.key.privateKey)
      const { caller } = await scene.prove(text)
      assert.deepEqual(
        [caller.ref, caller.entities, caller.evidence, caller.assurance],
        [expected.ref, expected.entities, expected.evidence, expected.assurance],
      )
    }),
    { seed: 20_260_722, numRuns: 40 },
  )
})
