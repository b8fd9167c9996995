import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '#base/json.ts'
import { actorsIn, fromClaims, scopesIn, toClaims, type IssuedFacts } from './issued_claims.ts'

const FACTS: IssuedFacts = {
  subject: { kind: 'User', name: 'ann', groups: ['staff'], roles: ['lead'], space: 'lab', tenant: 'acme' },
  records: { ann: 'r1', ci: 'r2' },
  audience: 'payments',
  client: 'ci',
  actors: ['ci', 'relay'],
  assurance: { aal: 2, acr: 'urn:mfa', amr: ['otp', 'pwd'], authTime: 5 },
  scopes: ['read', 'write'],
  scope: { models: ['echo'], actions: ['model:infer'] },
  kids: ['kid000000001'],
  confirmation: { jkt: 'j', x5t: 't' },
}

test('toClaims and fromClaims are each other backwards: what is bound is for the verifier to read', () => {
  assert.deepEqual(toClaims(FACTS), {
    sub: 'ann',
    aud: 'payments',
    client_id: 'ci',
    scope: 'read write',
    act: { sub: 'ci', act: { sub: 'relay' } },
    cnf: { jkt: 'j', 'x5t#S256': 't' },
    acr: 'urn:mfa',
    amr: ['otp', 'pwd'],
    auth_time: 5,
    groups: ['staff'],
    roles: ['lead'],
    gatehouse: {
      kind: 'User',
      aal: 2,
      records: { ann: 'r1', ci: 'r2' },
      space: 'lab',
      tenant: 'acme',
      models: ['echo'],
      actions: ['model:infer'],
      keys: ['kid000000001'],
    },
  })
  assert.deepEqual(fromClaims(toClaims(FACTS)), { ...FACTS, confirmation: undefined })
  const least: IssuedFacts = {
    subject: { kind: 'Service', name: 'ci', groups: [], roles: [], space: undefined, tenant: undefined },
    records: {},
    audience: 'payments',
    client: 'ci',
    actors: [],
    assurance: { aal: 1, acr: undefined, amr: [], authTime: undefined },
    scopes: undefined,
    scope: { models: undefined, actions: undefined },
    kids: [],
    confirmation: undefined,
  }
  assert.deepEqual(Object.keys(toClaims(least)), ['sub', 'aud', 'client_id', 'gatehouse'])
  assert.deepEqual(fromClaims(toClaims(least)), least)
  assert.deepEqual(fromClaims(toClaims({ ...least, scopes: [] })).scopes, [], 'no scope is not every scope')
})

test('fromClaims refuses what it did not write', () => {
  const good = toClaims(FACTS)
  const own = good['gatehouse'] as JsonObject
  const cases: readonly JsonObject[] = [
    {},
    { ...good, gatehouse: null },
    { ...good, sub: 1 },
    { ...good, aud: ['payments'] },
    { ...good, client_id: 1 },
    { ...good, acr: 1 },
    { ...good, amr: 'pwd' },
    { ...good, groups: [1] },
    { ...good, gatehouse: { ...own, kind: 'System' } },
    { ...good, gatehouse: { ...own, aal: 4 } },
    { ...good, gatehouse: { ...own, models: 'echo' } },
    { ...good, gatehouse: { ...own, space: 1 } },
  ]
  for (const claims of cases)
    assert.throws(() => fromClaims(claims), { code: 'caller.unknown', detail: { reason: 'token.claim' } })
})

test('actorsIn reads a chain of three and refuses what is longer or has no names', () => {
  assert.deepEqual(actorsIn(undefined), [])
  assert.deepEqual(actorsIn({ sub: 'a', act: { sub: 'b', act: { sub: 'c' } } }), ['a', 'b', 'c'])
  for (const act of [
    { sub: 'a', act: { sub: 'b', act: { sub: 'c', act: { sub: 'd' } } } },
    'a',
    {},
    { sub: '' },
    { sub: 'a', act: null },
  ])
    assert.throws(() => actorsIn(act), { detail: { reason: 'token.actors' } })
})

test('scopesIn reads the forms that issuers use', () => {
  const cases: readonly (readonly [claims: JsonObject, scopes: readonly string[] | undefined])[] = [
    [{}, undefined],
    [{ scope: 'a  b' }, ['a', 'b']],
    [{ scope: '' }, []],
    [{ scp: 'a' }, ['a']],
    [{ scp: ['a', 'b'] }, ['a', 'b']],
  ]
  for (const [claims, scopes] of cases) assert.deepEqual(scopesIn(claims), scopes)
  assert.throws(() => scopesIn({ scope: 1 }), { detail: { reason: 'token.claim' } })
})
