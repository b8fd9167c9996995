import assert from 'node:assert/strict'
import { createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { startFakeUpstream, type FakeUpstream } from '../../test/fakes/upstream.ts'
import { ENDLESS } from '../../test/support/door_parts.ts'
import { Fault } from './fault.ts'
import type { FaultCode } from './fault_table.ts'
import { openUpstream, type Upstream, type UpstreamRequest } from './http_client.ts'

const SECRET = ['planted', 'header', 'value'].join('-')
const SETTINGS = {
  connections: 4,
  connectTimeoutMs: 1_000,
  headersTimeoutMs: 150,
  bodyTimeoutMs: 150,
  totalTimeoutMs: 2_000,
  maxAnswerBytes: 200_000,
}

let fake: FakeUpstream
let upstream: Upstream

before(async () => {
  fake = await startFakeUpstream()
  upstream = openUpstream({ ...SETTINGS, origin: fake.origin })
})

after(async () => {
  await upstream.close()
  await fake.close()
})

function request(behaviour: string, onAbort: UpstreamRequest['onAbort'] = () => {}): UpstreamRequest {
  return {
    method: 'POST',
    path: `/behave/${behaviour}/v1?x=1`,
    headers: ['authorization', `Bearer ${SECRET}`, 'content-type', 'application/json'],
    body: '{"model":"m"}',
    memory: ENDLESS,
    onAbort,
  }
}

async function codeOf(sent: Promise<unknown>): Promise<string> {
  try {
    await sent
    return 'answered'
  } catch (thrown) {
    assert.ok(thrown instanceof Fault, String(thrown))
    assert.equal(thrown.cause, undefined)
    assert.ok(!JSON.stringify([thrown.message, thrown.say, thrown.detail]).includes(SECRET))
    return thrown.code
  }
}

test('send gives status, headers and body, and asks for an answer that is not encoded', async () => {
  const answer = await upstream.send(request('nothing_special'))
  assert.equal(answer.status, 200)
  assert.equal(answer.headers['content-type'], 'application/json')
  assert.match(Buffer.from(answer.body).toString(), /hello from the fake/)
  const arrived = fake.received.at(-1)
  assert.ok(arrived !== undefined)
  assert.equal(arrived.url, '/behave/nothing_special/v1?x=1')
  assert.equal(arrived.headers['accept-encoding'], 'identity')
  assert.equal(arrived.body, '{"model":"m"}')
})

test('send gives answers of other statuses as they are', async () => {
  assert.equal((await upstream.send(request('failing'))).status, 500)
  assert.equal((await upstream.send(request('limited'))).headers['retry-after'], '7')
  assert.equal((await upstream.send(request('empty'))).body.length, 0)
})

test('send steps over informational answers', async () => {
  assert.equal((await upstream.send(request('informational'))).status, 200)
})

const BAD: readonly (readonly [why: string, behaviour: string, code: FaultCode])[] = [
  ['the answer does not start', 'stall_headers', 'upstream.slow'],
  ['the answer stops in the middle', 'stall_body', 'upstream.slow'],
  ['the connection closes in the middle', 'early_close', 'upstream.failed'],
  ['the connection closes before the answer', 'close_without_answer', 'upstream.failed'],
  ['the answer is not HTTP', 'garbage', 'upstream.invalid'],
  ['the answer has two lengths', 'two_lengths', 'upstream.invalid'],
  ['the answer redirects', 'redirect', 'upstream.invalid'],
  ['the answer is encoded', 'gzip', 'upstream.invalid'],
  ['the headers are too large', 'huge_header', 'upstream.invalid'],
  ['the answer does not end', 'endless', 'upstream.oversized'],
  ['the answer says that it is too long', 'too_long', 'upstream.oversized'],
]

for (const [why, behaviour, code] of BAD) {
  test(`send refuses with ${code}: ${why}`, async () => {
    const hungUp = fake.nextHangUp()
    assert.equal(await codeOf(upstream.send(request(behaviour))), code)
    await hungUp
    assert.equal(await codeOf(upstream.send(request('fine'))), 'answered', 'the pool still works')
  })
}

test('send refuses with upstream.slow: an answer drips for longer than the whole time', async () => {
  const short = openUpstream({ ...SETTINGS, totalTimeoutMs: 200, origin: fake.origin })
  const hungUp = fake.nextHangUp()
  const detail = { reason: 'total_timeout_in_body' }
  await assert.rejects(short.send(request('drip')), { code: 'upstream.slow', detail })
  await hungUp
  await short.close()
})

test('send refuses with upstream.slow: no part has a shorter time than the whole', async () => {
  const times = { headersTimeoutMs: 150, bodyTimeoutMs: 150, totalTimeoutMs: 150 }
  const even = openUpstream({ ...SETTINGS, ...times, origin: fake.origin })
  for (const behaviour of ['stall_headers', 'stall_body', 'drip']) {
    const hungUp = fake.nextHangUp()
    const reason = behaviour === 'stall_headers' ? 'total_timeout' : 'total_timeout_in_body'
    await assert.rejects(even.send(request(behaviour)), { code: 'upstream.slow', detail: { reason } })
    await hungUp
  }
  assert.equal(await codeOf(even.send(request('fine'))), 'answered')
  await even.close()
})

test('send refuses with upstream.slow: no connection becomes free in the whole time', async () => {
  const narrow = openUpstream({
    ...SETTINGS,
    connections: 1,
    headersTimeoutMs: 5_000,
    totalTimeoutMs: 150,
    origin: fake.origin,
  })
  const [first, second] = [
    codeOf(narrow.send(request('stall_headers'))),
    codeOf(narrow.send(request('drip'))),
  ]
  assert.equal(await first, 'upstream.slow')
  // Its time began with the other one's: it has none of its own left, whatever the connection does now.
  const late = new Promise((resolve) => setTimeout(resolve, 140, 'late'))
  assert.equal(await Promise.race([second, late]), 'upstream.slow')
  await narrow.close()
})

test('send refuses with upstream.failed: nobody listens', async () => {
  const closed = createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const address = closed.address()
  assert.ok(typeof address === 'object' && address !== null)
  await new Promise((resolve) => closed.close(resolve))
  const nobody = openUpstream({ ...SETTINGS, origin: `http://127.0.0.1:${address.port}` })
  assert.equal(await codeOf(nobody.send(request('fine'))), 'upstream.failed')
  await nobody.close()
})

test('send refuses with upstream.failed and without the value: a header that HTTP does not allow', async () => {
  const sent = upstream.send({ ...request('fine'), headers: ['authorization', `Bearer ${SECRET}\nx`] })
  assert.equal(await codeOf(sent), 'upstream.failed')
})

test('send refuses with upstream.failed: the pool is closed', async () => {
  const gone = openUpstream({ ...SETTINGS, origin: fake.origin })
  await gone.close()
  assert.equal(await codeOf(gone.send(request('fine'))), 'upstream.failed')
})

test('send cancels the upstream at once when the caller goes away', async () => {
  let leave = (): void => {}
  const arrived = fake.nextRequest()
  const hungUp = fake.nextHangUp()
  const patient = openUpstream({
    ...SETTINGS,
    headersTimeoutMs: 60_000,
    totalTimeoutMs: 60_000,
    origin: fake.origin,
  })
  const code = codeOf(patient.send(request('stall_headers', (listener) => (leave = listener))))
  await arrived
  leave()
  assert.equal(await code, 'input.aborted')
  await hungUp
  leave()
  await patient.close()
})

test('send sends nothing when the caller is gone already', async () => {
  const before = fake.received.length
  assert.equal(await codeOf(upstream.send(request('fine', (listener) => listener()))), 'input.aborted')
  assert.equal(fake.received.length, before)
})
