import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import { printMessagesUsage } from '../token_counts.ts'
import { chatAnswerToMessage } from './chat_answer_to_message.ts'
import { ChatStreamToMessage } from './chat_stream_to_message.ts'
import { MessageStreamToChat } from './message_stream_to_chat.ts'
import { messageToChatAnswer } from './message_to_chat_answer.ts'
import type { StreamTranslator } from './stream_translator.ts'

const SEED = 20_261_122
const FRAME = { model: 'public', created: 1_790_000_000 }

function translate(translator: StreamTranslator, events: readonly JsonObject[]): readonly JsonObject[] {
  return [...events.flatMap((event) => translator.push(event)), ...translator.end()]
}

const toChat = (events: readonly JsonObject[], isUsageAsked = true): readonly JsonObject[] =>
  translate(new MessageStreamToChat({ ...FRAME, isUsageAsked }), events)
const toMessage = (chunks: readonly JsonObject[]): readonly JsonObject[] =>
  translate(new ChatStreamToMessage({ model: 'public' }), chunks)

const USAGE = { input_tokens: 9, cache_read_input_tokens: 90, output_tokens: 1 }
const START = {
  type: 'message_start',
  message: { id: 'msg_1', type: 'message', role: 'assistant', model: 'theirs', content: [], usage: USAGE },
}
const startOf = (index: number, content_block: JsonObject): JsonObject => ({
  type: 'content_block_start',
  index,
  content_block,
})
const deltaOf = (index: number, delta: JsonObject): JsonObject => ({
  type: 'content_block_delta',
  index,
  delta,
})
const stopOf = (index: number): JsonObject => ({ type: 'content_block_stop', index })
const endOf = (stop_reason: string, rest: JsonObject = {}): readonly JsonObject[] => [
  {
    type: 'message_delta',
    delta: { stop_reason, stop_sequence: null, ...rest },
    usage: { input_tokens: null, output_tokens: 7 },
  },
  { type: 'message_stop' },
]
const TEXT_BLOCK = { type: 'text', text: '' }
const TOOL_BLOCK = { type: 'tool_use', id: 't1', name: 'f', input: {}, caller: { type: 'direct' } }
const TEXT: readonly JsonObject[] = [
  startOf(0, TEXT_BLOCK),
  deltaOf(0, { type: 'text_delta', text: 'hel' }),
  { type: 'ping' },
  deltaOf(0, { type: 'text_delta', text: 'lo' }),
  stopOf(0),
]
const CALL: readonly JsonObject[] = [
  startOf(1, TOOL_BLOCK),
  deltaOf(1, { type: 'input_json_delta', partial_json: '' }),
  deltaOf(1, { type: 'input_json_delta', partial_json: '{"a"' }),
  deltaOf(1, { type: 'input_json_delta', partial_json: ':1}' }),
  stopOf(1),
]

const chunk = (delta: JsonObject, finish_reason: string | null = null): JsonObject => ({
  id: 'msg_1',
  object: 'chat.completion.chunk',
  created: 1_790_000_000,
  model: 'public',
  choices: [{ index: 0, delta, logprobs: null, finish_reason }],
})
const usageChunk = (usage: JsonObject): JsonObject => ({ ...chunk({}), choices: [], usage })
const calling = (call: JsonObject): JsonObject => chunk({ tool_calls: [{ index: 0, ...call }] })

test('MessageStreamToChat says a text and a call in pieces, and what they cost', () => {
  assert.deepEqual(toChat([START, ...TEXT, ...CALL, ...endOf('tool_use')]), [
    chunk({ role: 'assistant', content: '' }),
    chunk({ content: 'hel' }),
    chunk({ content: 'lo' }),
    calling({ id: 't1', type: 'function', function: { name: 'f', arguments: '' } }),
    calling({ function: { arguments: '{"a"' } }),
    calling({ function: { arguments: ':1}' } }),
    chunk({}, 'tool_calls'),
    usageChunk({
      prompt_tokens: 99,
      completion_tokens: 7,
      total_tokens: 106,
      prompt_tokens_details: { cached_tokens: 90 },
    }),
  ])
})

test('MessageStreamToChat tells the usage only where it is asked for', () => {
  const chunks = toChat([START, ...TEXT, ...endOf('end_turn')], false)
  assert.deepEqual(chunks.at(-1), chunk({}, 'stop'))
})

test('MessageStreamToChat gives a call without arguments an object, which OpenAIs clients read', () => {
  const chunks = toChat([START, startOf(0, TOOL_BLOCK), stopOf(0), ...endOf('tool_use')], false)
  assert.deepEqual(chunks.slice(2, 3), [calling({ function: { arguments: '{}' } })])
})

