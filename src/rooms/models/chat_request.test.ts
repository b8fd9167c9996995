import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import type { JsonValue } from '#base/json.ts'
import { checkChatRequest, unknownChatField } from './chat_request.ts'

const MESSAGES = [{ role: 'user', content: 'hello' }]
const BASE = { model: 'm', messages: MESSAGES }

function sayOf(value: JsonValue): string {
  try {
    checkChatRequest(value)
  } catch (thrown) {
    assert.ok(thrown instanceof Fault, String(thrown))
    assert.equal(thrown.code, 'input.invalid')
    return thrown.say ?? thrown.code
  }
  return 'accepted'
}

const ACCEPTED: readonly (readonly [why: string, value: JsonValue])[] = [
  ['the least', BASE],
  ['stream switched off', { ...BASE, stream: false }],
  ['null for what is left out', { ...BASE, max_tokens: null, tools: null, stop: null, stream: null }],
  [
    'parts of several kinds',
    {
      ...BASE,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'what is this?' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
            { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
            { type: 'file', file: { file_id: 'f' } },
            { type: 'video_url', video_url: { url: 'https://x/y' } },
          ],
        },
      ],
    },
  ],
  [
    'a conversation with tools',
    {
      ...BASE,
      messages: [
        { role: 'developer', content: 'be brief' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'c', content: 'done' },
      ],
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object' }, strict: true } }],
      tool_choice: { type: 'function', function: { name: 'f' } },
      parallel_tool_calls: true,
    },
  ],
  [
    'every number at its bound',
    {
      ...BASE,
      max_tokens: 1_000_000,
      max_completion_tokens: 1,
      temperature: 2,
      top_p: 0,
      n: 16,
      seed: -5,
      presence_penalty: -2,
      frequency_penalty: 2,
      top_logprobs: 20,
    },
  ],
  [
    'a schema for the answer',
    { ...BASE, response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {} } } },
  ],
  ['stop as a text and as a list', { ...BASE, stop: ['a', 'b'] }],
  [
    'fields that we do not know',
    { ...BASE, top_k: 5, vendor: { any: ['thing'] }, messages: [{ ...MESSAGES[0], cache: true }] },
  ],
]

for (const [why, value] of ACCEPTED) {
  test(`checkChatRequest accepts: ${why}`, () => {
    assert.equal(sayOf(value), 'accepted')
  })
}

const REFUSED: readonly (readonly [why: string, value: JsonValue, path: string])[] = [
  ['a list', [], 'The body '],
  ['null', null, 'The body '],
  ['no model', { messages: MESSAGES }, 'model '],
  ['an empty model', { ...BASE, model: '' }, 'model '],
  ['a model that is a number', { ...BASE, model: 5 }, 'model '],
  ['a model that is a list', { ...BASE, model: ['m'] }, 'model '],
  ['a very long model', { ...BASE, model: 'm'.repeat(257) }, 'model '],
  ['no messages', { model: 'm' }, 'messages '],
  ['an empty list of messages', { model: 'm', messages: [] }, 'messages '],
  ['messages that are a text', { model: 'm', messages: 'hello' }, 'messages '],
  [
    'too many messages',
    { model: 'm', messages: Array.from({ length: 10_001 }, () => MESSAGES[0] ?? null) },
    'messages ',
  ],
  ['a message that is a text', { model: 'm', messages: ['hello'] }, 'messages[0] '],
  ['a role that is none', { model: 'm', messages: [{ role: 'root', content: 'x' }] }, 'messages[0].role '],
  [
    'content that is a number',
    { model: 'm', messages: [{ role: 'user', content: 1 }] },
    'messages[0].content ',
  ],
  [
    'a part without a type',
    { model: 'm', messages: [{ role: 'user', content: [{ text: 'x' }] }] },
    'messages[0].content[0].type ',
  ],
  [
    'a part whose text is a list',
    { model: 'm', messages: [{ role: 'user', content: [{ type: 'text', text: [] }] }] },
    'messages[0].content[0].text ',
  ],
  [
    'arguments that are an object',
    {
      model: 'm',
      messages: [
        {
          role: 'assistant',
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: {} } }],
        },
      ],
    },
    'messages[0].tool_calls[0].function.arguments ',
  ],
  ['max_tokens of 10^9', { ...BASE, max_tokens: 1_000_000_000 }, 'max_tokens '],
  [
    'max_completion_tokens of 10^9',
    { ...BASE, max_completion_tokens: 1_000_000_000 },
    'max_completion_tokens ',
  ],
  ['max_tokens of 0', { ...BASE, max_tokens: 0 }, 'max_tokens '],
  ['max_tokens with a fraction', { ...BASE, max_tokens: 1.5 }, 'max_tokens '],
  ['max_tokens as a text', { ...BASE, max_tokens: '10' }, 'max_tokens '],
  ['too many choices', { ...BASE, n: 17 }, 'n '],
  ['a temperature beyond 2', { ...BASE, temperature: 2.1 }, 'temperature '],
  ['top_p beyond 1', { ...BASE, top_p: 1.1 }, 'top_p '],
  ['stop with a number in it', { ...BASE, stop: ['a', 1] }, 'stop[1] '],
  ['too many stops', { ...BASE, stop: Array.from({ length: 17 }, () => 'a') }, 'stop '],
  ['stream as a text', { ...BASE, stream: 'true' }, 'stream '],
  ['a bias that is a list', { ...BASE, logit_bias: [] }, 'logit_bias '],
  ...['models', 'fallbacks', 'provider', 'route', 'api_base', 'base_url', 'api_key', 'engine', 'headers'].map(
    (field): readonly [string, JsonValue, string] => [
      `another way to choose a model: ${field}`,
      { ...BASE, [field]: 'x' },
      `${field} `,
    ],
  ),
]

