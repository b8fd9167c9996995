import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { SYSTEM_CLOCK } from '#base/clock.ts'
import { openUpstream } from '#base/http_client.ts'
import { LIMITS } from '#base/limits.ts'
import { startOtlpReceiver, type Behaviour, type OtlpReceiver } from '../../../test/fakes/otlp_receiver.ts'
import { Delivery, type Delivered, type Export } from './delivery.ts'

const TIMEOUT_MS = 300

async function rig(
  t: TestContext,
  behaviour: Behaviour,
  basePath = '',
): Promise<{ readonly delivery: Delivery; readonly receiver: OtlpReceiver }> {
  const receiver = await startOtlpReceiver()
  receiver.does(behaviour)
  const upstream = openUpstream({
    origin: receiver.origin,
    connections: 2,
    connectTimeoutMs: TIMEOUT_MS,
    headersTimeoutMs: TIMEOUT_MS,
    bodyTimeoutMs: TIMEOUT_MS,
    totalTimeoutMs: TIMEOUT_MS,
    maxAnswerBytes: LIMITS.telemetryAnswerBytes,
  })
  t.after(async () => {
    await upstream.close()
    await receiver.close()
  })
  const delivery = new Delivery({
    clock: SYSTEM_CLOCK,
    upstream,
    basePath,
    withHeaders: (send) => send(['authorization', 'Bearer of-the-receiver']),
    random: () => 0,
    firstWaitMs: 4,
  })
  return { delivery, receiver }
}

const SPANS: Export = {
  path: '/v1/traces',
  body: '{"resourceSpans":[]}',
  rejectedIn: 'rejectedSpans',
  count: 7,
}

const taken = (rejected: number): Delivered => ({ kind: 'taken', rejected })
const dropped = (reason: 'refused' | 'unreachable'): Delivered => ({ kind: 'dropped', reason })
const TRIES = LIMITS.telemetryTries

const ANSWERS: readonly (readonly [behaviour: Behaviour, delivered: Delivered, tries: number])[] = [
  ['takes', taken(0), 1],
  ['takes_with_nothing', taken(0), 1],
  ['rejects_two', taken(2), 1],
  ['rejects_two_as_number', taken(2), 1],
  ['lies_more', taken(7), 1],
  ['lies_less', taken(0), 1],
  ['lies_oddly', taken(0), 1],
  ['lies_nested', taken(0), 1],
  ['lies_in_words', taken(0), 1],
  ['lies_endlessly', dropped('refused'), 1],
  ['refuses', dropped('refused'), 1],
  ['refuses_key', dropped('refused'), 1],
  ['fails', dropped('refused'), 1],
  ['redirects', dropped('refused'), 1],
  ['limits', dropped('unreachable'), TRIES],
  ['unavailable', dropped('unreachable'), TRIES],
  ['bad_gateway', dropped('unreachable'), TRIES],
  ['gateway_timeout', dropped('unreachable'), TRIES],
  ['hangs_up', dropped('unreachable'), TRIES],
  ['silent', dropped('unreachable'), TRIES],
]

for (const [behaviour, delivered, tries] of ANSWERS)
  test(`deliver believes no more than OTLP says: ${behaviour}`, async (t) => {
    const { delivery, receiver } = await rig(t, behaviour)
    assert.deepEqual(await delivery.deliver(SPANS), delivered)
    assert.equal(receiver.received.length, tries)
  })

test('deliver sends to the path of the signal, with the headers of the configuration', async (t) => {
  const { delivery, receiver } = await rig(t, 'takes', '/prefix')
  await delivery.deliver(SPANS)
  const [{ path, headers, wrong, body } = { path: '', headers: {}, wrong: [''], body: '' }] =
    receiver.received
  assert.deepEqual([path, body, wrong], ['/prefix/v1/traces', SPANS.body, []])
  assert.equal(headers.authorization, 'Bearer of-the-receiver')
})

for (const behaviour of ['limits_for_a_second', 'limits_by_date'] as const)
  test(`deliver waits as long as the receiver asks for: ${behaviour}`, async (t) => {
    const { delivery, receiver } = await rig(t, behaviour)
    const first = receiver.next()
    const delivering = delivery.deliver(SPANS)
    const { at } = await first
    receiver.does('takes')
    assert.deepEqual(await delivering, taken(0))
    const waited = (receiver.received[1]?.at ?? 0) - at
    // A date has whole seconds only, so that almost one of them may be cut off.
    assert.ok(
      behaviour === 'limits_by_date' ? waited < 1_900 : waited > 900 && waited < 1_900,
      String(waited),
    )
  })

test('deliver goes on where a try works: nothing is dropped', async (t) => {
  const { delivery, receiver } = await rig(t, 'unavailable')
  const delivering = delivery.deliver(SPANS)
  await receiver.next()
  receiver.does('takes')
  assert.deepEqual(await delivering, taken(0))
})

test('stop ends all waiting: one more try, and no other', async (t) => {
  const { delivery, receiver } = await rig(t, 'limits_for_ever')
  const first = receiver.next()
  const delivering = delivery.deliver(SPANS)
  await first
  // The answer to the first is on its way; whether it is there already makes no difference.
  delivery.stop()
  assert.deepEqual(await delivering, { kind: 'dropped', reason: 'stopped' })
  assert.ok(receiver.received.length <= 2)
})
