import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { checkChatRequest } from '../chat_request.ts'
import { checkMessagesRequest } from '../messages_request.ts'
import { chatRequestToMessages } from './chat_request_to_messages.ts'
import { messagesRequestToChat } from './messages_request_to_chat.ts'

const LENGTH = { maxTokens: 4_096 }
const HELLO = { role: 'user', content: 'hello' }
const CHAT = { model: 'm', messages: [HELLO] }
const MESSAGES = { model: 'm', max_tokens: 9, messages: [HELLO] }
const SCHEMA = { type: 'object', properties: { a: { type: 'string' } } }
const DATA = 'data:image/png;base64,AAAA'
const PDF = 'data:application/pdf;base64,AAAA'

const toMessages = (request: JsonObject): JsonObject => chatRequestToMessages(request, LENGTH)
const calling = (id: string, args = '{"a":1}'): JsonObject => ({
  id,
  type: 'function',
  function: { name: 'f', arguments: args },
})
const saying = (...messages: readonly JsonObject[]): JsonObject => ({ ...CHAT, messages })

/** Both ways, unless the last element says what comes back. */
const CARRIED: readonly (readonly [
  why: string,
  chat: JsonObject,
  messages: JsonObject,
  back?: JsonObject,
])[] = [
  [
    'the least; a length is needed',
    CHAT,
    { ...MESSAGES, max_tokens: 4_096 },
    { ...CHAT, max_completion_tokens: 4_096 },
  ],
  ['a length', { ...CHAT, max_completion_tokens: 9 }, MESSAGES],
  [
    'a length under its older name',
    { ...CHAT, max_tokens: 9 },
    MESSAGES,
    { ...CHAT, max_completion_tokens: 9 },
  ],
  [
    'instructions',
    { ...saying({ role: 'system', content: 'be brief' }, HELLO), max_completion_tokens: 9 },
    { ...MESSAGES, system: 'be brief' },
  ],
  [
    'several instructions before all else',
    {
      ...saying(
        { role: 'system', content: 'a' },
        { role: 'developer', content: [{ type: 'text', text: 'b' }] },
        HELLO,
      ),
      max_completion_tokens: 9,
    },
    {
      ...MESSAGES,
      system: [
        { type: 'text', text: 'a' },
        { type: 'text', text: 'b' },
      ],
    },
    {
      ...saying(
        {
          role: 'system',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
        HELLO,
      ),
      max_completion_tokens: 9,
    },
  ],
  [
    'instructions between messages',
    { ...saying(HELLO, { role: 'system', content: 'now briefly' }, HELLO), max_completion_tokens: 9 },
    { ...MESSAGES, messages: [HELLO, { role: 'system', content: 'now briefly' }, HELLO] },
  ],
  [
    'pictures and documents',
    {
      ...saying({
        role: 'user',
        content: [
          { type: 'text', text: 'x' },
          { type: 'image_url', image_url: { url: DATA } },
          { type: 'image_url', image_url: { url: 'https://x/y.png' } },
          { type: 'file', file: { file_data: PDF, filename: 'a.pdf' } },
        ],
      }),
      max_completion_tokens: 9,
    },
    {
      ...MESSAGES,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'x' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } },
            { type: 'image', source: { type: 'url', url: 'https://x/y.png' } },
            {
              type: 'document',
              source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' },
              title: 'a.pdf',
            },
          ],
        },
      ],
    },
  ],
  [
    'calls of tools and their results',
    {
      ...saying(
        HELLO,
        { role: 'assistant', content: null, tool_calls: [calling('1'), calling('2', '{}')] },
        { role: 'tool', tool_call_id: '1', content: 'one' },
        { role: 'tool', tool_call_id: '2', content: [{ type: 'text', text: 'two' }] },
        { role: 'assistant', content: [{ type: 'text', text: 'wait' }], tool_calls: [calling('3')] },
        { role: 'tool', tool_call_id: '3', content: '' },
      ),
      max_completion_tokens: 9,
    },
    {
      ...MESSAGES,
      messages: [
        HELLO,
        {
          role: 'assistant',
          content: [
            { type: 'tool_use', id: '1', name: 'f', input: { a: 1 } },
            { type: 'tool_use', id: '2', name: 'f', input: {} },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: '1', content: 'one' },
            { type: 'tool_result', tool_use_id: '2', content: [{ type: 'text', text: 'two' }] },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'text', text: 'wait' },
            { type: 'tool_use', id: '3', name: 'f', input: { a: 1 } },
          ],
        },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: '3', content: '' }] },
      ],
    },
  ],
  [
    'tools, and which to call',
    {
      ...CHAT,
      max_completion_tokens: 9,
      tools: [
        { type: 'function', function: { name: 'f', description: 'd', parameters: SCHEMA, strict: true } },
      ],
      tool_choice: { type: 'function', function: { name: 'f' } },
      parallel_tool_calls: false,
    },
    {
      ...MESSAGES,
      tools: [{ name: 'f', description: 'd', input_schema: SCHEMA, strict: true }],
      tool_choice: { type: 'tool', name: 'f', disable_parallel_tool_use: true },
    },
  ],
  [
    'a tool without parameters, and one call at a time',
    {
      ...CHAT,
      max_completion_tokens: 9,
      tools: [{ type: 'function', function: { name: 'f' } }],
      parallel_tool_calls: false,
    },
    {
      ...MESSAGES,
      tools: [{ name: 'f', input_schema: { type: 'object', properties: {} } }],
      tool_choice: { type: 'auto', disable_parallel_tool_use: true },
    },
    {
      ...CHAT,
      max_completion_tokens: 9,
      tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }],
      tool_choice: 'auto',
      parallel_tool_calls: false,
    },
  ],
  [
    'all the rest',
    {
      ...CHAT,
      max_completion_tokens: 9,
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema: SCHEMA, strict: true } },
      stop: ['a', 'b'],
      temperature: 0.5,
      top_p: 0.9,
      user: 'u',
      service_tier: 'default',
      stream: true,
      stream_options: { include_usage: true },
    },
    {
      ...MESSAGES,
      output_config: { format: { type: 'json_schema', schema: SCHEMA } },
      stop_sequences: ['a', 'b'],
      temperature: 0.5,
      top_p: 0.9,
      metadata: { user_id: 'u' },
      service_tier: 'standard_only',
      stream: true,
    },
  ],
]

