import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import { mapClaims, type ClaimMap, type NamesClaim, type ServiceClaim } from './map_claims.ts'

const MAP: ClaimMap = {
  user: ['sub'],
  userPrefix: '',
  tenant: undefined,
  space: undefined,
  groups: undefined,
  roles: undefined,
  services: undefined,
  actorPrefix: 'corp ',
  acr: new Map(),
}

const NAMES: NamesClaim = { path: ['groups'], isRequired: false, split: 'none', names: undefined }
const SERVICES: ServiceClaim = { path: ['client_id'], prefix: 'ci-', names: undefined, when: 'subject' }

function reasonOf(claims: JsonObject, map: Partial<ClaimMap>): unknown {
  try {
    mapClaims(claims, { ...MAP, ...map })
  } catch (thrown) {
    assert.ok(thrown instanceof Fault)
    return [thrown.detail['reason'], thrown.detail['claim']]
  }
  return 'none'
}

test('mapClaims names who acts in the words of the issuer, which no caller here has', () => {
  const actorsOf = (claims: JsonObject) => mapClaims({ sub: 'ann', ...claims }, MAP).assurance.actors
  assert.equal(actorsOf({}), undefined)
  assert.deepEqual(actorsOf({ act: { sub: 'relay', act: { sub: 'ci' } } }), ['corp relay', 'corp ci'])
  assert.deepEqual(reasonOf({ sub: 'ann', act: 'relay' }, {}), ['token.actors', undefined])
})

for (const [why, groups, claims, found] of [
  ['a list', {}, { groups: ['a', 'b'] }, ['a', 'b']],
  ['one text', {}, { groups: 'a' }, ['a']],
  ['one text with a space is one name', {}, { groups: 'a b' }, ['a b']],
  ['unless spaces separate', { split: 'space' }, { groups: 'a  b ' }, ['a', 'b']],
  ['or commas', { split: 'comma' }, { groups: 'a, b,,c' }, ['a', 'b', 'c']],
  ['what stands in a list is not split', { split: 'space' }, { groups: ['a b'] }, ['a b']],
  ['no claim is no group', {}, {}, []],
  ['an empty text is no group', {}, { groups: '' }, []],
  ['a path inwards', { path: ['realm_access', 'roles'] }, { realm_access: { roles: ['a'] } }, ['a']],
  [
    'a URL as a name',
    { path: ['https://example.com/groups'] },
    { 'https://example.com/groups': ['a'] },
    ['a'],
  ],
  ['each once', {}, { groups: ['a', 'a'] }, ['a']],
  ['names of our own', { names: new Map([['/admins', 'admins']]) }, { groups: ['/admins', 'x'] }, ['admins']],
] as const)
  test(`mapClaims reads groups: ${why}`, () => {
    const { groups: read } = mapClaims(
      { sub: 'alice', ...claims },
      { ...MAP, groups: { ...NAMES, ...groups } },
    )
    assert.deepEqual(read, found)
  })

const many = Array.from({ length: 1_001 }, (_, at) => `g${at}`)
for (const [why, claims, map, at] of [
  ['no user', {}, { user: ['email'] }, 'email'],
  ['a user that is no text', { email: 7 }, { user: ['email'] }, 'email'],
  ['an empty user', { email: '' }, { user: ['email'] }, 'email'],
  ['no tenant where one is needed', {}, { tenant: { path: ['org', 'id'], isRequired: true } }, 'org > id'],
  ['a tenant that is a list', { org: ['a'] }, { tenant: { path: ['org'], isRequired: false } }, 'org'],
  ['no groups where they are needed', {}, { groups: { ...NAMES, isRequired: true } }, 'groups'],
  ['groups that are an object', { groups: { a: 1 } }, { groups: NAMES }, 'groups'],
  ['a group that is a number', { groups: ['a', 1] }, { groups: NAMES }, 'groups'],
  ['an empty group', { groups: [''] }, { groups: NAMES }, 'groups'],
  ['too many groups', { groups: many }, { groups: NAMES }, 'groups'],
  ['a role that is a number', { groups: [1] }, { roles: NAMES }, 'groups'],
] as const)
  test(`mapClaims refuses ${why}: nothing is left out quietly`, () =>
    assert.deepEqual(reasonOf({ sub: 'alice', ...claims }, map), ['token.claim', at]))

test('mapClaims takes a thousand groups', () => {
  assert.equal(reasonOf({ sub: 'a', groups: many.slice(1) }, { groups: NAMES }), 'none')
})

test('mapClaims puts the prefix of the issuer before the names of its users', () => {
  const found = mapClaims(
    { sub: 'alice', org: 't1', unit: 's1' },
    {
      ...MAP,
      userPrefix: 'corp:',
      tenant: { path: ['org'], isRequired: true },
      space: { path: ['unit'], isRequired: false },
    },
  )
  assert.deepEqual([found.kind, found.name, found.tenant, found.space], ['User', 'corp:alice', 't1', 's1'])
})

for (const [why, services, claims, found] of [
  ['the subject is the client', {}, { sub: 'deploy', client_id: 'deploy' }, ['Service', 'ci-deploy']],
  ['a person has another subject', {}, { sub: 'alice', client_id: 'deploy' }, ['User', 'alice']],
  ['a person may come without a client', {}, { sub: 'alice' }, ['User', 'alice']],
  [
    'all tokens are of services',
    { when: 'always' },
    { sub: 'x', client_id: 'deploy' },
    ['Service', 'ci-deploy'],
  ],
  [
    'a claim says so',
    { when: { path: ['gty'], is: 'client-credentials' } },
    { sub: 'x', gty: 'client-credentials', client_id: 'deploy' },
    ['Service', 'ci-deploy'],
  ],
  ['it says another thing', { when: { path: ['gty'], is: 'app' } }, { sub: 'x', gty: 'user' }, ['User', 'x']],
  [
    'names of our own',
    { when: 'always', names: new Map([['org/repo', 'deploy']]) },
    { sub: 'x', client_id: 'org/repo' },
    ['Service', 'ci-deploy'],
  ],
] as const)
  test(`mapClaims tells services from users: ${why}`, () => {
    const map = { ...MAP, groups: NAMES, services: { ...SERVICES, ...services } }
    const { kind, name, groups } = mapClaims({ groups: ['g'], ...claims }, map)
    assert.deepEqual([kind, name], found)
    assert.deepEqual(groups, kind === 'Service' ? [] : ['g'])
  })

test('mapClaims refuses a service without a name, and one that the map of names does not have', () => {
  const always = { ...SERVICES, when: 'always' } as const
  assert.deepEqual(reasonOf({ sub: 'x' }, { services: always }), ['token.claim', 'client_id'])
  const named = { ...always, names: new Map([['a', 'b']]) }
  assert.deepEqual(reasonOf({ sub: 'x', client_id: 'c' }, { services: named }), ['token.claim', 'client_id'])
})
