import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Fault } from '#base/fault.ts'
import type { FaultCode } from '#base/fault_table.ts'
import type { JsonObject } from '#base/json.ts'
import { Sealed } from '#base/sealed.ts'
import { authorize, type Permit } from '#trust/access/authorize.ts'
import {
  message,
  startFakeMessagesUpstream,
  type FakeMessagesUpstream,
} from '../../../../test/fakes/messages_upstream.ts'
import { CALLER, decider, ENDLESS, StillClock } from '../../../../test/support/door_parts.ts'
import type { ModelApi, ModelConnection, ModelSettings, ProviderAnswer } from '../provider.ts'
import { anthropic } from './anthropic.ts'

const KEY = ['the', 'key/of', 'the', 'provider'].join('-')
const PRESENT = { kind: 'present', secret: new Sealed(KEY) } as const
const REF = { type: 'Model', id: 'house' }
const PERMIT: Permit = authorize(
  { current: () => decider(() => true) },
  { caller: CALLER, action: 'model:infer', target: { ref: REF, entities: [] }, findings: [] },
)
const CONTEXT = { id: 'entry00000000001', memory: ENDLESS, onAbort: () => {} }
const ASKED = { model: 'house', max_tokens: 9, messages: [{ role: 'user', content: 'hello' }] }

let fake: FakeMessagesUpstream

before(async () => {
  fake = await startFakeMessagesUpstream()
})

after(async () => {
  await fake.close()
})

function settingsOf(settings: Partial<ModelSettings> = {}): ModelSettings {
  return {
    name: 'house',
    provider: 'anthropic',
    baseUrl: fake.origin,
    model: 'upstream-name',
    key: PRESENT,
    auth: 'bearer',
    region: undefined,
    extensions: 'pass',
    timeoutMs: 2_000,
    maxAnswerBytes: 100_000,
    ...settings,
  }
}

function open(settings: Partial<ModelSettings> = {}): ModelConnection {
  const parts = { clock: new StillClock(), redact: (text: string) => text.replaceAll('hello', '[redacted]') }
  return anthropic.open(settingsOf(settings), parts)
}

async function call(
  api: ModelApi,
  request: JsonObject,
  settings: Partial<ModelSettings> = {},
): Promise<ProviderAnswer> {
  const connection = open(settings)
  try {
    return await connection.call(api, PERMIT, request, CONTEXT)
  } finally {
    await connection.close()
  }
}

test('anthropic sends a message as it was asked, under the name of the provider', async () => {
  const asked = { ...ASKED, vendor: { nested: ['kept', 1.5, null] }, system: [{ type: 'text', text: 'x' }] }
  const { status, body, usage } = await call('messages', asked)
  const arrived = fake.received.at(-1)
  assert.deepEqual(arrived?.body, { ...asked, model: 'upstream-name' })
  assert.equal(arrived.url, '/v1/messages')
  assert.equal(arrived.headers['x-api-key'], KEY)
  assert.equal(arrived.headers['authorization'], undefined)
  assert.equal(arrived.headers['anthropic-version'], '2023-06-01')
  assert.equal(arrived.headers['accept-encoding'], 'identity')
  assert.equal(status, 200)
  assert.deepEqual(body, { ...message('house', 'hello from the fake') })
  // What came from a cache and what went to it was read too.
  assert.deepEqual(usage, { tokens_in: 329, tokens_out: 4, tokens_cached: 300, tokens_written: 20 })
})

test('anthropic counts tokens, which costs none', async () => {
  const { body, usage } = await call('count_tokens', { model: 'house', messages: ASKED.messages })
  assert.equal(fake.received.at(-1)?.url, '/v1/messages/count_tokens')
  assert.deepEqual(body, { input_tokens: 21 })
  assert.equal(usage, undefined)
})

const PLACES: readonly (readonly [baseUrl: string, path: string])[] = [
  ['', '/v1/messages'],
  ['/', '/v1/messages'],
  ['/v1', '/v1/messages'],
  ['/v1/', '/v1/messages'],
  ['/proxy/anthropic/', '/proxy/anthropic/v1/messages'],
  ['/proxy?region=eu', '/proxy/v1/messages?region=eu'],
  ['//elsewhere.example', '//elsewhere.example/v1/messages'],
]

