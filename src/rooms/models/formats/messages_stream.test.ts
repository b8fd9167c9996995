import assert from 'node:assert/strict'
import { test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import { Fault } from '#base/fault.ts'
import type { FaultCode } from '#base/fault_table.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { assertFrozen } from '../../../../test/support/assert_frozen.ts'
import {
  allOf,
  fetchOf,
  framesIn,
  textsByChannel,
  typeName,
  wireOf,
  written,
} from '../../../../test/support/stream_scene.ts'
import { MessagesStream } from './messages_stream.ts'

const USAGE = {
  input_tokens: 10,
  cache_creation_input_tokens: 200,
  cache_read_input_tokens: 3_000,
  output_tokens: 1,
}
const MESSAGE = { id: 'msg_1', type: 'message', role: 'assistant', model: 'upstream', content: [] }

const START = { type: 'message_start', message: { ...MESSAGE, stop_reason: null, usage: USAGE } }
const PING = { type: 'ping' }
const STOP = { type: 'message_stop' }
const begin = (index: number, block: JsonObject): JsonObject => ({
  type: 'content_block_start',
  index,
  content_block: block,
})
const delta = (index: number, delta: JsonValue): JsonObject => ({ type: 'content_block_delta', index, delta })
const text = (index: number, text: string): JsonObject => delta(index, { type: 'text_delta', text })
const json = (index: number, piece: string): JsonObject =>
  delta(index, { type: 'input_json_delta', partial_json: piece })
const stop = (index: number): JsonObject => ({ type: 'content_block_stop', index })
const finish = (reason = 'end_turn', usage: JsonObject = { output_tokens: 7 }): JsonObject => ({
  type: 'message_delta',
  delta: { stop_reason: reason, stop_sequence: null },
  usage,
})

const wire = (...events: readonly (JsonObject | string)[]): string => wireOf(events, typeName)
const whole = (...events: readonly JsonObject[]): string => wire(START, PING, ...events, finish(), STOP)
const messages = (): MessagesStream => new MessagesStream('public')

const STREAMS: readonly (readonly [why: string, wire: string, texts: Record<string, string>])[] = [
  [
    'text',
    whole(begin(0, { type: 'text', text: '' }), text(0, 'Hel'), PING, text(0, 'lo, wörld 😀'), stop(0)),
    { '0.text': 'Hello, wörld 😀' },
  ],
  [
    'text that a block begins with',
    whole(begin(0, { type: 'text', text: 'one, ' }), text(0, 'two'), stop(0)),
    { '0.text': 'one, two' },
  ],
  [
    'thinking with its signature, then text',
    whole(
      begin(0, { type: 'thinking', thinking: '', signature: '' }),
      delta(0, { type: 'thinking_delta', thinking: 'Let me' }),
      delta(0, { type: 'thinking_delta', thinking: ' see' }),
      delta(0, { type: 'signature_delta', signature: 'c2lnbmF0dXJl' }),
      stop(0),
      begin(1, { type: 'text', text: '' }),
      text(1, 'Yes'),
      stop(1),
    ),
    { '0.thinking': 'Let me see', '1.text': 'Yes' },
  ],
  [
    'thinking that is hidden',
    whole(
      begin(0, { type: 'redacted_thinking', data: 'b3BhcXVl' }),
      stop(0),
      begin(1, { type: 'text', text: '' }),
      text(1, 'x'),
      stop(1),
    ),
    { '1.text': 'x' },
  ],
  [
    'two tools, one without arguments',
    whole(
      begin(0, { type: 'text', text: '' }),
      text(0, 'I look'),
      stop(0),
      begin(1, { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }),
      json(1, ''),
      json(1, '{"city": "Gr'),
      json(1, 'az"}'),
      stop(1),
      begin(2, { type: 'tool_use', id: 'toolu_2', name: 'time', input: {} }),
      stop(2),
    ),
    { '0.text': 'I look', '1.partial_json': '{"city": "Graz"}' },
  ],
  [
    'a tool of the server and citations',
    whole(
      begin(0, { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: {} }),
      json(0, '{"query":"x"}'),
      stop(0),
      begin(1, {
        type: 'web_search_tool_result',
        tool_use_id: 'srvtoolu_1',
        content: [{ type: 'web_search_result', title: 'T', url: 'https://a', encrypted_content: 'eA==' }],
      }),
      stop(1),
      begin(2, { type: 'text', text: '', citations: [] }),
      delta(2, {
        type: 'citations_delta',
        citation: { type: 'web_search_result_location', cited_text: 'whole', url: 'https://a', title: 'T' },
      }),
      text(2, 'found'),
      stop(2),
    ),
    { '0.partial_json': '{"query":"x"}', '2.text': 'found' },
  ],
]

for (const [why, upstream, texts] of STREAMS) {
  test(`MessagesStream names the channels: ${why}`, async () => {
    const frames = await framesIn(messages(), upstream)
    assert.deepEqual(textsByChannel(frames), texts)
    for (const { event, value } of frames) {
      assert.equal(event, value['type'])
      assertFrozen(value)
    }
    assert.deepEqual(frames[0]?.value['message'], { ...START.message, model: 'public' })
    assert.deepEqual(await framesIn(messages(), upstream, 1), frames)
  })

  for (const held of [0, 1, 7, 1_000]) {
    test(`MessagesStream gives what the client of Anthropic puts together the same, ${held} held: ${why}`, async () => {
      const sent = await written(messages(), upstream, held)
      assert.deepEqual(await gathered(sent), await gathered(upstream.replaceAll('"upstream"', '"public"')))
    })
  }
}

const clientOf = (stream: string): Anthropic =>
  new Anthropic({ apiKey: 'none', baseURL: 'http://door.invalid', fetch: fetchOf(stream) })

async function gathered(stream: string): Promise<unknown> {
  const events = clientOf(stream).messages.stream({ model: 'm', max_tokens: 9, messages: [] })
  return JSON.parse(JSON.stringify(await events.finalMessage()))
}

test('MessagesStream guards what it does not know: members of deltas, deltas of events, beginnings', async () => {
  const format = messages()
  const frames = await framesIn(
    format,
    whole(
      begin(0, { type: 'compaction', content: 'a' }),
      delta(0, { type: 'compaction_delta', content: 'b', none: null, inner: { whole: 'w' } }),
      stop(0),
      { type: 'new_delta', index: 3, delta: 'c' },
      { type: 'new_delta', index: 3, delta: 'd' },
      { type: 'new_delta', delta: 'e' },
      { type: 'new_event', delta: { text: 'f' }, text: 'g' },
    ),
  )
  assert.deepEqual(textsByChannel(frames), {
    '0.content': 'ab',
    'other.new_delta.3': 'cd',
    'other.new_delta.': 'e',
  })
  assert.deepEqual(format.rest('other.new_delta.3', 'x').value, { type: 'new_delta', index: 3, delta: 'x' })
  assert.deepEqual(format.rest('0.content', 'x').value, delta(0, { type: 'compaction_delta', content: 'x' }))
})

test('MessagesStream ends the channels of a block with it, and all that is left with the message', async () => {
  const frames = await framesIn(
    messages(),
    wire(
      START,
      begin(0, { type: 'text' }),
      text(0, 'a'),
      stop(0),
      begin(1, { type: 'text' }),
      text(1, 'b'),
      STOP,
    ),
  )
  assert.deepEqual(
    frames.map(({ ends }) => ends),
    [[], [], [], ['0.text'], [], [], 'all'],
  )
})

test('MessagesStream says what is held in a delta of the kind of its block', async () => {
  const format = messages()
  await framesIn(format, STREAMS[4]?.[1] ?? '')
  assert.deepEqual(format.rest('1.partial_json', 'tail'), {
    event: 'content_block_delta',
    value: json(1, 'tail'),
    texts: [{ channel: '1.partial_json', path: ['delta', 'partial_json'] }],
    ends: [],
  })
})

test('MessagesStream counts tokens as they were last told, those of the cache too', async () => {
  const format = messages()
  assert.deepEqual(format.usage, {})
  await assert.rejects(framesIn(format, wire(START)))
  assert.deepEqual(format.usage, {
    tokens_in: 3_210,
    tokens_out: 1,
    tokens_cached: 3_000,
    tokens_written: 200,
  })

  const later = messages()
  const usage = { input_tokens: 20, cache_read_input_tokens: null, output_tokens: 9 }
  await framesIn(
    later,
    wire(START, finish('end_turn', { output_tokens: 5 }), finish('end_turn', usage), STOP),
  )
  assert.deepEqual(later.usage, {
    tokens_in: 3_220,
    tokens_out: 9,
    tokens_cached: 3_000,
    tokens_written: 200,
  })
})

type Bad = readonly [why: string, wire: string, code: FaultCode, reason: string]
const BAD: readonly Bad[] = [
  ['not JSON', 'event: ping\ndata: {\n\n', 'upstream.invalid', 'event_unreadable'],
  ['no type', wire(START, 'event: ping\ndata: {}\n\n'), 'upstream.invalid', 'event_type'],
  ['a type of two lines', `data: ${JSON.stringify({ type: 'a\nb' })}\n\n`, 'upstream.invalid', 'event_type'],
  ['no message', wire({ type: 'message_start' }), 'upstream.invalid', 'message'],
  [
    'a message that has content',
    wire({ type: 'message_start', message: { ...MESSAGE, content: [{ type: 'text', text: 'sk' }] } }),
    'upstream.invalid',
    'text_too_early',
  ],
  ['no block', wire(START, { type: 'content_block_start', index: 0 }), 'upstream.invalid', 'block'],
  ['a block twice', wire(START, begin(0, {}), begin(0, {})), 'upstream.invalid', 'index'],
  ['a block too many', wire(START, begin(LIMITS.streamBlocks, {})), 'upstream.invalid', 'index'],
  ['a block without an index', wire(START, { type: 'content_block_stop' }), 'upstream.invalid', 'index'],
  ['a delta of no block', wire(START, text(0, 'a')), 'upstream.invalid', 'index'],
  ['an index from the end', wire(START, begin(0, {}), text(-1, 'a')), 'upstream.invalid', 'index'],
  ['a delta that is none', wire(START, begin(0, {}), delta(0, 'a')), 'upstream.invalid', 'delta'],
  [
    'a delta without a type',
    wire(START, begin(0, {}), delta(0, { text: 'a' })),
    'upstream.invalid',
    'event_type',
  ],
  [
    'a number for a text',
    wire(START, begin(0, {}), delta(0, { type: 'text_delta', text: 4111 })),
    'upstream.invalid',
    'text',
  ],
  [
    'a text behind the end of its block',
    wire(START, begin(0, { type: 'text', text: 'a' }), stop(0), text(0, 'b')),
    'upstream.invalid',
    'text_after_end',
  ],
  [
    'an error',
    wire(START, { type: 'error', error: { type: 'overloaded_error', message: 'secret' } }),
    'upstream.failed',
    'error_event',
  ],
  ['no end', wire(START, finish()), 'upstream.failed', 'cut'],
]

for (const [why, upstream, code, reason] of BAD) {
  test(`MessagesStream refuses with ${code}, ${reason}, and keeps no text: ${why}`, async () => {
    await assert.rejects(framesIn(messages(), upstream), (thrown) => {
      assert.ok(thrown instanceof Fault)
      assert.deepEqual([thrown.code, thrown.detail['reason']], [code, reason])
      assert.ok(!JSON.stringify([thrown.message, thrown.detail]).includes('secret'))
      return true
    })
  })
}

test('MessagesStream refuses as Anthropic does: the real client throws, with code and entry, without detail', async () => {
  const fault = new Fault('content.blocked', { findings: ['secret'] })
  const [event] = messages().refuse({ fault, id: 'entry00000000001' })
  assert.equal(event?.event, 'error')
  const stream = wire(START, event.data as JsonObject)
  assert.ok(!stream.includes('secret'))
  const events = await clientOf(stream).messages.create({
    model: 'm',
    max_tokens: 9,
    messages: [],
    stream: true,
  })
  await assert.rejects(allOf(events), (thrown) => {
    assert.ok(thrown instanceof Anthropic.APIError)
    assert.equal(thrown.type, 'invalid_request_error')
    const body = thrown.error as { error: { code: string; gatehouse: { entry: string } }; request_id: string }
    assert.equal(body.error.code, 'content.blocked')
    assert.equal(body.error.gatehouse.entry, 'entry00000000001')
    assert.equal(body.request_id, 'entry00000000001')
    return true
  })
  assert.equal(messages().end, '')
})
