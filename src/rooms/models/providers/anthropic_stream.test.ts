import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Fault } from '#base/fault.ts'
import type { FaultCode } from '#base/fault_table.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { Sealed } from '#base/sealed.ts'
import type { StreamedAnswer, StreamFrame } from '#door/stream_frame.ts'
import { authorize, type Permit } from '#trust/access/authorize.ts'
import {
  events,
  startFakeMessagesUpstream,
  type FakeMessagesUpstream,
} from '../../../../test/fakes/messages_upstream.ts'
import { CALLER, decider, ENDLESS, StillClock } from '../../../../test/support/door_parts.ts'
import type { ModelApi, ModelConnection, ModelSettings } from '../provider.ts'
import { messagesToChat } from '../translate/messages_to_chat.ts'
import { TranslatingConnection } from '../translate/translating_connection.ts'
import { anthropic } from './anthropic.ts'
import { openai } from './openai.ts'
import { eachOf } from '../formats/stream_format.ts'

const KEY = ['the', 'key/of', 'the', 'provider'].join('-')
const PERMIT: Permit = authorize(
  { current: () => decider(() => true) },
  {
    caller: CALLER,
    action: 'model:infer',
    target: { ref: { type: 'Model', id: 'house' }, entities: [] },
    findings: [],
  },
)
const CONTEXT = { id: 'entry00000000001', memory: ENDLESS, onAbort: () => {} }
const PARTS = { clock: new StillClock(), redact: (text: string) => text }
const HELLO = [{ role: 'user', content: 'hello' }]
const ASKED = { model: 'house', messages: HELLO, stream: true }

const START = {
  type: 'message_start',
  message: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'theirs',
    content: [],
    usage: { input_tokens: 9, output_tokens: 1 },
  },
}
const TEXT = [
  { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
  { type: 'ping' },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'hel' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'lo' } },
  { type: 'content_block_stop', index: 0 },
]
const END = [
  {
    type: 'message_delta',
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: 7 },
  },
  { type: 'message_stop' },
]
const chunk = (delta: object, rest: object = {}): object => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'theirs',
  choices: [{ index: 0, delta, finish_reason: null, ...rest }],
})

let fake: FakeMessagesUpstream
let released: (() => void) | undefined

before(async () => {
  fake = await startFakeMessagesUpstream({
    saying: events(START, ...TEXT, ...END),
    erring: events(START, ...TEXT, { type: 'error', error: { type: 'overloaded_error', message: 'busy' } }),
    cut: events(START, ...TEXT),
    thinking: events(START, {
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'thinking', thinking: '', signature: '' },
    }),
    thoughtful: (response) =>
      response.writeHead(200, { 'content-type': 'application/json' }).end(
        JSON.stringify({
          ...START.message,
          content: [{ type: 'thinking', thinking: 'hm', signature: 's' }],
          stop_reason: 'end_turn',
          usage: { input_tokens: 9, output_tokens: 7 },
        }),
      ),
    telling_key: (response, { headers }) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      const key = String(headers['x-api-key'])
      response.write(`data: ${JSON.stringify(START)}\n\ndata: {"type":"ping","was":"${key.slice(0, 9)}`)
      response.write(`${key.slice(9)}"}\n\n`)
      response.end()
    },
    endless: (response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write(`data: ${JSON.stringify(START)}\n\n`)
      response.on('close', () => released?.())
    },
    chatting: events(
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'hello' }),
      chunk({}, { finish_reason: 'stop' }),
      { ...chunk({}), choices: [], usage: { prompt_tokens: 9, completion_tokens: 4 } },
      '[DONE]',
    ),
  })
})

after(async () => {
  await fake.close()
})

function settingsOf(model: string): ModelSettings {
  return {
    name: 'house',
    provider: 'anthropic',
    baseUrl: fake.origin,
    model,
    key: { kind: 'present', secret: new Sealed(KEY) },
    auth: 'bearer',
    region: 'eu',
    extensions: 'pass',
    timeoutMs: 2_000,
    maxAnswerBytes: 100_000,
  }
}

