import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { openUpstream } from '#base/http_client.ts'
import type { SignedHead } from '#trust/ledger/checkpointer.ts'
import { HandClock } from '../../../test/support/ledger_fixture.ts'
import { startObjectStore } from '../../../test/fakes/object_store.ts'
import { AnchorFailure, AnchorKeeper, type AnchorTarget } from './anchor_keeper.ts'
import { awsAuthorization } from './aws_signature.ts'
import { objectAnchor, objectName, type ObjectAnchorParts } from './object_anchor.ts'

const KEYS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret of the test', region: 'eu-test-1' }
const DAY_MS = 86_400_000

function signed(size: number): SignedHead {
  const head = { origin: 'gatehouse.local/AAAABBBBCCCCDDDD', size, root: Buffer.alloc(32, size) }
  return { head, text: `checkpoint of ${size}\n` }
}

test('awsAuthorization answers the example of AWS for a PUT', () => {
  const bodyHash = '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072'
  const authorization = awsAuthorization(
    {
      method: 'PUT',
      path: '/test%24file.text',
      headers: {
        date: 'Fri, 24 May 2013 00:00:00 GMT',
        host: 'examplebucket.s3.amazonaws.com',
        'x-amz-content-sha256': bodyHash,
        'x-amz-date': '20130524T000000Z',
        'x-amz-storage-class': 'REDUCED_REDUNDANCY',
      },
      bodyHash,
    },
    { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
    { region: 'us-east-1', service: 's3', at: Date.parse('2013-05-24T00:00:00Z') },
  )
  assert.match(authorization, /Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd$/)
})

async function openStore(
  t: TestContext,
  more: Partial<ObjectAnchorParts> = {},
): Promise<{ readonly store: Awaited<ReturnType<typeof startObjectStore>>; readonly anchor: AnchorTarget }> {
  const clock = new HandClock()
  const store = await startObjectStore({ ...KEYS, token: 'lent' }, () => clock.now())
  const upstream = openUpstream({
    origin: store.origin,
    connections: 1,
    connectTimeoutMs: 5_000,
    headersTimeoutMs: 5_000,
    bodyTimeoutMs: 5_000,
    totalTimeoutMs: 5_000,
    maxAnswerBytes: 1_024,
  })
  t.after(async () => {
    await upstream.close()
    await store.close()
  })
  const anchor = objectAnchor({
    endpoint: new URL(store.origin),
    upstream,
    bucket: 'locked',
    region: KEYS.region,
    prefix: 'a prefix/',
    mode: 'compliance',
    retentionMs: 400 * DAY_MS,
    withCredentials: (use) => use(KEYS, 'lent'),
    clock,
    ...more,
  })
  return { store, anchor }
}

test('objectAnchor puts each checkpoint as an object of its own, locked for its time', async (t) => {
  const { store, anchor } = await openStore(t)
  for (const size of [3, 12]) await anchor.put(signed(size))
  assert.deepEqual(store.wrong, [])
  const until = new Date(new HandClock().now() + 400 * DAY_MS).toISOString()
  assert.deepEqual(
    [...store.objects.entries()].map(([key, each]) => [decodeURIComponent(key), each]),
    [3, 12].map((size) => [
      `/locked/a prefix/gatehouse.local/AAAABBBBCCCCDDDD/${String(size).padStart(16, '0')}-${Buffer.alloc(32, size).toString('hex')}.checkpoint`,
      { body: `checkpoint of ${size}\n`, mode: 'COMPLIANCE', until },
    ]),
  )
})

test('objectName tells apart two trees of one size: a fork overwrites nothing, however alike the roots are', () => {
  const other = { head: { ...signed(3).head, root: Buffer.alloc(32, 3).fill(9, 31) } }
  assert.notEqual(objectName('', signed(3)), objectName('', other))
})

test('objectAnchor puts its own object beside one that has its name already: it may hold anything', async (t) => {
  const { store, anchor } = await openStore(t)
  const { head } = signed(3)
  await anchor.put({ head, text: 'of somebody else\n' })
  await anchor.put(signed(3))
  assert.deepEqual(
    [...store.objects.values()].map(({ body }) => body),
    ['of somebody else\n', 'checkpoint of 3\n'],
  )
  const [first = '', second = ''] = store.objects.keys()
  assert.ok(second.startsWith(`${first}.2026`), second)
})

test('objectAnchor takes nothing for held by storage that keeps no versions: it has no object lock', async (t) => {
  const { store, anchor } = await openStore(t)
  store.forgetLock()
  await assert.rejects(
    anchor.put(signed(1)),
    (thrown) => thrown instanceof AnchorFailure && /keeps no versions/.test(thrown.message),
  )
  // It answers 200 to everything and keeps nothing.
  store.answers(200)
  await assert.rejects(anchor.put(signed(1)), /keeps no versions/)
})

const WRONG: readonly [why: string, parts: Partial<ObjectAnchorParts>, problem: RegExp][] = [
  [
    'another secret',
    { withCredentials: (use) => use({ ...KEYS, secretAccessKey: 'x' }, 'lent') },
    /refuses the key/,
  ],
  ['no session token', { withCredentials: (use) => use(KEYS, undefined) }, /refuses the key/],
  ['another region', { region: 'us-east-1' }, /refuses the key/],
  ['a time that is over', { retentionMs: -1 }, /answers 400/],
]

for (const [why, parts, problem] of WRONG)
  test(`objectAnchor says why storage takes nothing: ${why}`, async (t) => {
    const { store, anchor } = await openStore(t, parts)
    await assert.rejects(
      anchor.put(signed(1)),
      (thrown) => thrown instanceof AnchorFailure && problem.test(thrown.message),
    )
    assert.equal(store.objects.size, 0)
    assert.equal(store.wrong.length, 1)
  })

test('objectAnchor says what storage answers, and that it is away', async (t) => {
  const { store, anchor } = await openStore(t)
  for (const [status, problem] of [
    [404, /no such bucket/],
    [500, /answers 500/],
    [307, /cannot be reached: upstream\.invalid/],
  ] as const) {
    store.answers(status)
    await assert.rejects(anchor.put(signed(1)), problem)
  }
  await store.close()
  await assert.rejects(anchor.put(signed(1)), /cannot be reached: upstream\.failed/)
})

test('AnchorKeeper puts what is new, and keeps what went wrong as a state', async () => {
  const clock = new HandClock()
  const put: number[] = []
  const at: { newest: SignedHead; fails: boolean; notice: string | undefined } = {
    newest: signed(3),
    fails: false,
    notice: undefined,
  }
  const target: AnchorTarget = {
    name: 'x',
    kind: 'object',
    put: async ({ head }) => {
      if (at.fails) throw new AnchorFailure('is away')
      put.push(head.size)
      return Promise.resolve(at.notice)
    },
  }
  const checkpoints = {
    get newest() {
      return at.newest
    },
  }
  const keeper = new AnchorKeeper({ target, checkpoints, clock, everyMs: 1_000 })
  assert.equal(keeper.state.entries, undefined)
  await keeper.put()
  await keeper.put()
  assert.deepEqual(keeper.state, {
    name: 'x',
    kind: 'object',
    entries: 3,
    at: clock.now(),
    problem: undefined,
    contradicts: false,
  })
  at.newest = signed(5)
  at.fails = true
  await keeper.put()
  assert.equal(keeper.state.entries, 3)
  assert.equal(keeper.state.problem, 'is away')
  at.fails = false
  await keeper.put()
  assert.deepEqual(put, [3, 5])
  assert.equal(keeper.state.problem, undefined)
  at.newest = signed(7)
  at.notice = 'has lost something'
  await keeper.put()
  assert.deepEqual([keeper.state.entries, keeper.state.problem], [7, 'has lost something'])
  await keeper.close()
})