for (const [baseUrl, path] of PLACES) {
  test(`anthropic is where the configuration says: ${baseUrl}`, async () => {
    await call('messages', ASKED, { baseUrl: `${fake.origin}${baseUrl}` })
    assert.equal(fake.received.at(-1)?.url, path)
  })
}

for (const baseUrl of [undefined, 'ftp://x', 'https://me:secret@x', 'https://x/#y', 'no url']) {
  test(`anthropic takes no such address: ${baseUrl}`, () => {
    assert.throws(
      () => open({ baseUrl }),
      (thrown) => thrown instanceof Fault && thrown.code === 'config.invalid',
    )
  })
}

test('anthropic sends no header of a key where none is needed, and nothing where one is missing', async () => {
  await call('messages', ASKED, { key: { kind: 'none' } })
  assert.equal(fake.received.at(-1)?.headers['x-api-key'], undefined)
  const before = fake.received.length
  const code = await codeOf(call('messages', ASKED, { key: { kind: 'unresolved' } }))
  assert.equal(code, 'upstream.unconfigured')
  assert.equal(fake.received.length, before)
})

test('anthropic tells no usage where the answer tells none', async () => {
  const { usage } = await call('messages', ASKED, { model: 'no_usage' })
  assert.equal(usage, undefined)
})

async function faultOf(answer: Promise<unknown>): Promise<Fault> {
  try {
    await answer
  } catch (thrown) {
    assert.ok(thrown instanceof Fault, String(thrown))
    return thrown
  }
  throw new Error('there was an answer')
}

async function codeOf(answer: Promise<unknown>): Promise<FaultCode> {
  return (await faultOf(answer)).code
}

const BAD: readonly (readonly [behaviour: string, code: FaultCode])[] = [
  ['unauthorized', 'upstream.unauthorized'],
  ['forbidden', 'upstream.unauthorized'],
  ['unpaid', 'upstream.rejected'],
  ['missing', 'upstream.rejected'],
  ['rejecting', 'upstream.rejected'],
  ['rejecting_with_key', 'upstream.rejected'],
  ['too_large', 'upstream.rejected'],
  ['limited', 'upstream.limited'],
  ['failing', 'upstream.failed'],
  ['slow', 'upstream.failed'],
  ['overloaded', 'upstream.failed'],
  ['error_with_200', 'upstream.invalid'],
  ['not_json', 'upstream.invalid'],
  ['no_content', 'upstream.invalid'],
  ['a_list', 'upstream.invalid'],
  ['redirect', 'upstream.invalid'],
  ['echo_key', 'upstream.invalid'],
]

for (const [behaviour, code] of BAD) {
  test(`anthropic makes a fault of: ${behaviour}`, async () => {
    const fault = await faultOf(call('messages', ASKED, { model: behaviour }))
    assert.equal(fault.code, code)
    // Neither the key nor the request is said to the caller, and neither is kept.
    assert.ok(!JSON.stringify([fault.say, fault.detail, fault.message]).includes(KEY))
    assert.ok(!JSON.stringify([fault.say, fault.detail, fault.message]).includes('hello'))
  })
}

test('anthropic makes a fault of silence', async () => {
  assert.equal(await codeOf(call('messages', ASKED, { model: 'silent', timeoutMs: 100 })), 'upstream.slow')
})

test('anthropic says the type of an error only where it knows it', async () => {
  const said = async (model: string): Promise<string | undefined> =>
    (await faultOf(call('messages', ASKED, { model }))).say
  assert.equal(await said('too_large'), 'The model provider rejected the request (request_too_large).')
  assert.equal(await said('rejecting_oddly'), 'The model provider rejected the request.')
})

test('anthropic passes on how long to wait, within bounds', async () => {
  const wait = async (model: string): Promise<number | undefined> =>
    (await faultOf(call('messages', ASKED, { model }))).retryAfterSeconds
  assert.equal(await wait('limited'), 7)
  assert.equal(await wait('limited_for_ever'), 3_600)
})

for (const api of ['responses', 'embeddings'] as const) {
  test(`anthropic refuses an API that it does not have: ${api}`, async () => {
    const before = fake.received.length
    assert.equal(await codeOf(call(api, ASKED)), 'api.unsupported')
    assert.equal(fake.received.length, before)
  })
}