test('MessageStreamToChat says what a block begins with, and why the model refused', () => {
  const details = { type: 'refusal', category: 'cyber', explanation: 'no' }
  const events = [
    START,
    startOf(0, { type: 'text', text: 'a', citations: null }),
    stopOf(0),
    ...endOf('refusal', { stop_details: details }),
  ]
  assert.deepEqual(toChat(events, false).slice(1), [
    chunk({ content: 'a' }),
    chunk({ refusal: 'no' }),
    chunk({}, 'content_filter'),
  ])
})

test('ChatStreamToMessage says a text and calls as blocks, and what they cost', () => {
  const second = {
    tool_calls: [{ index: 1, id: 't2', type: 'function', function: { name: 'g', arguments: '{}' } }],
  }
  const events = toMessage([
    chunk({ role: 'assistant', content: '', refusal: null }),
    chunk({ content: 'hello' }),
    calling({ id: 't1', type: 'function', function: { name: 'f', arguments: '' } }),
    calling({ function: { arguments: '{"a":1}' } }),
    chunk(second),
    chunk({}, 'tool_calls'),
    usageChunk({ prompt_tokens: 9, completion_tokens: 4, prompt_tokens_details: { cached_tokens: 5 } }),
  ])
  const toolOf = (id: string, name: string): JsonObject => ({ ...TOOL_BLOCK, id, name })
  assert.deepEqual(events.slice(1), [
    startOf(0, { ...TEXT_BLOCK, citations: null }),
    deltaOf(0, { type: 'text_delta', text: 'hello' }),
    stopOf(0),
    startOf(1, toolOf('t1', 'f')),
    deltaOf(1, { type: 'input_json_delta', partial_json: '{"a":1}' }),
    stopOf(1),
    startOf(2, toolOf('t2', 'g')),
    deltaOf(2, { type: 'input_json_delta', partial_json: '{}' }),
    stopOf(2),
    {
      type: 'message_delta',
      delta: { stop_reason: 'tool_use', stop_sequence: null, stop_details: null },
      usage: {
        input_tokens: 4,
        cache_creation_input_tokens: null,
        cache_read_input_tokens: 5,
        output_tokens: 4,
        output_tokens_details: null,
      },
    },
    { type: 'message_stop' },
  ])
  const { message } = events[0] as { message: JsonObject }
  assert.equal(events[0]?.['type'], 'message_start')
  assert.deepEqual([message['id'], message['model'], message['content']], ['msg_1', 'public', []])
})

test('ChatStreamToMessage keeps a refusal until the end', () => {
  const events = toMessage([chunk({ refusal: 'I can' }), chunk({ refusal: 'not.' }), chunk({}, 'stop')])
  assert.deepEqual(events.at(-2)?.['delta'], {
    stop_reason: 'refusal',
    stop_sequence: null,
    stop_details: { type: 'refusal', category: null, explanation: 'I cannot.' },
  })
})

test('ChatStreamToMessage takes a call in one piece, and members of other servers that say nothing', () => {
  const call = { index: 0, id: 't1', type: 'function', function: { name: 'f', arguments: '{}' } }
  const odd = { content: null, tool_calls: [call], reasoning_content: null, function_call: null }
  const events = toMessage([chunk(odd), chunk({ content: '' }, 'stop')])
  assert.deepEqual(
    events.map(({ type }) => type),
    [
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ],
  )
})

function fieldOf(work: () => unknown): unknown {
  try {
    work()
  } catch (thrown) {
    assert.ok(thrown instanceof Fault, String(thrown))
    return thrown.code === 'api.unsupported' ? thrown.detail['field'] : thrown.code
  }
  return 'carried'
}

const END = endOf('end_turn')

const MESSAGES_REFUSED: readonly (readonly [why: string, events: readonly JsonObject[], field: string])[] = [
  ['thoughts', [START, startOf(0, { type: 'thinking', thinking: '', signature: '' })], 'content_block.type'],
  ['a tool of the provider', [START, startOf(0, { type: 'server_tool_use', id: 's' })], 'content_block.type'],
  [
    'a citation',
    [START, startOf(0, TEXT_BLOCK), deltaOf(0, { type: 'citations_delta', citation: {} })],
    'delta.type',
  ],
  ['a text after a call', [START, ...CALL, startOf(2, TEXT_BLOCK)], 'A text after a call of a tool'],
  ['an event of later', [START, { type: 'planted_event' }], 'An event of the answer'],
  [
    'a member of later',
    [START, startOf(0, TEXT_BLOCK), deltaOf(0, { type: 'text_delta', text: 'x', tone: 'y' })],
    'delta.tone',
  ],
  [
    'arguments of no call',
    [START, startOf(0, TEXT_BLOCK), deltaOf(0, { type: 'input_json_delta', partial_json: '' })],
    'delta.type',
  ],
  ['a reason of no equal', [START, ...TEXT, ...endOf('pause_turn')], 'stop_reason'],
  ['no end', [START, ...TEXT], 'upstream.invalid'],
  ['a reason, but no end', [START, ...TEXT, ...END.slice(0, 1)], 'upstream.invalid'],
  ['no reason', [START, ...TEXT, { type: 'message_stop' }], 'upstream.invalid'],
  ['nothing', [], 'upstream.invalid'],
  ['a start of nothing', [{ type: 'message_start' }, ...END], 'upstream.invalid'],
]

