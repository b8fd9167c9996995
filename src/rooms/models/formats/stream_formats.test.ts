import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import { streamText, type LanguageModel } from 'ai'
import * as fc from 'fast-check'
import { Fault } from '#base/fault.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { StreamFrame } from '#door/stream_frame.ts'
import { fetchOf, framesIn, textsByChannel, wireOf, written } from '../../../../test/support/stream_scene.ts'
import { ChatStream } from './chat_stream.ts'
import { MessagesStream } from './messages_stream.ts'
import { ResponsesStream } from './responses_stream.ts'
import { eachOf, framesOf, type StreamFormat } from './stream_format.ts'

const SEED = 20_270_220

interface Kind {
  readonly open: () => StreamFormat
  /** A model of the Vercel AI SDK that reads the format. */
  readonly model: (stream: string) => LanguageModel
  /** Text, and a tool call, as the format's own servers send them. */
  readonly stream: string
}

const DOOR = { apiKey: 'none', baseURL: 'http://door.invalid/v1' }
const named = (event: JsonObject): string | undefined =>
  typeof event['type'] === 'string' ? event['type'] : undefined

const chunk = (delta: JsonObject, finish: string | null = null): JsonObject => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta, finish_reason: finish }],
})
const about = (name: string, index: number, members: JsonObject): JsonObject => ({
  type: `response.${name}`,
  item_id: `item_${index}`,
  output_index: index,
  ...members,
})
const part = { type: 'output_text', text: '', annotations: [] }
const message = { id: 'item_0', type: 'message', role: 'assistant', status: 'in_progress', content: [] }
const call = { id: 'item_1', type: 'function_call', call_id: 'call_1', name: 'weather' }
const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', output: [] }

const KINDS: Readonly<Record<string, Kind>> = {
  chat: {
    open: () => new ChatStream({ model: 'm', isUsageAsked: true }),
    model: (stream) => createOpenAI({ ...DOOR, fetch: fetchOf(stream) }).chat('m'),
    stream: wireOf(
      [
        chunk({ role: 'assistant', content: '' }),
        chunk({ content: 'I lo' }),
        chunk({ content: 'ok, ünder 😀' }),
        chunk({
          tool_calls: [
            { index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } },
          ],
        }),
        chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
        chunk({ tool_calls: [{ index: 0, function: { arguments: '"Graz"}' } }] }),
        chunk({}, 'tool_calls'),
        'data: [DONE]\n\n',
      ],
      () => undefined,
    ),
  },
  messages: {
    open: () => new MessagesStream('m'),
    model: (stream) => createAnthropic({ ...DOOR, fetch: fetchOf(stream) })('m'),
    stream: wireOf(
      [
        {
          type: 'message_start',
          message: {
            id: 'msg_1',
            type: 'message',
            role: 'assistant',
            model: 'm',
            content: [],
            stop_reason: null,
            usage: { input_tokens: 5, output_tokens: 1 },
          },
        },
        { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'I lo' } },
        { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'ok, ünder 😀' } },
        { type: 'content_block_stop', index: 0 },
        {
          type: 'content_block_start',
          index: 1,
          content_block: { type: 'tool_use', id: 'call_1', name: 'weather', input: {} },
        },
        {
          type: 'content_block_delta',
          index: 1,
          delta: { type: 'input_json_delta', partial_json: '{"city":' },
        },
        {
          type: 'content_block_delta',
          index: 1,
          delta: { type: 'input_json_delta', partial_json: '"Graz"}' },
        },
        { type: 'content_block_stop', index: 1 },
        {
          type: 'message_delta',
          delta: { stop_reason: 'tool_use', stop_sequence: null },
          usage: { output_tokens: 9 },
        },
        { type: 'message_stop' },
      ],
      named,
    ),
  },
  responses: {
    open: () => new ResponsesStream('m'),
    model: (stream) => createOpenAI({ ...DOOR, fetch: fetchOf(stream) }).responses('m'),
    stream: wireOf(
      [
        { type: 'response.created', response },
        about('output_item.added', 0, { item: message }),
        about('content_part.added', 0, { content_index: 0, part }),
        about('output_text.delta', 0, { content_index: 0, delta: 'I lo', logprobs: [] }),
        about('output_text.delta', 0, { content_index: 0, delta: 'ok, ünder 😀', logprobs: [] }),
        about('output_text.done', 0, { content_index: 0, text: 'I look, ünder 😀' }),
        about('content_part.done', 0, { content_index: 0, part: { ...part, text: 'I look, ünder 😀' } }),
        about('output_item.done', 0, {
          item: { ...message, status: 'completed', content: [{ ...part, text: 'I look, ünder 😀' }] },
        }),
        about('output_item.added', 1, { item: { ...call, status: 'in_progress', arguments: '' } }),
        about('function_call_arguments.delta', 1, { delta: '{"city":' }),
        about('function_call_arguments.delta', 1, { delta: '"Graz"}' }),
        about('function_call_arguments.done', 1, { arguments: '{"city":"Graz"}' }),
        about('output_item.done', 1, {
          item: { ...call, status: 'completed', arguments: '{"city":"Graz"}' },
        }),
        {
          type: 'response.completed',
          response: { ...response, usage: { input_tokens: 5, output_tokens: 9 } },
        },
      ].map((event, at) => ({ ...event, sequence_number: at })),
      named,
    ),
  },
}

