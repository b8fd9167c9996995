import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newEntryId } from '#base/ids.ts'
import { LIMITS } from '#base/limits.ts'
import { Metrics } from '#base/metrics.ts'
import { KnownMetrics } from './known_metrics.ts'
import { workerForms } from './worker_forms.ts'

const ID = newEntryId()
const LONG = 'x'.repeat(LIMITS.workerTextCharacters + 1)

/** As both processes count. */
function metrics(): Metrics {
  const all = new Metrics()
  all
    .counter({ name: 'all_total', help: 'All.', labels: ['code'] })
    .series('ok')
    .add(3)
  all.gauge({ name: 'now', help: 'Now.' }).series().set(-1)
  all.histogram({ name: 'long', help: 'Long.' }, [1, 2]).series().observe(1.5)
  return all
}

/** As JSON brings it. */
function sent(value: unknown): unknown {
  return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
}

const READINGS = [...metrics().readings()].map((reading) =>
  reading.kind === 'histogram'
    ? {
        ...reading,
        series: reading.series.map(({ values, value: { counts, sum, count } }) => ({
          values,
          value: { counts: [...counts], sum, count },
        })),
      }
    : reading,
)
const [COUNTER, GAUGE, HISTOGRAM] = READINGS
const REPORT = { inFlight: 2, residentBytes: 3, readings: READINGS }

const CALLER = {
  ref: { type: 'Service', id: 'demo' },
  entities: [
    { ref: { type: 'Service', id: 'demo' }, attributes: { a: 1 }, parents: [{ type: 'Space', id: 's' }] },
  ],
  space: 'default',
  limitedBy: [{ kid: 'k', terms: { tokens_per_day: 3 } }],
}
const DRAFT = {
  kind: 'intent',
  id: ID,
  at: 1,
  reserved: false,
  fields: { action: 'model:infer', findings: ['a'], code: 'ok' },
  countedAs: { route: 'chat', model: '' },
}
const CERTIFICATE = {
  thumbprint: 't',
  subject: 'CN=a',
  uris: ['spiffe://a'],
  dnsNames: [],
  emails: [],
  notAfter: 1,
}
const BEARER = { kind: 'bearer', token: 'a' }
const PRESENTED = {
  kind: 'presented',
  tokens: [{ scheme: 'dpop', token: 'a', owner: 'b' }],
  proof: { jwt: 'j', method: 'POST', url: 'https://a/' },
  certificate: CERTIFICATE,
}
const INCOMING = {
  route: 'POST /scim/v2/Users',
  id: ID,
  credential: BEARER,
  possession: { certificate: CERTIFICATE },
  address: '127.0.0.1',
  params: { id: 'x' },
  query: [['a', 'b']],
  trace: { traceId: 'a'.repeat(32), parentId: 'b'.repeat(16), isSampled: true, state: '' },
  preconditions: { ifMatch: '"1"' },
}
const RESERVE = {
  id: ID,
  caller: CALLER,
  model: 'echo',
  members: ['a'],
  demand: { tokensIn: 1, tokensOut: undefined, unbounded: 'Nothing says.' },
}
const SETTLE = { id: ID, end: { facts: { tokens_in: 1, tries_unknown: 1 }, isWhole: true, isTaken: false } }
const NO_TEXTS = [null, 7, {}, [], LONG]
const NO_IDS = [null, 7, 'short', '../../../../../x', {}]
const NO_OBJECTS = [null, 'x', 7, [], undefined]

interface Case {
  readonly taken: readonly unknown[]
  readonly refused: readonly unknown[]
}

