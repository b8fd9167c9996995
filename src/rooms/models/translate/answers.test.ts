import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import { countsOfChat, countsOfMessages, printChatUsage, printMessagesUsage } from '../token_counts.ts'
import { chatAnswerToMessage } from './chat_answer_to_message.ts'
import { messageToChatAnswer } from './message_to_chat_answer.ts'

const SEED = 20_261_122
const FRAME = { model: 'public', created: 1_790_000_000 }
const TEXT = { type: 'text', text: 'hello', citations: null }
const USE = { type: 'tool_use', id: 't1', name: 'f', input: { a: [1] }, caller: { type: 'direct' } }
const CALL = { id: 't1', type: 'function', function: { name: 'f', arguments: '{"a":[1]}' } }

const toChat = (answer: JsonObject): JsonObject => messageToChatAnswer(answer, FRAME)
const toMessage = (answer: JsonObject): JsonObject => chatAnswerToMessage(answer, FRAME)

function message(content: readonly JsonObject[], rest: JsonObject = {}): JsonObject {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'theirs',
    content,
    stop_reason: 'end_turn',
    stop_sequence: null,
    stop_details: null,
    container: null,
    usage: { input_tokens: 9, output_tokens: 4 },
    ...rest,
  }
}

function completion(said: JsonObject, rest: JsonObject = {}, finish_reason = 'stop'): JsonObject {
  return {
    id: 'msg_1',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'theirs',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: null, refusal: null, ...said },
        logprobs: null,
        finish_reason,
      },
    ],
    usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 },
    system_fingerprint: 'fp',
    ...rest,
  }
}

const choiceOf = (answer: JsonObject): JsonObject => (answer['choices'] as JsonObject[])[0] ?? {}

test('messageToChatAnswer says who answered what, when and for how much', () => {
  assert.deepEqual(toChat(message([TEXT])), {
    id: 'msg_1',
    object: 'chat.completion',
    created: 1_790_000_000,
    model: 'public',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'hello', refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 },
  })
})

test('chatAnswerToMessage says who answered what and for how much', () => {
  assert.deepEqual(toMessage(completion({ content: 'hello' })), {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'public',
    content: [TEXT],
    stop_reason: 'end_turn',
    stop_sequence: null,
    stop_details: null,
    usage: {
      input_tokens: 9,
      cache_creation_input_tokens: null,
      cache_read_input_tokens: null,
      output_tokens: 4,
      output_tokens_details: null,
    },
  })
})

const CONTENTS: readonly (readonly [why: string, content: readonly JsonObject[], said: JsonObject])[] = [
  ['a text', [TEXT], { content: 'hello', refusal: null }],
  ['nothing', [], { content: '', refusal: null }],
  ['a call', [USE], { content: null, refusal: null, tool_calls: [CALL] }],
  ['a text and calls', [TEXT, USE, USE], { content: 'hello', refusal: null, tool_calls: [CALL, CALL] }],
]

for (const [why, content, said] of CONTENTS) {
  const whole = { role: 'assistant', ...said }
  test(`messageToChatAnswer carries: ${why}`, () => {
    assert.deepEqual(choiceOf(toChat(message(content)))['message'], whole)
  })
  test(`chatAnswerToMessage carries: ${why}`, () => {
    assert.deepEqual(toMessage(completion(said))['content'], content)
  })
}

test('messageToChatAnswer joins texts, of which OpenAI has one', () => {
  const { message: said } = choiceOf(toChat(message([TEXT, { type: 'text', text: ', you' }])))
  assert.equal((said as JsonObject)['content'], 'hello, you')
})

const STOPS: readonly (readonly [reason: string, finish: string])[] = [
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['tool_use', 'tool_calls'],
  ['refusal', 'content_filter'],
]

for (const [reason, finish] of STOPS) {
  test(`messageToChatAnswer says why it ended: ${reason}`, () => {
    assert.equal(choiceOf(toChat(message([TEXT], { stop_reason: reason })))['finish_reason'], finish)
  })
}