for (const [why, events, field] of MESSAGES_REFUSED) {
  test(`MessageStreamToChat refuses: ${why}`, () => {
    assert.equal(
      fieldOf(() => toChat(events)),
      field,
    )
  })
}

const CALL_START = { id: 't1', type: 'function', function: { name: 'f', arguments: '{' } }

const CHAT_REFUSED: readonly (readonly [why: string, chunks: readonly JsonObject[], field: string])[] = [
  ['a second choice', [{ ...chunk({}), choices: [{ index: 1, delta: {} }] }], 'choices[0].index'],
  ['thoughts', [chunk({ reasoning_content: 'hm' })], 'choices[0].delta.reasoning_content'],
  ['sound', [chunk({ audio: { data: 'AAAA' } })], 'choices[0].delta.audio'],
  ['a call of the older kind', [chunk({ function_call: { name: 'f' } })], 'choices[0].delta.function_call'],
  ['a member of later', [chunk({ video: 'x' })], 'choices[0].delta.video'],
  [
    'probabilities',
    [{ ...chunk({}), choices: [{ index: 0, delta: {}, logprobs: { content: [] } }] }],
    'choices[0].logprobs',
  ],
  [
    'calls in turns',
    [
      calling(CALL_START),
      chunk({ tool_calls: [{ index: 1, ...CALL_START }] }),
      calling({ function: { arguments: '}' } }),
    ],
    'Calls of tools whose arguments come in turns',
  ],
  ['a call without a name', [calling({ id: 't1', function: { arguments: '{' } })], 'upstream.invalid'],
  ['a call without an id', [calling({ function: { name: 'f' } })], 'upstream.invalid'],
  ['no end', [chunk({ content: 'x' })], 'upstream.invalid'],
  ['nothing', [], 'upstream.invalid'],
  ['a refusal without end', [chunk({ refusal: 'x'.repeat(70_000) })], 'upstream.oversized'],
]

for (const [why, chunks, field] of CHAT_REFUSED) {
  test(`ChatStreamToMessage refuses: ${why}`, () => {
    assert.equal(
      fieldOf(() => toMessage(chunks)),
      field,
    )
  })
}

/** What Anthropic's client puts together of events. */
function gatherMessage(events: readonly JsonObject[]): JsonObject {
  const [start, ...others] = events as readonly { [name: string]: never }[]
  const blocks: { [name: string]: unknown }[] = []
  const jsons: string[] = []
  let end: JsonObject = {}
  for (const event of others) {
    const {
      index,
      delta,
      content_block: block,
    } = event as unknown as {
      index: number
      delta: { text?: string; partial_json?: string }
      content_block: object
    }
    if (event['type'] === 'content_block_start') blocks[index] = { ...block }
    if (event['type'] === 'content_block_delta') {
      const open = blocks[index] ?? {}
      if (delta.text !== undefined) open['text'] = `${open['text'] as string}${delta.text}`
      jsons[index] = (jsons[index] ?? '') + (delta.partial_json ?? '')
    }
    if (event['type'] === 'content_block_stop' && jsons[index])
      (blocks[index] ?? {})['input'] = JSON.parse(jsons[index])
    if (event['type'] === 'message_delta') end = { ...(delta as JsonObject), usage: event['usage'] ?? null }
  }
  return { ...(start?.['message'] as unknown as JsonObject), content: blocks as never, ...end }
}

interface SaidChunk {
  readonly choices: readonly { readonly delta: SaidDelta; readonly finish_reason: string | null }[]
  readonly usage?: object
}

interface SaidDelta {
  readonly content?: string
  readonly tool_calls?: readonly (SaidCall & { readonly index: number })[]
}

interface SaidCall {
  readonly id: string
  readonly type: string
  readonly function: { readonly name: string; readonly arguments: string }
}