const ASKS: Readonly<Record<string, Case>> = {
  append: {
    taken: [DRAFT, { ...DRAFT, countedAs: undefined }, { ...DRAFT, kind: 'outcome', fields: {} }],
    refused: [
      ...NO_OBJECTS,
      ...NO_IDS.map((id) => ({ ...DRAFT, id })),
      ...['x', 1.5, -1, null, undefined].map((at) => ({ ...DRAFT, at })),
      ...NO_OBJECTS.map((fields) => ({ ...DRAFT, fields })),
      { ...DRAFT, kind: 7 },
      { ...DRAFT, reserved: 'yes' },
      { ...DRAFT, countedAs: { route: 7, model: '' } },
      { ...DRAFT, countedAs: { route: 'chat', model: LONG } },
      { ...DRAFT, fields: { code: {} } },
      { ...DRAFT, fields: { findings: [null] } },
      { ...DRAFT, fields: { model: LONG } },
    ],
  },
  prove: {
    taken: [
      { credential: { kind: 'none' }, address: 'a' },
      { credential: { kind: 'malformed' }, address: 'a' },
      { credential: BEARER, address: 'a' },
      { credential: PRESENTED, address: 'a' },
      { credential: { ...PRESENTED, proof: undefined, certificate: undefined }, address: 'a' },
    ],
    refused: [
      ...NO_OBJECTS,
      ...NO_OBJECTS.map((credential) => ({ credential, address: 'a' })),
      ...['socket', 'system', 'subject', 'toString', 7].map((kind) => ({
        credential: { ...BEARER, kind },
        address: 'a',
      })),
      ...NO_TEXTS.map((token) => ({ credential: { ...BEARER, token }, address: 'a' })),
      ...NO_TEXTS.map((address) => ({ credential: BEARER, address })),
      { credential: { ...PRESENTED, tokens: [null] }, address: 'a' },
      { credential: { ...PRESENTED, tokens: [{ scheme: 'basic', token: 'a' }] }, address: 'a' },
      { credential: { ...PRESENTED, proof: { jwt: 7, method: 'POST', url: '' } }, address: 'a' },
      { credential: { ...PRESENTED, certificate: { ...CERTIFICATE, uris: 'x' } }, address: 'a' },
    ],
  },
  recheck: { taken: [0, 7], refused: [null, '7', -1, 1.5, {}] },
  reserve: {
    taken: [RESERVE, { ...RESERVE, members: undefined, caller: { ...CALLER, limitedBy: [{ kid: 'k' }] } }],
    refused: [
      ...NO_OBJECTS,
      ...NO_IDS.map((id) => ({ ...RESERVE, id })),
      ...NO_OBJECTS.map((caller) => ({ ...RESERVE, caller })),
      ...NO_OBJECTS.map((demand) => ({ ...RESERVE, demand })),
      // As much would be given to all others.
      { ...RESERVE, demand: { tokensIn: -1_000 } },
      { ...RESERVE, demand: { tokensOut: null } },
      { ...RESERVE, caller: { ...CALLER, entities: [null] } },
      { ...RESERVE, caller: { ...CALLER, ref: { type: 'Service' } } },
      { ...RESERVE, caller: { ...CALLER, limitedBy: [{ kid: 'k', terms: { tokens_per_day: 'x' } }] } },
      { ...RESERVE, members: [7] },
    ],
  },
  settle: {
    taken: [SETTLE],
    refused: [
      ...NO_OBJECTS,
      ...NO_OBJECTS.map((end) => ({ id: ID, end })),
      ...NO_OBJECTS.map((facts) => ({ id: ID, end: { ...SETTLE.end, facts } })),
      { id: ID, end: { ...SETTLE.end, facts: { tries_unknown: -5 } } },
      { id: ID, end: { ...SETTLE.end, isWhole: 'yes' } },
    ],
  },
  release: { taken: [ID], refused: NO_IDS },
  pass: {
    taken: [INCOMING, { ...INCOMING, possession: undefined, trace: undefined, preconditions: undefined }],
    refused: [
      ...NO_OBJECTS,
      ...NO_IDS.map((id) => ({ ...INCOMING, id })),
      ...NO_OBJECTS.map((credential) => ({ ...INCOMING, credential })),
      ...NO_OBJECTS.map((params) => ({ ...INCOMING, params })),
      { ...INCOMING, params: { id: 7 } },
      { ...INCOMING, query: {} },
      { ...INCOMING, query: [['a']] },
      { ...INCOMING, query: [['a', 'b', 'c']] },
      { ...INCOMING, trace: { ...INCOMING.trace, traceId: 'x\n' } },
      { ...INCOMING, preconditions: { ifMatch: 7 } },
      { ...INCOMING, possession: null },
      { ...INCOMING, address: LONG },
    ],
  },
}