for (const [why, value, path] of REFUSED) {
  test(`checkChatRequest refuses and names the field: ${why}`, () => {
    const say = sayOf(value)
    assert.ok(say === path || (say.startsWith(path) && say.endsWith('.')), say)
  })
}

test('checkChatRequest stops at the first wrong message: a body of wrong parts costs no more than one', () => {
  const wrong = { role: 'user', content: Array.from({ length: 1_000 }, () => 1) }
  const value = { model: 'm', messages: Array.from({ length: 450 }, () => wrong) }
  const startedAt = performance.now()
  assert.match(sayOf(value), /^messages\[0\]\.content\[0\] /)
  // All of them took more than a second.
  assert.ok(performance.now() - startedAt < 500)
})

test('checkChatRequest repeats no value and no name that the caller made up', () => {
  const planted = 'planted-value'
  const values: readonly JsonValue[] = [
    { ...BASE, temperature: planted },
    { ...BASE, messages: [{ role: planted }] },
    { ...BASE, logit_bias: planted, metadata: { [planted]: 1 } },
    { ...BASE, [planted]: 1, n: planted },
    { ...BASE, response_format: { type: 1, [planted]: 1 } },
    { ...BASE, tools: [{ type: 'function', function: { name: 'f', parameters: planted } }] },
  ]
  for (const value of values) {
    const say = sayOf(value)
    assert.notEqual(say, 'accepted')
    assert.ok(!say.includes('planted'), say)
  }
})

const UNKNOWN: readonly (readonly [why: string, extra: JsonValue, path: string | undefined])[] = [
  ['none', {}, undefined],
  ['at the top', { top_k: 1 }, 'top_k'],
  [
    'in a message',
    { messages: [MESSAGES[0] ?? null, { role: 'user', content: 'x', cache: 1 }] },
    'messages[1].cache',
  ],
  [
    'in a part',
    { messages: [{ role: 'user', content: [{ type: 'a', video: 1 }] }] },
    'messages[0].content[0].video',
  ],
  [
    'in a tool',
    { tools: [{ type: 'function', function: { name: 'f', extra: 1 } }] },
    'tools[0].function.extra',
  ],
  [
    'not in what is the callers own',
    { metadata: { any: 1 }, tools: [{ type: 'function', function: { name: 'f', parameters: { any: {} } } }] },
    undefined,
  ],
  ['with a name that is not plain', { 'planted-value': 1 }, 'the body, a member'],
  [
    'with a name that is not plain, inside',
    { messages: [{ role: 'user', 'Planted-Value': 1 }] },
    'messages[0], a member',
  ],
]

for (const [why, extra, path] of UNKNOWN) {
  test(`unknownChatField names the first: ${why}`, () => {
    const value: JsonValue = Object.assign({ ...BASE }, extra)
    checkChatRequest(value)
    assert.equal(unknownChatField(value), path)
  })
}
