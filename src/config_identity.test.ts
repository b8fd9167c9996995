import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { loadConfig } from './config.ts'

const GOOD = 'issuer: https://login.example, audiences: [gatehouse]'

function issuers(text: string): string {
  return `identity:\n  issuers:\n${text.replaceAll(/^/gm, '    ')}\n`
}

function problemsOf(text: string): readonly string[] {
  try {
    loadConfig(text, 'test')
    return []
  } catch (thrown) {
    assert.ok(thrown instanceof Fault)
    const { problems } = thrown.detail as { problems: readonly { path: string; message: string }[] }
    return problems.map(({ path, message }) => `${path.replace('identity.issuers.', '')} ${message}`)
  }
}

test('an issuer needs two things, and the rest is as strict as it can be', () => {
  const one = loadConfig(issuers(`corp: { ${GOOD} }`), 'test').identity.issuers['corp']
  assert.equal(one?.unknown_users, 'refuse')
  assert.equal(one.network, 'public')
  assert.deepEqual(one.types, ['at+jwt', 'jwt'])
  assert.ok(!one.algorithms.some((name) => name.startsWith('HS')))
  assert.deepEqual(one.user, ['sub'])
})

test('a path to a claim is read the same in both forms', () => {
  const read = (user: string) =>
    loadConfig(issuers(`corp: { ${GOOD}, user: ${user} }`), 'test').identity.issuers['corp']?.user
  assert.deepEqual(read('a.b'), ['a', 'b'])
  assert.deepEqual(read('[a, b]'), ['a', 'b'])
  assert.deepEqual(read('["https://example.com/name"]'), ['https://example.com/name'])
})

const REFUSED: readonly (readonly [why: string, text: string, says: RegExp])[] = [
  [
    'the issuer is no URL and has no keys',
    'corp: { issuer: corp, audiences: [x] }',
    /^corp.issuer must be an https URL/,
  ],
  ['it is reached without TLS', 'corp: { issuer: "http://login.example", audiences: [x] }', /https/],
  [
    'its keys are',
    `corp: { ${GOOD}, keys_url: "http://login.example/keys" }`,
    /^corp.keys_url must be an https URL/,
  ],
  ['its URL has a user', 'corp: { issuer: "https://a@login.example", audiences: [x] }', /without user/],
  ['its URL has a query', 'corp: { issuer: "https://login.example/?a=b", audiences: [x] }', /query/],
  [
    'it has keys in two places',
    `corp: { ${GOOD}, keys_url: "https://a.example", keys_file: b }`,
    /one of the two/,
  ],
  ['nobody is meant', 'corp: { issuer: "https://login.example", audiences: [] }', /at least 1/],
  ['a shared secret as an algorithm', `corp: { ${GOOD}, algorithms: [HS256] }`, /must be one of ES256/],
  ['no algorithm', `corp: { ${GOOD}, algorithms: [none] }`, /must be one of/],
  ['a path that could be read in two ways', `corp: { ${GOOD}, user: "https://x/y" }`, /or a list of names/],
  ['a path that is a number', `corp: { ${GOOD}, user: 7 }`, /or a list of names/],
  ['an empty path', `corp: { ${GOOD}, user: [] }`, /.+/],
  ['a level that there is not', `corp: { ${GOOD}, acr: { a: 4 } }`, /must be one of 1, 2, 3$/],
  ['half of a condition', `corp: { ${GOOD}, services: { claim: a, when: claim } }`, /both are needed/],
  [
    'a condition that nobody asks',
    `corp: { ${GOOD}, services: { claim: a, when_claim: b, when_value: c } }`,
    /both are needed/,
  ],
  [
    'a prefix that no service can have',
    `corp: { ${GOOD}, services: { claim: a, prefix: "CI_" } }`,
    /lower-case/,
  ],
  ['a lifetime of days', `corp: { ${GOOD}, max_lifetime_s: 100000 }`, /at most 86400/],
  ['a name in capitals', `Corp: { ${GOOD} }`, /not a name for an issuer/],
  ['an unknown key', `corp: { ${GOOD}, audience: x }`, /did you mean audiences/],
  [
    'the same issuer twice',
    `a: { ${GOOD}, user_prefix: "a:" }\nb: { ${GOOD}, user_prefix: "b:" }`,
    /same as that of another/,
  ],
  [
    'two without a prefix',
    `a: { ${GOOD} }\nb: { issuer: "https://b.example", audiences: [x] }`,
    /begins as that of another/,
  ],
  [
    'one without a prefix',
    `a: { ${GOOD}, user_prefix: "a:" }\nb: { issuer: "https://b.example", audiences: [x] }`,
    /begins as/,
  ],
  [
    'a prefix that begins with another',
    `a: { ${GOOD}, user_prefix: "a" }\nb: { issuer: "https://b.example", audiences: [x], user_prefix: "ab" }`,
    /begins as/,
  ],
  ['services that another issuer could name too', services('{ claim: a }', '{ claim: b }'), /same services/],
  [
    'with prefixes that begin alike',
    services('{ claim: a, prefix: ci }', '{ claim: b, prefix: ci- }'),
    /same services/,
  ],
  [
    'of which one is listed there',
    services('{ claim: a }', '{ claim: b, names: { x: robot } }'),
    /same services/,
  ],
  [
    'listed first',
    services('{ claim: a, names: { x: robot } }', '{ claim: b, prefix: ro }'),
    /same services/,
  ],
]

test('services of two issuers may have prefixes of their own, or be listed', () => {
  for (const [left, right] of [
    ['{ claim: a, prefix: a- }', '{ claim: b, prefix: b- }'],
    ['{ claim: a, names: { x: robot } }', '{ claim: b, names: { y: robot } }'],
    ['{ claim: a, prefix: a- }', '{ claim: b, names: { y: robot } }'],
  ] as const)
    assert.doesNotThrow(() => loadConfig(issuers(services(left, right)), 'test'), `${left} ${right}`)
})

for (const [why, text, says] of REFUSED)
  test(`the configuration refuses an issuer: ${why}`, () => {
    const problems = problemsOf(issuers(text))
    assert.equal(problems.length, 1, problems.join('\n'))
    assert.match(problems[0] ?? '', says)
  })

test('issuers with prefixes of their own go together, and one on this machine needs no TLS', () => {
  const text = issuers(
    `a: { ${GOOD}, user_prefix: "a:" }\nb: { issuer: "http://127.0.0.1:9", audiences: [x], user_prefix: "b:" }\nc: { issuer: c, keys_file: k, audiences: [x], user_prefix: "c:" }`,
  )
  assert.deepEqual(problemsOf(text), [])
})

/** Two issuers whose tokens are of services. */
function services(left: string, right: string): string {
  return `a: { ${GOOD}, user_prefix: "a:", services: ${left} }\nb: { issuer: "https://b.example", audiences: [x], user_prefix: "b:", services: ${right} }`
}