for (const [name, { open, model, stream }] of Object.entries(KINDS)) {
  for (const held of [0, 1, 3, 1_000]) {
    test(`the AI SDK puts the same together from a stream of ${name}, ${held} held`, async () => {
      const direct = await heard(model(stream))
      assert.deepEqual(await heard(model(await written(open(), stream, held))), direct)
      assert.equal(direct['text'], 'I look, ünder 😀')
      assert.deepEqual(direct['tools'], [{ id: 'call_1', name: 'weather', input: { city: 'Graz' } }])
    })
  }

  test(`a format of ${name} gives the frames of a stream up to where it is cut, and says that it was`, async () => {
    const whole = await framesIn(open(), stream)
    for (let end = 0; end < stream.length - 1; end += 5) {
      const frames: StreamFrame[] = []
      const pieces = (async function* () {
        yield Buffer.from(stream.slice(0, end))
      })()
      await assert.rejects(
        async () => {
          for await (const frame of eachOf(framesOf(open(), pieces))) frames.push(frame)
        },
        { code: 'upstream.failed' },
      )
      assert.deepEqual(frames, whole.slice(0, frames.length))
    }
  })

  test(`a format of ${name} comes to frames or to a fault, whatever the upstream says, and every path to a text`, async () => {
    const word = fc.constantFrom(...WORDS)
    const { event } = fc.letrec<{ event: JsonValue }>((tie) => ({
      event: fc.oneof(
        { maxDepth: 4 },
        // The first is what stands at the greatest depth.
        word,
        fc.dictionary(word, tie('event'), { maxKeys: 5, noNullPrototype: true }),
        fc.array(tie('event'), { maxLength: 3 }),
        fc.constantFrom(null, true, 0, 1, 2, -1, 0.5, LIMITS.streamBlocks, ''),
      ),
    }))
    const known = fc.constantFrom(...eventsOf(stream))
    const mixed = fc
      .tuple(known, fc.dictionary(word, event, { maxKeys: 3, noNullPrototype: true }))
      .map(([one, other]) => ({ ...one, ...other }))
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(known, mixed, event), { maxLength: 8 }), async (events) => {
        const wire = events.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')
        const format = open()
        try {
          textsByChannel(await framesIn(format, wire))
        } catch (thrown) {
          assert.ok(thrown instanceof Fault, String(thrown))
          assert.match(thrown.code, /^upstream\.(?:invalid|failed|oversized)$/)
        }
      }),
      { seed: SEED, numRuns: 1_000 },
    )
  })
}

/** Names and words of all three formats. */
const WORDS = [
  ...'type index delta choices finish_reason content text tool_calls function name arguments error usage'.split(
    ' ',
  ),
  ...'content_block message item part output response output_index content_index item_id command'.split(' '),
  ...'summary logprobs response.x.delta response.x.done response.output_item.added text_delta'.split(' '),
]

function eventsOf(stream: string): JsonObject[] {
  return stream.split('\n').flatMap((line) => {
    if (!line.startsWith('data: {')) return []
    const value: JsonValue = JSON.parse(line.slice(6))
    return isJsonObject(value) ? [value] : []
  })
}

async function heard(model: LanguageModel): Promise<Record<string, unknown>> {
  const result = streamText({ model, prompt: 'x', onError: ({ error }) => assert.fail(String(error)) })
  const [text, calls, reason, usage] = await Promise.all([
    result.text,
    result.toolCalls,
    result.finishReason,
    result.usage,
  ])
  const tools = calls.map(({ toolCallId: id, toolName: name, input }) => ({
    id,
    name,
    input: input as unknown,
  }))
  return { text, tools, reason, usage }
}
