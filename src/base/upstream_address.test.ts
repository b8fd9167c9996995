import assert from 'node:assert/strict'
import type { LookupAddress } from 'node:dns'
import { isIPv4 } from 'node:net'
import { after, before, test } from 'node:test'
import { startFakeUpstream, type FakeUpstream } from '../../test/fakes/upstream.ts'
import { ENDLESS } from '../../test/support/door_parts.ts'
import { Fault } from './fault.ts'
import { openUpstream, type UpstreamSettings } from './http_client.ts'
import { checkedLookup, mayLead, type Resolve, type UpstreamNetwork } from './upstream_address.ts'

const PUBLIC = [
  '8.8.8.8',
  '1.1.1.1',
  '100.63.255.255',
  '100.128.0.1',
  '172.15.0.1',
  '172.32.0.1',
  '192.167.1.1',
  '223.255.255.1',
  '2606:4700::1111',
  '2a00:1450:4001::1',
  '3000::1',
]
const PRIVATE = [
  '127.0.0.1',
  '127.255.0.1',
  '10.0.0.1',
  '10.255.255.255',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '100.64.0.1',
  '100.127.255.255',
  '198.18.0.1',
  '::1',
  'fc00::1',
  'fdff::1',
]
/** IPv4 inside IPv6: never public, whatever is inside. */
const INSIDE = [
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '::FFFF:0a00:0001',
  '64:ff9b::10.0.0.1',
  '64:ff9b::8.8.8.8',
  '2002:0a00:0001::',
  '2002:808:808::1',
  '0:0:0:0:0:ffff:c0a8:0101',
]
const NEVER = [
  '169.254.169.254',
  '169.254.0.1',
  '169.254.170.2',
  '168.63.129.16',
  '100.100.100.200',
  '0.0.0.0',
  '0.1.2.3',
  '192.0.0.192',
  '192.0.2.1',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::7f00:1',
  '::127.0.0.1',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  'fd00:ec2::254',
  'fd20:ce::254',
  '::ffff:169.254.169.254',
  '::ffff:a9fe:a9fe',
  '64:ff9b::a9fe:a9fe',
  '64:ff9b:1::a00:1',
  '2002:a9fe:a9fe::1',
  '2001:0:4136:e378::1',
  '2001:db8::1',
  '3fff::1',
  '4000::1',
  'nonsense',
  '',
]

const TABLE: readonly (readonly [
  reach: string,
  addresses: readonly string[],
  network: UpstreamNetwork,
  may: boolean,
])[] = [
  ['public', PUBLIC, 'public', true],
  ['public', PUBLIC, 'private', true],
  ['private', PRIVATE, 'public', false],
  ['private', PRIVATE, 'private', true],
  ['one inside another', INSIDE, 'public', false],
  ['one inside another', INSIDE, 'private', true],
  ['no place of a server', NEVER, 'public', false],
  ['no place of a server', NEVER, 'private', false],
]

for (const [reach, addresses, network, may] of TABLE)
  for (const address of addresses)
    test(`mayLead ${may ? 'lets' : 'does not let'} a name of the ${network} network lead there: ${address} is ${reach}`, () => {
      assert.equal(mayLead('models.example', address, network), may)
    })

test('mayLead lets localhost lead to this machine only', () => {
  for (const network of ['public', 'private'] as const) {
    assert.ok(mayLead('localhost', '127.0.0.1', network))
    assert.ok(mayLead('localhost', '::1', network))
    for (const address of ['10.0.0.1', '169.254.169.254', '8.8.8.8', 'fe80::1'])
      assert.ok(!mayLead('localhost', address, network), address)
    assert.ok(!mayLead('localhost.example', '127.0.0.1', 'public'))
  }
})

function resolving(...answers: readonly (readonly string[] | Error)[]): {
  resolve: Resolve
  asked: string[]
} {
  const asked: string[] = []
  const resolve: Resolve = (host, _options, callback) => {
    const answer = answers[Math.min(asked.length, answers.length - 1)] ?? []
    asked.push(host)
    if (answer instanceof Error) return callback(answer, [])
    callback(
      null,
      answer.map((address): LookupAddress => ({ address, family: isIPv4(address) ? 4 : 6 })),
    )
  }
  return { resolve, asked }
}