for (const [why, chat, messages, back = chat] of CARRIED) {
  test(`chatRequestToMessages carries: ${why}`, () => {
    assert.deepEqual(toMessages(chat), messages)
    checkMessagesRequest(toMessages(chat))
  })
  test(`messagesRequestToChat carries: ${why}`, () => {
    assert.deepEqual(messagesRequestToChat(messages), back)
    if (back['stream'] !== true) checkChatRequest(messagesRequestToChat(messages))
  })
}

const SAME: readonly (readonly [why: string, chat: JsonObject])[] = [
  [
    'usual values',
    {
      ...CHAT,
      n: 1,
      logprobs: false,
      top_logprobs: 0,
      frequency_penalty: 0,
      presence_penalty: 0,
      store: false,
      logit_bias: {},
      metadata: {},
      functions: [],
      modalities: ['text'],
      seed: null,
      tools: [],
      stop: [],
      tool_choice: 'auto',
      parallel_tool_calls: false,
      response_format: { type: 'text' },
      stream_options: { include_usage: false, include_obfuscation: false },
    },
  ],
  ['the key of a cache', { ...CHAT, prompt_cache_key: 'k' }],
  ['a picture looked at as usual', CHAT],
]

for (const [why, chat] of SAME) {
  test(`chatRequestToMessages leaves out what says nothing: ${why}`, () => {
    assert.deepEqual(toMessages(chat), toMessages(CHAT))
  })
}

test('chatRequestToMessages takes an empty text beside calls for none', () => {
  const request = saying(HELLO, { role: 'assistant', content: '', tool_calls: [calling('1')] }, HELLO)
  assert.deepEqual((toMessages(request)['messages'] as JsonObject[])[1]?.['content'], [
    { type: 'tool_use', id: '1', name: 'f', input: { a: 1 } },
  ])
})

