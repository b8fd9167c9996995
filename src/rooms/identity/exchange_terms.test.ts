import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '#base/json.ts'
import type { Caller, ClientCertificate } from '#trust/access/caller.ts'
import { toClaims } from '#trust/access/issued/issued_claims.ts'
import type { HeldSubject } from '#trust/access/issued/subjects.ts'
import { CALLER, proven, StillClock } from '../../../test/support/door_parts.ts'
import { termsOf, type Audience, type Exchange } from './exchange_terms.ts'

const clock = new StillClock()
const AUDIENCE: Audience = {
  name: 'payments',
  seconds: 300,
  binding: 'optional',
  scopes: new Set(['read', 'write']),
}
const ANN: Caller = {
  ...CALLER,
  ref: { type: 'User', id: 'ann' },
  kid: undefined,
  assurance: { aal: 2, via: 'token', binding: 'none', acr: 'urn:mfa', amr: ['otp'], authTime: 5 },
}

function subject(changes: Partial<HeldSubject> = {}, claims: JsonObject = {}): HeldSubject {
  return {
    proven: proven(ANN),
    issuer: 'people',
    claims,
    identity: { groups: ['staff'], roles: [], space: undefined, tenant: undefined },
    confirmation: undefined,
    record: 'r1',
    expiresAt: clock.now() + 600_000,
    isWorkload: false,
    ...changes,
  }
}

function exchange(changes: Partial<Exchange> = {}): Exchange {
  return {
    audience: AUDIENCE,
    caller: CALLER,
    record: 'r2',
    subject: subject(),
    proof: undefined,
    certificate: undefined,
    scopes: null,
    ...changes,
  }
}

function codeOf(asked: Exchange): string {
  try {
    termsOf(asked, clock)
    return 'ok'
  } catch (thrown) {
    return (thrown as { code: string }).code
  }
}

test('termsOf copies what the subject token says of the person, and names who asks', () => {
  const { facts, seconds } = termsOf(exchange(), clock)
  assert.equal(seconds, 300)
  assert.deepEqual(facts, {
    subject: { kind: 'User', name: 'ann', groups: ['staff'], roles: [], space: undefined, tenant: undefined },
    records: { demo: 'r2', ann: 'r1' },
    audience: 'payments',
    client: 'demo',
    actors: ['demo'],
    assurance: ANN.assurance,
    scopes: undefined,
    scope: { models: undefined, actions: undefined },
    kids: ['kid000000001'],
    confirmation: undefined,
  })
})

test('termsOf lets a token live as long as the audience says, and no longer than its subject', () => {
  const cases: readonly (readonly [left: number, seconds: number | string])[] = [
    [600_000, 300],
    [300_000, 300],
    [299_999, 299],
    [1_000, 1],
    [999, 'grant.invalid'],
    [-30_000, 'grant.invalid'],
  ]
  for (const [left, seconds] of cases) {
    const asked = exchange({ subject: subject({ expiresAt: clock.now() + left }) })
    assert.equal(codeOf(asked) === 'ok' ? termsOf(asked, clock).seconds : codeOf(asked), seconds)
  }
})

test('termsOf only shrinks scopes', () => {
  const own = { issuer: 'gatehouse' }
  const facts = { ...termsOf(exchange(), clock).facts, scopes: ['read'] }
  const ours = toClaims(facts)
  const noScopes: Audience = { ...AUDIENCE, scopes: new Set() }
  const cases: readonly (readonly [
    why: string,
    asked: Partial<Exchange>,
    scopes: readonly string[] | undefined | string,
  ])[] = [
    ['nothing asked and nothing said', {}, undefined],
    ['asked', { scopes: ['write'] }, ['write']],
    ['asked for what the audience does not know', { scopes: ['admin'] }, 'scope.wider'],
    [
      'asked for less than was held',
      { scopes: ['read'], subject: subject({}, { scope: 'read write' }) },
      ['read'],
    ],
    [
      'asked for more than was held',
      { scopes: ['read', 'write'], subject: subject({}, { scope: 'read' }) },
      'scope.wider',
    ],
    ['what was held', { subject: subject({}, { scope: 'openid read' }) }, ['read']],
    [
      'held in the words of another issuer',
      { audience: noScopes, subject: subject({}, { scope: 'openid' }) },
      undefined,
    ],
    ['held in a token of ours', { subject: subject(own, ours) }, ['read']],
    ['held in a token of ours, for others', { audience: noScopes, subject: subject(own, ours) }, []],
  ]
  for (const [why, asked, scopes] of cases) {
    const given = exchange(asked)
    assert.deepEqual(codeOf(given) === 'ok' ? termsOf(given, clock).facts.scopes : codeOf(given), scopes, why)
  }
})