const FINISHES: readonly (readonly [why: string, said: JsonObject, finish: string, reason: string])[] = [
  ['the end', { content: 'x' }, 'stop', 'end_turn'],
  ['the length', { content: 'x' }, 'length', 'max_tokens'],
  ['calls', { tool_calls: [CALL] }, 'tool_calls', 'tool_use'],
  ['a call that was forced', { tool_calls: [CALL] }, 'stop', 'tool_use'],
  ['a call cut short', { tool_calls: [CALL] }, 'length', 'max_tokens'],
  ['a filter', { content: '' }, 'content_filter', 'refusal'],
  ['a refusal', { refusal: 'no' }, 'stop', 'refusal'],
]

for (const [why, said, finish, reason] of FINISHES) {
  test(`chatAnswerToMessage says why it ended: ${why}`, () => {
    assert.equal(toMessage(completion(said, {}, finish))['stop_reason'], reason)
  })
}

test('a refusal keeps its words both ways', () => {
  const details = { type: 'refusal', category: null, explanation: 'I cannot help with that.' }
  const refused = message([], { stop_reason: 'refusal', stop_details: details })
  const said = choiceOf(toChat(refused))['message'] as JsonObject
  assert.equal(said['refusal'], 'I cannot help with that.')
  assert.deepEqual(toMessage(toChat(refused))['stop_details'], details)
})

const counts = fc
  .record({
    prompt: fc.integer({ min: 100, max: 9_999 }),
    completion: fc.nat(9_999),
    cached: fc.option(fc.nat(50), { nil: undefined }),
    written: fc.option(fc.nat(50), { nil: undefined }),
    thought: fc.option(fc.nat(50), { nil: undefined }),
  })
  .map((told) => ({ ...told }))

test('counts of tokens are the same in both APIs', () => {
  fc.assert(
    fc.property(counts, (told) => {
      assert.deepEqual(countsOfMessages(printMessagesUsage(told)), told)
      assert.deepEqual(countsOfChat(printChatUsage(told)), told)
    }),
    { seed: SEED },
  )
})

test('countsOfMessages counts what a cache held, which Anthropic counts apart', () => {
  const usage = {
    input_tokens: 1,
    cache_read_input_tokens: 20,
    cache_creation_input_tokens: 300,
    output_tokens: 4,
  }
  assert.equal(countsOfMessages(usage)?.prompt, 321)
})

test('counts that are none are not told', () => {
  for (const usage of [undefined, null, 5, {}, { input_tokens: -1, output_tokens: 1, prompt_tokens: 'x' }]) {
    assert.equal(countsOfMessages(usage), undefined)
    assert.equal(countsOfChat(usage), undefined)
  }
  const odd = { prompt_tokens: 5, completion_tokens: 1, prompt_tokens_details: { cached_tokens: 9 } }
  assert.deepEqual(countsOfChat(odd), {
    prompt: 5,
    completion: 1,
    cached: undefined,
    written: undefined,
    thought: undefined,
  })
})

function fieldOf(translate: () => unknown): unknown {
  try {
    translate()
  } catch (thrown) {
    assert.ok(thrown instanceof Fault, String(thrown))
    return thrown.code === 'api.unsupported' ? thrown.detail['field'] : thrown.code
  }
  return 'carried'
}

const MESSAGES_REFUSED: readonly (readonly [field: string, answer: JsonObject])[] = [
  ['content[0].type', message([{ type: 'thinking', thinking: 'x', signature: 's' }, TEXT])],
  ['content[0].type', message([{ type: 'redacted_thinking', data: 'AAAA' }])],
  ['content[1].type', message([TEXT, { type: 'server_tool_use', id: 's', name: 'web_search', input: {} }])],
  ['content[0].citations', message([{ ...TEXT, citations: [{ type: 'char_location' }] }])],
  ['content[0].caller.type', message([{ ...USE, caller: { type: 'code_execution_20260521' } }])],
  ['content[0].video', message([{ ...TEXT, video: 'x' }])],
  ['content[1].type: a text after a call of a tool', message([USE, TEXT])],
  ['content', message([], { content: null })],
  ['stop_reason', message([TEXT], { stop_reason: 'pause_turn' })],
  ['stop_reason', message([TEXT], { stop_reason: null })],
]