test('messagesRequestToChat leaves out what says nothing: marks for a cache, usual values', () => {
  const cache = { cache_control: { type: 'ephemeral' } }
  const request = {
    ...MESSAGES,
    ...cache,
    system: [{ type: 'text', text: 'x', ...cache }],
    messages: [{ role: 'user', content: [{ type: 'text', text: 'hello', citations: null, ...cache }] }],
    tools: [
      {
        type: 'custom',
        name: 'f',
        input_schema: SCHEMA,
        defer_loading: false,
        allowed_callers: ['direct'],
        input_examples: [],
        ...cache,
      },
    ],
    thinking: { type: 'disabled' },
    speed: 'standard',
    diagnostics: { previous_message_id: null },
    output_config: { effort: null },
    metadata: {},
  }
  const part = [{ type: 'text', text: 'hello' }]
  assert.deepEqual(messagesRequestToChat(request), {
    model: 'm',
    max_completion_tokens: 9,
    messages: [
      { role: 'system', content: [{ type: 'text', text: 'x' }] },
      { role: 'user', content: part },
    ],
    tools: [{ type: 'function', function: { name: 'f', parameters: SCHEMA } }],
  })
})

test('chatRequestToMessages says nothing of calls in parallel where none may be made', () => {
  const tools = [{ type: 'function', function: { name: 'f', parameters: SCHEMA } }]
  const request = toMessages({ ...CHAT, tools, tool_choice: 'none', parallel_tool_calls: false })
  assert.deepEqual(request['tool_choice'], { type: 'none' })
})

test('chatRequestToMessages takes no arguments at all for an empty object', () => {
  const request = toMessages(withAssistant({ content: null, tool_calls: [calling('1', '')] }))
  const [, said] = request['messages'] as readonly { content: readonly JsonObject[] }[]
  assert.deepEqual(said?.content[0]?.['input'], {})
})

test('messagesRequestToChat loses no message, even an empty one', () => {
  const messages = [{ role: 'user', content: [] }, HELLO]
  assert.deepEqual(messagesRequestToChat({ ...MESSAGES, messages })['messages'], messages)
})