/** What OpenAI's client puts together of chunks. */
function gatherChat(chunks: readonly JsonObject[]): JsonObject {
  const said = chunks as unknown as readonly SaidChunk[]
  const choices = said.flatMap((one) => one.choices)
  const text = choices.map(({ delta }) => delta.content ?? '').join('')
  const calls: SaidCall[] = []
  for (const { index, ...call } of choices.flatMap(({ delta }) => delta.tool_calls ?? []))
    calls[index] = joinedCall(calls[index], call)
  const message = {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    refusal: null,
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  }
  const finish = choices.findLast(({ finish_reason }) => finish_reason !== null)?.finish_reason
  return {
    id: 'msg_1',
    object: 'chat.completion',
    ...FRAME,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finish }],
    usage: said.at(-1)?.usage,
  } as unknown as JsonObject
}

function joinedCall(before: SaidCall | undefined, call: SaidCall): SaidCall {
  if (before === undefined) return call
  const { name, arguments: json } = before.function
  return { ...before, function: { name, arguments: json + call.function.arguments } }
}

const text = fc.string({ minLength: 1, maxLength: 20 })
const use = fc
  .record({ id: text, name: text, input: fc.dictionary(text, fc.oneof(text, fc.integer())) })
  .map(({ id, name, input }): JsonObject => ({ type: 'tool_use', id, name, input: { ...input } }))
const answers = fc
  .tuple(fc.option(text), fc.array(use, { maxLength: 3 }))
  .map(([said, uses]): JsonObject => ({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'public',
    content: [...(said === null ? [] : [{ type: 'text', text: said, citations: null }]), ...uses],
    stop_reason: uses.length > 0 ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    stop_details: null,
    usage: printMessagesUsage({
      prompt: 9,
      completion: 7,
      cached: 3,
      written: undefined,
      thought: undefined,
    }),
  }))
/** Lengths of pieces, used in turn. */
const cuts = fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 4 })

function pieces(whole: string, lengths: readonly number[]): readonly string[] {
  const found: string[] = []
  for (let at = 0, turn = 0; at < whole.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1
    found.push(whole.slice(at, at + length))
    at += length
  }
  return found
}

function eventsOf(answer: JsonObject, lengths: readonly number[]): readonly JsonObject[] {
  const { content, stop_reason, stop_sequence, stop_details, usage, ...head } = answer
  const blocks = (content as readonly JsonObject[]).flatMap((block, index) =>
    block['type'] === 'text'
      ? [
          startOf(index, { ...block, text: '' }),
          ...pieces(block['text'] as string, lengths).map((piece) =>
            deltaOf(index, { type: 'text_delta', text: piece }),
          ),
          stopOf(index),
        ]
      : [
          startOf(index, { ...block, input: {} }),
          ...pieces(JSON.stringify(block['input']), lengths).map((piece) =>
            deltaOf(index, { type: 'input_json_delta', partial_json: piece }),
          ),
          stopOf(index),
        ],
  )
  return [
    { type: 'message_start', message: { ...head, content: [], usage: USAGE } },
    ...blocks,
    {
      type: 'message_delta',
      delta: {
        stop_reason: stop_reason ?? null,
        stop_sequence: stop_sequence ?? null,
        stop_details: stop_details ?? null,
      },
      usage: usage ?? null,
    },
    { type: 'message_stop' },
  ]
}

test('a streamed answer says in both APIs what the whole one says, in whatever pieces it comes', () => {
  fc.assert(
    fc.property(answers, cuts, (answer, lengths) => {
      const chunks = toChat(eventsOf(answer, lengths))
      const chat = messageToChatAnswer(answer, FRAME)
      assert.deepEqual(gatherChat(chunks), chat)
      const back = gatherMessage(toMessage(chunks))
      const whole = chatAnswerToMessage(chat, FRAME)
      assert.deepEqual(back, whole)
    }),
    { seed: SEED, numRuns: 300 },
  )
})

/** Events and chunks with anything in the place of a member. */
const spoilt = fc
  .tuple(
    fc.constantFrom(START, ...TEXT, ...CALL, ...END, chunk({ content: 'x' }), calling(CALL_START)),
    fc.constantFrom('type', 'message', 'content_block', 'delta', 'usage', 'index', 'choices', 'id'),
    fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom([], {}, [{}], [null], [{ delta: 1 }], [{ delta: { tool_calls: [{}] } }], {
        type: 'text',
      }),
    ),
  )
  .map(([event, name, value]) => ({ ...event, [name]: value }) as JsonObject)

test('both translators of streams make a fault of anything, and nothing else', () => {
  fc.assert(
    fc.property(fc.array(spoilt, { maxLength: 6 }), (events) => {
      for (const work of [() => toChat([START, ...events]), () => toMessage(events)]) fieldOf(work)
    }),
    { seed: SEED, numRuns: 3_000 },
  )
})