for (const [field, answer] of MESSAGES_REFUSED) {
  test(`messageToChatAnswer refuses ${field} in ${JSON.stringify(answer['content'])}`, () => {
    assert.equal(
      fieldOf(() => toChat(answer)),
      field,
    )
  })
}

const [CHOICE = {}] = completion({ content: 'x' })['choices'] as JsonObject[]

const CHAT_REFUSED: readonly (readonly [field: string, answer: JsonObject])[] = [
  ['choices', completion({}, { choices: [CHOICE, CHOICE] })],
  ['choices[0].logprobs', completion({}, { choices: [{ ...CHOICE, logprobs: { content: [] } }] })],
  ['choices[0].message.audio', completion({ audio: { id: 'a' } })],
  ['choices[0].message.annotations', completion({ annotations: [{ type: 'url_citation' }] })],
  ['choices[0].message.reasoning_content', completion({ reasoning_content: 'hm' })],
  ['choices[0].message.reasoning', completion({ reasoning: 'hm' })],
  ['choices[0].message.function_call', completion({ function_call: { name: 'f', arguments: '{}' } })],
  ['choices[0].message.tool_calls[0].type', completion({ tool_calls: [{ ...CALL, type: 'custom' }] })],
  ['choices[0].message.content', completion({ content: [{ type: 'text', text: 'x' }] })],
  ['finish_reason', completion({ content: 'x' }, {}, 'function_call')],
  ['upstream.invalid', completion({}, { choices: [] })],
  [
    'upstream.invalid',
    completion({ tool_calls: [{ ...CALL, function: { name: 'f', arguments: '{"a":' } }] }),
  ],
  ['upstream.invalid', completion({}, { choices: [{ ...CHOICE, finish_reason: null }] })],
]

for (const [field, answer] of CHAT_REFUSED) {
  test(`chatAnswerToMessage refuses ${field} in ${JSON.stringify(answer['choices'])}`, () => {
    assert.equal(
      fieldOf(() => toMessage(answer)),
      field,
    )
  })
}

test('chatAnswerToMessage takes empty members of other servers for nothing', () => {
  const said = {
    content: 'hello',
    tool_calls: [],
    reasoning_content: '',
    annotations: [],
    function_call: null,
  }
  assert.deepEqual(toMessage(completion(said))['content'], [TEXT])
})

const text = fc.string({ minLength: 1, maxLength: 20 })
const input = fc
  .dictionary(text, fc.oneof(text, fc.integer(), fc.boolean()))
  .map((members): JsonObject => ({ ...members }))
const use = fc
  .record({ id: text, name: text, input })
  .map((members): JsonObject => ({ type: 'tool_use', ...members, caller: { type: 'direct' } }))

test('chatAnswerToMessage undoes messageToChatAnswer', () => {
  const answers = fc
    .tuple(fc.option(text), fc.array(use, { maxLength: 3 }), counts)
    .map(([said, uses, told]) =>
      message([...(said === null ? [] : [{ ...TEXT, text: said }]), ...uses], {
        model: 'public',
        stop_reason: uses.length > 0 ? 'tool_use' : 'end_turn',
        usage: printMessagesUsage(told),
      }),
    )
  fc.assert(
    fc.property(answers, (answer) => {
      const { container: _container, ...expected } = answer
      assert.deepEqual(toMessage(toChat(structuredClone(answer))), structuredClone(expected))
    }),
    { seed: SEED, numRuns: 300 },
  )
})