test('messagesRequestToChat keeps results of tools where they stand among other blocks', () => {
  const content = [
    { type: 'text', text: 'before' },
    { type: 'tool_result', tool_use_id: '1', is_error: false },
    { type: 'text', text: 'a' },
    { type: 'text', text: 'b' },
  ]
  assert.deepEqual(
    messagesRequestToChat({ ...MESSAGES, messages: [{ role: 'user', content }] })['messages'],
    [
      { role: 'user', content: [{ type: 'text', text: 'before' }] },
      { role: 'tool', tool_call_id: '1', content: '' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
    ],
  )
})

function fieldOf(translate: (request: JsonObject) => JsonObject, request: JsonObject): JsonValue | undefined {
  try {
    translate(request)
  } catch (thrown) {
    assert.ok(thrown instanceof Fault && thrown.code === 'api.unsupported', String(thrown))
    assert.ok(!JSON.stringify([thrown.say, thrown.detail]).includes('planted'))
    return thrown.detail['field']
  }
  return 'carried'
}

const withPart = (part: JsonObject): JsonObject => saying({ role: 'user', content: [part] })
const withAssistant = (message: JsonObject): JsonObject =>
  saying(HELLO, { role: 'assistant', content: 'x', ...message }, HELLO)
const withFunction = (described: JsonObject): JsonObject => ({
  ...CHAT,
  tools: [{ type: 'function', function: { name: 'f', ...described } }],
})

const CHAT_REFUSED: readonly (readonly [field: string, chat: JsonObject])[] = [
  ['n', { ...CHAT, n: 2 }],
  ['logprobs', { ...CHAT, logprobs: true }],
  ['top_logprobs', { ...CHAT, top_logprobs: 1 }],
  ['frequency_penalty', { ...CHAT, frequency_penalty: 0.1 }],
  ['presence_penalty', { ...CHAT, presence_penalty: -0.1 }],
  ['logit_bias', { ...CHAT, logit_bias: { 50256: -100 } }],
  ['store', { ...CHAT, store: true }],
  ['metadata', { ...CHAT, metadata: { planted: 'planted' } }],
  ['modalities', { ...CHAT, modalities: ['text', 'audio'] }],
  ['audio', { ...CHAT, audio: { voice: 'v' } }],
  ['prediction', { ...CHAT, prediction: { type: 'content', content: 'x' } }],
  ['seed', { ...CHAT, seed: 1 }],
  ['reasoning_effort', { ...CHAT, reasoning_effort: 'low' }],
  ['verbosity', { ...CHAT, verbosity: 'low' }],
  ['web_search_options', { ...CHAT, web_search_options: {} }],
  ['functions', { ...CHAT, functions: [{ name: 'f' }] }],
  ['function_call', { ...CHAT, function_call: 'auto' }],
  ['temperature', { ...CHAT, temperature: 1.5 }],
  ['max_tokens', { ...CHAT, max_tokens: 1, max_completion_tokens: 2 }],
  ['user', { ...CHAT, user: 'a', safety_identifier: 'b' }],
  ['service_tier', { ...CHAT, service_tier: 'flex' }],
  ['stream_options.include_obfuscation', { ...CHAT, stream_options: { include_obfuscation: true } }],
  ['response_format.type', { ...CHAT, response_format: { type: 'json_object' } }],
  [
    'response_format.json_schema.description',
    {
      ...CHAT,
      response_format: { type: 'json_schema', json_schema: { name: 'n', schema: {}, description: 'd' } },
    },
  ],
  ['tool_choice', { ...CHAT, tool_choice: 'planted' }],
  ['tool_choice.type', { ...CHAT, tool_choice: { type: 'allowed_tools' } }],
  ['tools[0].type', { ...CHAT, tools: [{ type: 'custom', custom: { name: 'f' } }] }],
  ['tools[0].function.parameters', withFunction({ parameters: { type: 'string' } })],
  ['tools[0].function.vendor', withFunction({ vendor: 1 })],
  ['vendor', { ...CHAT, vendor: 'planted' }],
  ['The body, a member', { ...CHAT, 'x-planted': 1 }],
  ['messages[0].name', saying({ ...HELLO, name: 'planted' })],
  [
    'messages[0].content[0].type',
    withPart({ type: 'input_audio', input_audio: { data: 'x', format: 'wav' } }),
  ],
  [
    'messages[0].content[0].image_url.detail',
    withPart({ type: 'image_url', image_url: { url: DATA, detail: 'low' } }),
  ],
  [
    'messages[0].content[0].image_url',
    withPart({ type: 'image_url', image_url: { url: 'data:image/svg+xml;base64,AAAA' } }),
  ],
  ...[
    'data:image/png;base64,AA AA',
    'data:image/png,AAAA',
    'data:image/png;base64,',
    'file:///a.png',
    '',
  ].map((url): readonly [string, JsonObject] => [
    'messages[0].content[0].image_url',
    withPart({ type: 'image_url', image_url: { url } }),
  ]),
  ['messages[0].content[0].file.file_data', withPart({ type: 'file', file: { file_id: 'f' } })],
  ['messages[0].content[0].vendor', withPart({ type: 'text', text: 'x', vendor: 1 })],
  ['messages[1].refusal', withAssistant({ refusal: 'no' })],
  ['messages[1].audio', withAssistant({ audio: { id: 'a' } })],
  ['messages[1].function_call', withAssistant({ function_call: { name: 'f', arguments: '{}' } })],
  ['messages[1].content[0].type', withAssistant({ content: [{ type: 'refusal', refusal: 'no' }] })],
  ['messages[1].content', withAssistant({ content: null })],
  [
    'messages[1].tool_calls[0].type',
    withAssistant({ tool_calls: [{ id: 'c', type: 'custom', custom: { name: 'f', input: 'x' } }] }),
  ],
  ...['planted', '[]', '{"a":1,"a":2}', '{"a":12345678901234567890}'].map(
    (args): readonly [string, JsonObject] => [
      'messages[1].tool_calls[0].function.arguments',
      withAssistant({ tool_calls: [calling('1', args)] }),
    ],
  ),
  ['messages[0].role', saying({ role: 'function', name: 'f', content: 'x' })],
  ['messages[0].tool_call_id', saying({ role: 'tool', content: 'x' })],
  ['A conversation of instructions alone', saying({ role: 'system', content: 'x' })],
  ['A last message of the assistant', saying(HELLO, { role: 'assistant', content: 'x' })],
]

for (const [field, chat] of CHAT_REFUSED) {
  test(`chatRequestToMessages refuses and names: ${field}`, () => {
    assert.equal(fieldOf(toMessages, chat), field)
  })
}

const withBlock = (block: JsonObject): JsonObject => ({
  ...MESSAGES,
  messages: [{ role: 'user', content: [block] }],
})
const withAnswer = (...content: readonly JsonObject[]): JsonObject => ({
  ...MESSAGES,
  messages: [HELLO, { role: 'assistant', content }, HELLO],
})
const withTool = (tool: JsonObject): JsonObject => ({
  ...MESSAGES,
  tools: [{ name: 'f', input_schema: SCHEMA, ...tool }],
})
const USE = { type: 'tool_use', id: '1', name: 'f', input: {} }

const MESSAGES_REFUSED: readonly (readonly [field: string, messages: JsonObject])[] = [
  ['max_tokens', { ...MESSAGES, max_tokens: 0 }],
  ['top_k', { ...MESSAGES, top_k: 5 }],
  ['thinking.type', { ...MESSAGES, thinking: { type: 'enabled', budget_tokens: 1_024 } }],
  ['thinking.type', { ...MESSAGES, thinking: { type: 'adaptive' } }],
  ['container', { ...MESSAGES, container: 'c' }],
  ['diagnostics.previous_message_id', { ...MESSAGES, diagnostics: { previous_message_id: 'planted' } }],
  ['speed', { ...MESSAGES, speed: 'fast' }],
  ['output_config.effort', { ...MESSAGES, output_config: { effort: 'low' } }],
  ['output_config.format.type', { ...MESSAGES, output_config: { format: { type: 'grammar' } } }],
  ['metadata.planted_not'.replace('planted_not', 'session'), { ...MESSAGES, metadata: { session: 'x' } }],
  ['service_tier', { ...MESSAGES, service_tier: 'priority' }],
  ['context_management', { ...MESSAGES, context_management: {} }],
  ['tool_choice.type', { ...MESSAGES, tool_choice: { type: 'planted' } }],
  ['tools[0].type', withTool({ type: 'web_search_20250305' })],
  ['tools[0].defer_loading', withTool({ defer_loading: true })],
  ['tools[0].input_examples', withTool({ input_examples: [{}] })],
  ['tools[0].allowed_callers', withTool({ allowed_callers: ['code_execution_20260521'] })],
  ['messages[0].content[0].type', withBlock({ type: 'search_result', source: 's', title: 't', content: [] })],
  ['messages[0].content[0].type', withBlock({ type: 'container_upload', file_id: 'f' })],
  [
    'messages[0].content[0].source.type',
    withBlock({ type: 'image', source: { type: 'file', file_id: 'f' } }),
  ],
  [
    'messages[0].content[0].transformations',
    withBlock({
      type: 'image',
      source: { type: 'url', url: 'https://x' },
      transformations: { oversized_image: 'error' },
    }),
  ],
  [
    'messages[0].content[0].source.type',
    withBlock({ type: 'document', source: { type: 'url', url: 'https://x' } }),
  ],
  [
    'messages[0].content[0].source.type',
    withBlock({ type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' } }),
  ],
  [
    'messages[0].content[0].citations.enabled',
    withBlock({
      type: 'document',
      source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' },
      citations: { enabled: true },
    }),
  ],
  ['messages[0].content[0].is_error', withBlock({ type: 'tool_result', tool_use_id: '1', is_error: true })],
  [
    'messages[0].content[0].content[0].type',
    withBlock({
      type: 'tool_result',
      tool_use_id: '1',
      content: [{ type: 'image', source: { type: 'url', url: 'https://x' } }],
    }),
  ],
  ['messages[1].content[0].type', withAnswer({ type: 'thinking', thinking: 'planted', signature: 's' })],
  ['messages[1].content[0].type', withAnswer({ type: 'redacted_thinking', data: 'AAAA' })],
  [
    'messages[1].content[0].type',
    withAnswer({ type: 'server_tool_use', id: 's', name: 'web_search', input: {} }),
  ],
  ['messages[1].content[0].citations', withAnswer({ type: 'text', text: 'x', citations: [{ type: 'c' }] })],
  [
    'messages[1].content[0].caller.type',
    withAnswer({ ...USE, caller: { type: 'code_execution_20260521', tool_id: 't' } }),
  ],
  ['messages[1].content[0].toolset_name', withAnswer({ ...USE, toolset_name: 'computer' })],
  [
    'messages[1].content[1].type: a text after a call of a tool',
    withAnswer(USE, { type: 'text', text: 'x' }),
  ],
  [
    'A last message of the assistant',
    { ...MESSAGES, messages: [HELLO, { role: 'assistant', content: 'x' }] },
  ],
]

for (const [field, messages] of MESSAGES_REFUSED) {
  test(`messagesRequestToChat refuses and names: ${field} in ${JSON.stringify(messages).length} characters`, () => {
    assert.equal(fieldOf(messagesRequestToChat, messages), field)
  })
}