interface Seen {
  readonly frames: readonly StreamFrame[]
  readonly stream: StreamedAnswer
}

async function watch(connection: ModelConnection, api: ModelApi, request: JsonObject): Promise<Seen> {
  try {
    const stream = await connection.stream(api, PERMIT, request, CONTEXT)
    const frames: StreamFrame[] = []
    for await (const frame of eachOf(stream.frames)) frames.push(frame)
    return { frames, stream }
  } finally {
    await connection.close()
  }
}

const ask = (model: string, api: ModelApi, request: JsonObject): Promise<Seen> =>
  watch(anthropic.open(settingsOf(model), PARTS), api, request)

async function codeOf(work: Promise<unknown>): Promise<FaultCode> {
  try {
    await work
  } catch (thrown) {
    assert.ok(thrown instanceof Fault, String(thrown))
    assert.ok(!JSON.stringify([thrown.say, thrown.detail]).includes(KEY))
    return thrown.code
  }
  throw new Error('there was an answer')
}

function modelOf(frame: StreamFrame | undefined): JsonValue | undefined {
  const message = frame?.value['message']
  return isJsonObject(message) ? message['model'] : undefined
}

const joined = (frames: readonly StreamFrame[]): string =>
  frames
    .flatMap(({ value, texts }) => texts.map(({ path }) => ({ value, path })))
    .map(({ value, path }) => path.reduce<unknown>((inner, step) => (inner as never)[step], value))
    .join('')

test('anthropic streams a message as it comes, under the public name', async () => {
  const { frames, stream } = await ask('saying', 'messages', { ...ASKED, max_tokens: 9 })
  assert.deepEqual(fake.received.at(-1)?.body, { ...ASKED, max_tokens: 9, model: 'saying' })
  assert.equal(joined(frames), 'hello')
  assert.equal(modelOf(frames[0]), 'house')
  assert.deepEqual(
    frames.map(({ event }) => event),
    [START, ...TEXT, ...END].map(({ type }) => type),
  )
  assert.deepEqual(stream.facts(), { provider: 'anthropic', region: 'eu', tokens_in: 9, tokens_out: 7 })
  assert.equal(stream.end, '')
})

test('anthropic streams a chat, translated', async () => {
  const { frames, stream } = await ask('saying', 'chat', {
    ...ASKED,
    stream_options: { include_usage: true },
  })
  assert.deepEqual(fake.received.at(-1)?.body, { ...ASKED, model: 'saying', max_tokens: 4_096 })
  assert.equal(joined(frames), 'hello')
  assert.deepEqual(new Set(frames.map(({ value }) => value['model'])), new Set(['house']))
  assert.deepEqual(frames.at(-1)?.value['usage'], {
    prompt_tokens: 9,
    completion_tokens: 7,
    total_tokens: 16,
  })
  assert.deepEqual(stream.facts(), { provider: 'anthropic', region: 'eu', tokens_in: 9, tokens_out: 7 })
  assert.equal(stream.end, 'data: [DONE]\n\n')
})

test('anthropic answers a chat, translated', async () => {
  const connection = anthropic.open(settingsOf('any'), PARTS)
  const { body, usage } = await connection.call('chat', PERMIT, { model: 'house', messages: HELLO }, CONTEXT)
  const { model, choices } = body as { model: string; choices: { message: JsonObject }[] }
  assert.equal(model, 'house')
  assert.equal(choices[0]?.message['content'], 'hello from the fake')
  assert.deepEqual(usage, { tokens_in: 329, tokens_out: 4, tokens_cached: 300, tokens_written: 20 })
  await connection.close()
})

test('anthropic tells what an answer cost that cannot be carried', async () => {
  const connection = anthropic.open(settingsOf('thoughtful'), PARTS)
  await assert.rejects(
    connection.call('chat', PERMIT, { model: 'house', messages: HELLO }, CONTEXT),
    (thrown) => {
      assert.ok(thrown instanceof Fault)
      assert.equal(thrown.code, 'api.unsupported')
      assert.deepEqual(thrown.detail, { field: 'content[0].type', tokens_in: 9, tokens_out: 7, taken: true })
      return true
    },
  )
  await connection.close()
})