type Found = string | { readonly code: string | undefined } | readonly LookupAddress[]

function lookUp(resolve: Resolve, all: boolean): Found {
  let found: Found = ''
  checkedLookup('public', resolve)('models.example', { all }, (error, address) => {
    found = error === null ? address : { code: error.code }
  })
  return found
}

test('checkedLookup gives what was found and nothing else: all of it, or the first', () => {
  const { resolve } = resolving(['8.8.8.8', '2606:4700::1111'])
  assert.equal(lookUp(resolve, false), '8.8.8.8')
  assert.deepEqual(lookUp(resolve, true), [
    { address: '8.8.8.8', family: 4 },
    { address: '2606:4700::1111', family: 6 },
  ])
})

test('checkedLookup refuses an answer of which one part is not allowed', () => {
  for (const answer of [['127.0.0.1'], ['8.8.8.8', '127.0.0.1'], ['8.8.8.8', '::ffff:10.0.0.1'], []])
    for (const all of [true, false])
      assert.deepEqual(lookUp(resolving(answer).resolve, all), { code: 'ADDRESS_REFUSED' }, String(answer))
})

test('checkedLookup fails as the resolver does', () => {
  const error = Object.assign(new Error('no such host'), { code: 'ENOTFOUND' })
  assert.deepEqual(lookUp(resolving(error).resolve, true), { code: 'ENOTFOUND' })
})

let fake: FakeUpstream

before(async () => {
  fake = await startFakeUpstream()
})

after(async () => {
  await fake.close()
})

async function sent(settings: Partial<UpstreamSettings>): Promise<string> {
  const { port } = new URL(fake.origin)
  const upstream = openUpstream({
    origin: `http://models.example:${port}`,
    connections: 4,
    connectTimeoutMs: 1_000,
    headersTimeoutMs: 1_000,
    bodyTimeoutMs: 1_000,
    totalTimeoutMs: 2_000,
    maxAnswerBytes: 100_000,
    ...settings,
  })
  const request = {
    method: 'POST',
    path: '/v1',
    headers: [],
    body: '{}',
    memory: ENDLESS,
    onAbort: () => {},
  } as const
  try {
    return String((await upstream.send(request)).status)
  } catch (thrown) {
    assert.ok(thrown instanceof Fault)
    return `${thrown.code} ${JSON.stringify(thrown.detail['reason'])}`
  } finally {
    await upstream.close()
  }
}

test('openUpstream sends nothing to an address that its name may not lead to', async () => {
  const before = fake.received.length
  for (const answer of [['127.0.0.1'], ['::ffff:127.0.0.1'], ['169.254.169.254'], ['1.1.1.1', '127.0.0.1']])
    assert.equal(await sent({ resolve: resolving(answer).resolve }), 'upstream.failed "ADDRESS_REFUSED"')
  assert.equal(fake.received.length, before)
})

test('openUpstream connects to what was looked at: a name that leads elsewhere a moment later changes nothing', async () => {
  const { resolve, asked } = resolving(['127.0.0.1'], ['169.254.169.254'])
  assert.equal(await sent({ resolve, network: 'private' }), '200')
  assert.deepEqual(asked, ['models.example'])
  assert.match(String(fake.received.at(-1)?.headers['host']), /^models\.example:/)
})

test('openUpstream takes a literal address and localhost as they are configured', async () => {
  const { port } = new URL(fake.origin)
  assert.equal(await sent({ origin: fake.origin }), '200')
  assert.equal(await sent({ origin: `http://localhost:${port}` }), '200')
  const elsewhere = resolving(['10.0.0.1'])
  assert.match(
    await sent({ origin: `http://localhost:${port}`, resolve: elsewhere.resolve }),
    /ADDRESS_REFUSED/,
  )
})