test('termsOf names at most three actors, each only where it is another one', () => {
  const after = (...actors: readonly string[]): HeldSubject =>
    subject({ proven: proven({ ...ANN, assurance: { ...ANN.assurance, actors } }) })
  const cases: readonly (readonly [
    why: string,
    asked: Partial<Exchange>,
    actors: readonly string[] | string,
  ])[] = [
    ['for another one', {}, ['demo']],
    ['for itself', { caller: ANN }, []],
    ['for itself, on behalf of', { caller: ANN, subject: after('relay') }, ['relay']],
    ['again', { subject: after('demo', 'relay') }, ['demo', 'relay']],
    ['after others', { subject: after('a', 'b') }, ['demo', 'a', 'b']],
    ['after too many', { subject: after('a', 'b', 'c') }, 'grant.invalid'],
    ['who may', { subject: subject({}, { may_act: { sub: 'demo' } }) }, ['demo']],
    ['who may not', { subject: subject({}, { may_act: { sub: 'relay' } }) }, 'grant.invalid'],
    ['where it cannot be told', { subject: subject({}, { may_act: 'demo' }) }, 'grant.invalid'],
  ]
  for (const [why, asked, actors] of cases) {
    const given = exchange(asked)
    assert.deepEqual(codeOf(given) === 'ok' ? termsOf(given, clock).facts.actors : codeOf(given), actors, why)
  }
})

test('termsOf binds to all that was shown, and wants something shown where the audience does', () => {
  const proof = { jkt: 'k', jti: 'j' }
  const certificate: ClientCertificate = {
    thumbprint: 't',
    subject: '',
    uris: [],
    dnsNames: [],
    emails: [],
    notAfter: 0,
  }
  const audience = (binding: Audience['binding']): Audience => ({ ...AUDIENCE, binding })
  const workload = subject({ isWorkload: true })
  const cases: readonly (readonly [asked: Partial<Exchange>, bound: object | undefined | string])[] = [
    [{ audience: audience('optional'), subject: workload }, undefined],
    [{ audience: audience('workloads') }, undefined],
    [{ audience: audience('workloads'), subject: workload }, 'proof.invalid'],
    [{ audience: audience('required') }, 'proof.invalid'],
    [
      { audience: audience('required'), proof },
      { jkt: 'k', x5t: undefined },
    ],
    [
      { audience: audience('workloads'), subject: workload, certificate },
      { jkt: undefined, x5t: 't' },
    ],
    [
      { proof, certificate },
      { jkt: 'k', x5t: 't' },
    ],
  ]
  for (const [asked, bound] of cases) {
    const given = exchange(asked)
    assert.deepEqual(codeOf(given) === 'ok' ? termsOf(given, clock).facts.confirmation : codeOf(given), bound)
  }
})

test('termsOf narrows to what both keys may, and ends with each of them and those before', () => {
  const narrow = (kid: string, models: readonly string[] | undefined): Caller => ({
    ...CALLER,
    kid,
    scope: { models, actions: undefined },
  })
  const models = (left: readonly string[] | undefined, right: readonly string[] | undefined) =>
    termsOf(
      exchange({ caller: narrow('kid1', left), subject: subject({ proven: proven(narrow('kid2', right)) }) }),
      clock,
    ).facts
  assert.deepEqual(models(undefined, undefined).scope.models, undefined)
  assert.deepEqual(models(['a', 'b'], undefined).scope.models, ['a', 'b'])
  assert.deepEqual(models(undefined, ['a']).scope.models, ['a'])
  assert.deepEqual(models(['a', 'b'], ['b', 'c']).scope.models, ['b'])
  assert.deepEqual(models(['a'], ['b']).scope.models, [])
  assert.deepEqual(models(undefined, undefined).kids, ['kid2', 'kid1'])
  const byToken = (caller: Caller, ...kids: readonly string[]): Caller => ({
    ...caller,
    kid: undefined,
    limitedBy: kids.map((kid) => ({ kid, terms: undefined })),
  })
  const later = exchange({
    caller: byToken(CALLER, 'kid3'),
    subject: subject({ proven: proven(byToken(ANN, 'kid0', 'kid3')) }),
  })
  assert.deepEqual(
    termsOf(later, clock).facts.kids,
    ['kid0', 'kid3'],
    'also those of who comes with a token of ours',
  )
})

test('termsOf ties a token to the records of all who were in its story', () => {
  const earlier = toClaims({ ...termsOf(exchange(), clock).facts, records: { first: 'r0', ann: 'r1' } })
  const recordsOf = (changes: Partial<Exchange>) => termsOf(exchange(changes), clock).facts.records
  const held = subject({ issuer: 'gatehouse' }, earlier)
  assert.deepEqual(recordsOf({ subject: held }), { first: 'r0', demo: 'r2', ann: 'r1' })
  assert.deepEqual(recordsOf({ record: undefined, subject: subject({ record: undefined }) }), {})
})