const BAD: readonly (readonly [model: string, messages: FaultCode, chat: FaultCode])[] = [
  ['erring', 'upstream.failed', 'upstream.failed'],
  ['cut', 'upstream.failed', 'upstream.failed'],
  ['telling_key', 'upstream.invalid', 'upstream.invalid'],
  ['unauthorized', 'upstream.unauthorized', 'upstream.unauthorized'],
  ['limited', 'upstream.limited', 'upstream.limited'],
  ['overloaded', 'upstream.failed', 'upstream.failed'],
  // One that has no stream to give.
  ['whole', 'upstream.invalid', 'upstream.invalid'],
]

for (const [model, messages, chat] of BAD) {
  test(`anthropic makes a fault of a stream that is: ${model}`, async () => {
    assert.equal(await codeOf(ask(model, 'messages', { ...ASKED, max_tokens: 9 })), messages)
    assert.equal(await codeOf(ask(model, 'chat', ASKED)), chat)
  })
}

test('anthropic streams thoughts to its own clients, and refuses them to others', async () => {
  const connection = anthropic.open(settingsOf('thinking'), PARTS)
  assert.equal(await codeOf(watch(connection, 'chat', ASKED)), 'api.unsupported')
})

for (const api of ['responses', 'embeddings', 'count_tokens'] as const) {
  test(`anthropic has no stream of ${api}`, async () => {
    assert.equal(await codeOf(ask('saying', api, ASKED)), 'api.unsupported')
  })
}

for (const api of ['messages', 'chat'] as const) {
  test(`anthropic ends the exchange when its stream is left: ${api}`, async () => {
    const gone = new Promise<void>((resolve) => (released = resolve))
    const connection = anthropic.open(settingsOf('endless'), PARTS)
    const stream = await connection.stream(api, PERMIT, { ...ASKED, max_tokens: 9 }, CONTEXT)
    for await (const frame of eachOf(stream.frames)) {
      assert.ok(frame.value)
      break
    }
    await gone
    await connection.close()
  })

  test(`anthropic ends the exchange when its stream is cancelled while it waits: ${api}`, async () => {
    const gone = new Promise<void>((resolve) => (released = resolve))
    const connection = anthropic.open(settingsOf('endless'), PARTS)
    const stream = await connection.stream(api, PERMIT, { ...ASKED, max_tokens: 9 }, CONTEXT)
    const frames = stream.frames[Symbol.asyncIterator]()
    await frames.next()
    const next = frames.next().then(
      () => 'ended',
      () => 'thrown',
    )
    stream.cancel()
    assert.ok(['ended', 'thrown'].includes(await next))
    await gone
    await connection.close()
  })
}

test('TranslatingConnection streams a message of a provider that speaks OpenAIs chat', async () => {
  const inner = openai.open({ ...settingsOf('chatting'), provider: 'openai' }, PARTS)
  const connection = new TranslatingConnection(inner, messagesToChat({ model: 'house' }))
  const { frames, stream } = await watch(connection, 'messages', { ...ASKED, max_tokens: 9 })
  assert.deepEqual(fake.received.at(-1)?.body, {
    model: 'chatting',
    messages: HELLO,
    max_completion_tokens: 9,
    stream: true,
    stream_options: { include_usage: true },
  })
  assert.equal(joined(frames), 'hello')
  assert.deepEqual(
    frames.map(({ event }) => event),
    [
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ],
  )
  assert.equal(modelOf(frames[0]), 'house')
  assert.deepEqual(stream.facts(), { provider: 'openai', region: 'eu', tokens_in: 9, tokens_out: 4 })
  const refused = stream.refuse({ fault: new Fault('content.blocked'), id: 'entry00000000001' })
  assert.equal(refused[0]?.event, 'error')
})