const SERVING = { address: '127.0.0.1:1', port: 1, rule: { kind: 'loopback' } }

const ANSWERS: Readonly<Record<string, Case>> = {
  serve: {
    taken: [SERVING, { ...SERVING, rule: { kind: 'insecure', reason: 'a', expiresAt: 1 } }],
    refused: [
      ...NO_OBJECTS,
      { ...SERVING, port: '1' },
      { ...SERVING, port: 70_000 },
      { ...SERVING, rule: null },
      { ...SERVING, rule: { kind: 'insecure' } },
    ],
  },
  change: { taken: [null], refused: [0, 'x', {}] },
  drain: { taken: [null], refused: [0, 'x', {}] },
  body: {
    taken: ['', 'x'.repeat((4 * LIMITS.formBytes) / 3)],
    refused: [null, 7, {}, 'x'.repeat(2 * LIMITS.formBytes)],
  },
  report: {
    taken: [REPORT, { ...REPORT, readings: [] }],
    refused: [
      ...NO_OBJECTS,
      { ...REPORT, inFlight: 'a' },
      { ...REPORT, residentBytes: -1 },
      ...NO_OBJECTS.map((reading) => ({ ...REPORT, readings: [reading] })),
      ...[null, undefined, {}].map((readings) => ({ ...REPORT, readings })),
      { ...REPORT, readings: [...READINGS, COUNTER] },
      { ...REPORT, readings: [{ kind: 'counter' }] },
      ...[
        { names: { name: 'unknown', help: '', labels: [] } },
        { names: { name: 'all_total\n# evil 1', help: 'All.', labels: ['code'] } },
        { names: { name: 'all_total', help: 'Other.', labels: ['code'] } },
        { names: { name: 'all_total', help: 'All.', labels: ['evil'] } },
        { names: { name: 'constructor' } },
        { kind: 'gauge' },
        { series: null },
        { series: [{}] },
        { series: [{ values: [], value: 1 }] },
        { series: [{ values: ['ok', 'more'], value: 1 }] },
        { series: [{ values: [7], value: 1 }] },
        { series: [{ values: [LONG], value: 1 }] },
        { series: [{ values: ['ok'], value: 'x' }] },
        { series: [{ values: ['ok'], value: -1 }] },
        { series: [{ values: ['ok'], value: null }] },
        {
          series: Array.from({ length: LIMITS.metricSeries + 2 }, (_, at) => ({
            values: [`${at}`],
            value: 1,
          })),
        },
      ].map((change) => ({ ...REPORT, readings: [{ ...COUNTER, ...change }] })),
      { ...REPORT, readings: [{ ...GAUGE, series: [{ values: [], value: null }] }] },
      ...[
        { bounds: [1] },
        { bounds: 1e9 },
        { series: [{ values: [], value: 1 }] },
        { series: [{ values: [], value: { counts: [1], sum: 1, count: 1 } }] },
        { series: [{ values: [], value: { counts: [1, 'x'], sum: 1, count: 1 } }] },
        { series: [{ values: [], value: { counts: [1, 1], sum: null, count: 1 } }] },
      ].map((change) => ({ ...REPORT, readings: [{ ...HISTOGRAM, ...change }] })),
    ],
  },
}

const { asks, answers } = workerForms(1, new KnownMetrics(metrics().readings()))

for (const [what, cases, forms] of [
  ['ask', ASKS, asks],
  ['answer', ANSWERS, answers],
] as const)
  for (const [name, { taken, refused }] of Object.entries(cases))
    test(`workerForms takes what a worker says of its own, and nothing else: ${what} of ${name}`, () => {
      const form = new Map(Object.entries(forms)).get(name)
      assert.ok(form !== undefined)
      for (const value of taken) assert.equal(form(sent(value)), true, JSON.stringify(value))
      for (const value of refused)
        assert.equal(form(sent(value)), false, JSON.stringify(value)?.slice(0, 200))
    })

test('workerForms has the same form for all that ends something, and for an entry that is not waited for', () => {
  assert.equal(asks.appendLater, asks.append)
  for (const name of ['reserveAgain', 'passAborted', 'passEnded'] as const)
    assert.equal(asks[name], asks.release, name)
  assert.equal(asks.proofEnded, asks.recheck)
})
