import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { checkCountTokensRequest, unknownCountTokensField } from './count_tokens_request.ts'
import { checkMessagesRequest, unknownMessagesField } from './messages_request.ts'

const MESSAGES = [{ role: 'user', content: 'hello' }]
const COUNTED = { model: 'm', messages: MESSAGES }
const BASE = { ...COUNTED, max_tokens: 64 }

function sayOf(value: JsonValue, check: (value: JsonValue) => void = checkMessagesRequest): string {
  try {
    check(value)
  } catch (thrown) {
    assert.ok(thrown instanceof Fault && thrown.code === 'input.invalid', String(thrown))
    return thrown.say ?? ''
  }
  return 'accepted'
}

const withBlocks = (...content: readonly JsonObject[]): JsonObject => ({
  ...BASE,
  messages: [{ role: 'user', content }],
})
const withTool = (tool: JsonObject): JsonObject => ({ ...BASE, tools: [tool] })
const EPHEMERAL = { type: 'ephemeral', ttl: '1h' }
const PICTURE = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } }
const NOTE = { type: 'text', text: 'x', citations: null }

const ACCEPTED: readonly (readonly [why: string, value: JsonObject])[] = [
  ['the least', BASE],
  ['nothing to be answered, only cached', { ...BASE, max_tokens: 0 }],
  ['a stream', { ...BASE, stream: true }],
  ['null for what is left out', { ...BASE, system: null, tools: null, thinking: null, top_k: null }],
  ['instructions as a text', { ...BASE, system: 'be brief' }],
  ['instructions in blocks', { ...BASE, system: [{ ...NOTE, cache_control: EPHEMERAL }] }],
  [
    'instructions between messages',
    { ...BASE, messages: [...MESSAGES, { role: 'system', content: [NOTE] }, ...MESSAGES] },
  ],
  [
    'pictures in all ways',
    withBlocks(
      PICTURE,
      { type: 'image', source: { type: 'url', url: 'https://x/y.png' }, cache_control: EPHEMERAL },
      {
        type: 'image',
        source: { type: 'file', file_id: 'f' },
        transformations: { oversized_image: 'error' },
      },
    ),
  ],
  [
    'documents in all ways',
    withBlocks(
      {
        type: 'document',
        source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' },
        title: 't',
      },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'text' }, context: 'c' },
      { type: 'document', source: { type: 'url', url: 'https://x/y.pdf' }, citations: { enabled: true } },
      { type: 'document', source: { type: 'content', content: 'text' } },
      { type: 'document', source: { type: 'content', content: [NOTE, PICTURE] } },
    ),
  ],
  [
    'a result of a search',
    withBlocks({ type: 'search_result', source: 'https://x', title: 't', content: [NOTE], citations: {} }),
  ],
  [
    'a conversation with tools and thoughts',
    {
      ...BASE,
      messages: [
        ...MESSAGES,
        {
          role: 'assistant',
          content: [
            { type: 'thinking', thinking: 'hm', signature: 's' },
            { type: 'redacted_thinking', data: 'AAAA' },
            {
              type: 'text',
              text: 'x',
              citations: [{ type: 'char_location', cited_text: 'y', document_index: 0 }],
            },
            { type: 'tool_use', id: 't1', name: 'f', input: { any: ['thing'] }, caller: { type: 'direct' } },
          ],
        },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 't1', content: [NOTE, PICTURE], is_error: false },
            { type: 'tool_result', tool_use_id: 't2', content: 'done', is_error: true },
            { type: 'tool_result', tool_use_id: 't3' },
          ],
        },
      ],
      tools: [
        { name: 'f', description: 'd', input_schema: { type: 'object', Properties: {} }, strict: true },
        { type: 'custom', name: 'g', input_schema: { type: 'object' }, cache_control: EPHEMERAL },
      ],
      tool_choice: { type: 'tool', name: 'f', disable_parallel_tool_use: true },
      thinking: { type: 'enabled', budget_tokens: 1_024, display: 'omitted' },
    },
  ],
  [
    'tools that the provider runs, and their results',
    {
      ...BASE,
      tools: [
        {
          type: 'web_search_20260318',
          name: 'web_search',
          max_uses: 3,
          allowed_domains: ['x'],
          user_location: {},
        },
        { type: 'code_execution_20260521', name: 'code_execution', allowed_callers: ['direct'] },
        { type: 'computer_toolset_20260801', configs: { zoom: { enabled: true } } },
      ],
      messages: [
        {
          role: 'assistant',
          content: [
            { type: 'server_tool_use', id: 's1', name: 'web_search', input: { query: 'q' } },
            {
              type: 'web_search_tool_result',
              tool_use_id: 's1',
              content: [
                { type: 'web_search_result', url: 'u', title: 't', encrypted_content: 'e', page_age: null },
              ],
            },
            {
              type: 'web_fetch_tool_result',
              tool_use_id: 's2',
              content: {
                type: 'web_fetch_result',
                url: 'u',
                retrieved_at: null,
                content: { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' } },
              },
            },
            {
              type: 'bash_code_execution_tool_result',
              tool_use_id: 's3',
              content: {
                type: 'bash_code_execution_result',
                stdout: '',
                stderr: '',
                return_code: -1,
                content: [],
              },
            },
            {
              type: 'web_search_tool_result',
              tool_use_id: 's4',
              content: { type: 'e', error_code: 'unavailable' },
            },
            { type: 'container_upload', file_id: 'f' },
          ],
        },
        ...MESSAGES,
      ],
      container: { id: 'c', skills: [{ type: 'custom', skill_id: 's', version: 'latest' }] },
    },
  ],
  [
    'every number at its bound',
    { ...BASE, max_tokens: 1_000_000, temperature: 1, top_p: 0, top_k: 0, stop_sequences: ['a', 'b'] },
  ],
  [
    'what belongs to the whole',
    {
      ...BASE,
      metadata: { user_id: 'u' },
      service_tier: 'standard_only',
      cache_control: EPHEMERAL,
      output_config: { effort: 'low', format: { type: 'json_schema', schema: {} } },
      diagnostics: { previous_message_id: null },
      container: 'c',
      speed: 'fast',
    },
  ],
  ['fields that we do not know', { ...BASE, context_management: { edits: [] }, betas: ['b'] }],
]

for (const [why, value] of ACCEPTED) {
  test(`checkMessagesRequest accepts: ${why}`, () => {
    assert.equal(sayOf(value), 'accepted')
  })
}

const REFUSED: readonly (readonly [why: string, value: JsonValue, path: string])[] = [
  ['a list', [], 'The body '],
  ['null', null, 'The body '],
  ['no model', { messages: MESSAGES, max_tokens: 1 }, 'model '],
  ['a model that is a list', { ...BASE, model: ['m'] }, 'model '],
  ['no messages', { model: 'm', max_tokens: 1 }, 'messages '],
  ['an empty list of messages', { ...BASE, messages: [] }, 'messages '],
  ['too many messages', { ...BASE, messages: Array.from({ length: 10_001 }, () => null) }, 'messages '],
  ['no max_tokens', COUNTED, 'max_tokens '],
  ['max_tokens below 0', { ...BASE, max_tokens: -1 }, 'max_tokens '],
  ['max_tokens of 10^9', { ...BASE, max_tokens: 1_000_000_000 }, 'max_tokens '],
  ['a role of another API', { ...BASE, messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].role '],
  ['a message without content', { ...BASE, messages: [{ role: 'user' }] }, 'messages[0].content '],
  ['content that is null', { ...BASE, messages: [{ role: 'user', content: null }] }, 'messages[0].content '],
  ['a block without a type', withBlocks({ text: 'x' }), 'messages[0].content[0].type '],
  ['a block whose text is a list', withBlocks({ type: 'text', text: [] }), 'messages[0].content[0].text '],
  [
    'a source without a type',
    withBlocks({ type: 'image', source: { url: 'x' } }),
    'messages[0].content[0].source.type ',
  ],
  [
    'the input of a tool as a text',
    withBlocks({ type: 'tool_use', id: 't', name: 'f', input: '{}' }),
    'messages[0].content[0].input ',
  ],
  [
    'a result with a number in it',
    withBlocks({ type: 'tool_result', tool_use_id: 't', content: [{ type: 'text', text: 1 }] }),
    'messages[0].content[0].content[0].text ',
  ],
  ['a temperature beyond 1', { ...BASE, temperature: 1.1 }, 'temperature '],
  ['top_p beyond 1', { ...BASE, top_p: 1.1 }, 'top_p '],
  ['top_k with a fraction', { ...BASE, top_k: 1.5 }, 'top_k '],
  ['a stop that is a text', { ...BASE, stop_sequences: 'a' }, 'stop_sequences '],
  ['too many stops', { ...BASE, stop_sequences: Array.from({ length: 65 }, () => 'a') }, 'stop_sequences '],
  ['instructions that are an object', { ...BASE, system: { type: 'text', text: 'x' } }, 'system '],
  ['an instruction without text', { ...BASE, system: [{ type: 'text' }] }, 'system[0].text '],
  ['a choice of tool that is a text', { ...BASE, tool_choice: 'auto' }, 'tool_choice '],
  ['a tool whose schema is a text', withTool({ name: 'f', input_schema: '{}' }), 'tools[0].input_schema '],
  ['a budget of 0', { ...BASE, thinking: { type: 'enabled', budget_tokens: 0 } }, 'thinking.budget_tokens '],
  ['stream as a text', { ...BASE, stream: 'true' }, 'stream '],
  // Servers of elsewhere, other models, other places.
  ...['mcp_servers', 'models', 'fallbacks', 'base_url', 'inference_geo', 'inferenceGeo', 'workspace_id'].map(
    (field): readonly [string, JsonValue, string] => [
      `another way to choose what is called: ${field}`,
      { ...BASE, [field]: 'x' },
      `${field === 'inferenceGeo' ? 'inference_geo' : field} is not accepted`,
    ],
  ),
  [
    'a tool that names a model',
    withTool({ type: 'advisor_20260301', name: 'advisor', model: 'other' }),
    'tools[0].model is not accepted',
  ],
  [
    'a tool that names a server',
    withTool({ type: 'mcp', server_url: 'https://x' }),
    'tools[0].server_url is not accepted',
  ],
]

for (const [why, value, path] of REFUSED) {
  test(`checkMessagesRequest refuses and names the field: ${why}`, () => {
    const say = sayOf(value)
    assert.ok(say.startsWith(path) && say.endsWith('.'), say)
  })
}

const RESULT = { type: 'tool_result', tool_use_id: 't' }

const LOOK_ALIKES: readonly (readonly [why: string, value: JsonObject, path: string])[] = [
  ['at the top', { ...BASE, System: 'other' }, 'system'],
  [
    'in a message',
    { ...BASE, messages: [{ role: 'user', content: 'x', ROLE: 'system' }] },
    'messages[0].role',
  ],
  ['in a block', withBlocks({ ...NOTE, Text: 'other' }), 'messages[0].content[0].text'],
  [
    'in the source of a picture',
    withBlocks({ type: 'image', source: { type: 'url', url: 'https://a/', URL: 'https://b/' } }),
    'messages[0].content[0].source.url',
  ],
  [
    'in the result of a tool',
    withBlocks({ ...RESULT, content: [{ ...NOTE, Text: 'other' }] }),
    'messages[0].content[0].content[0].text',
  ],
  [
    'in a document inside the result of a tool',
    withBlocks({
      ...RESULT,
      content: [{ type: 'document', source: { type: 'content', content: [{ ...NOTE, text_: 'other' }] } }],
    }),
    'messages[0].content[0].content[0].source.content[0].text',
  ],
  [
    'in a page that was fetched',
    withBlocks({
      type: 'web_fetch_tool_result',
      content: {
        type: 'web_fetch_result',
        content: { type: 'document', source: { type: 'text', DATA: 'x' } },
      },
    }),
    'messages[0].content[0].content.content.source.data',
  ],
  ['in a tool', withTool({ name: 'f', 'input-schema': {} }), 'tools[0].input_schema'],
  ['in an instruction', { ...BASE, system: [{ ...NOTE, Text: 'other' }] }, 'system[0].text'],
]

for (const [why, value, path] of LOOK_ALIKES) {
  test(`checkMessagesRequest refuses another form of a known name: ${why}`, () => {
    assert.equal(sayOf(value), `${path} must be written exactly so.`)
  })
}

test('checkMessagesRequest stops at the first wrong message: a body of wrong blocks costs no more than one', () => {
  const wrong = { role: 'user', content: Array.from({ length: 1_000 }, () => 1) }
  const startedAt = performance.now()
  assert.match(
    sayOf({ ...BASE, messages: Array.from({ length: 450 }, () => wrong) }),
    /^messages\[0\]\.content\[0\] /,
  )
  assert.ok(performance.now() - startedAt < 500)
})

test('checkMessagesRequest repeats no value and no name that the caller made up', () => {
  const planted = 'planted-value'
  const values: readonly JsonValue[] = [
    { ...BASE, temperature: planted },
    { ...BASE, messages: [{ role: planted, content: 'x' }] },
    { ...BASE, metadata: planted, tools: [{ [planted]: 1 }] },
    withBlocks({ type: 'image', source: { [planted]: 1 } }),
    withTool({ name: 'f', input_schema: planted }),
    { ...BASE, [`${planted} `]: 1 },
  ]
  for (const value of values) {
    const say = sayOf(value)
    assert.notEqual(say, 'accepted')
    assert.ok(!say.includes('planted'), say)
  }
})

const UNKNOWN: readonly (readonly [why: string, value: JsonObject, path: string | undefined])[] = [
  ['none', BASE, undefined],
  [
    'none of all that is accepted',
    ACCEPTED.find(([why]) => why.startsWith('tools that'))?.[1] ?? {},
    undefined,
  ],
  ['at the top', { ...BASE, context_management: {} }, 'context_management'],
  ['in a block', withBlocks({ ...NOTE, video: 1 }), 'messages[0].content[0].video'],
  [
    'in a block inside another',
    withBlocks({ ...RESULT, content: [{ ...NOTE, video: 1 }] }),
    'messages[0].content[0].content[0].video',
  ],
  [
    'not in what is the callers own',
    withBlocks({ type: 'tool_use', id: 't', name: 'f', input: { any: { Any: 1 } } }),
    undefined,
  ],
  ['with a name that is not plain', { ...BASE, 'planted-value': 1 }, 'the body, a member'],
]

for (const [why, value, path] of UNKNOWN) {
  test(`unknownMessagesField names the first: ${why}`, () => {
    checkMessagesRequest(value)
    assert.equal(unknownMessagesField(value), path)
  })
}

const COUNT: readonly (readonly [why: string, value: JsonValue, path: string])[] = [
  ['the least', COUNTED, 'accepted'],
  ['tools and thoughts', { ...COUNTED, tools: [], thinking: { type: 'adaptive' }, system: 'x' }, 'accepted'],
  ['no messages', { model: 'm' }, 'messages '],
  ['a wrong block', { model: 'm', messages: [{ role: 'user', content: [1] }] }, 'messages[0].content[0] '],
  ['a tool that names a server', { ...COUNTED, mcp_servers: [] }, 'mcp_servers is not accepted'],
  ['another form of a known name', { ...COUNTED, Messages: [] }, 'messages must be written exactly so.'],
]

for (const [why, value, path] of COUNT) {
  test(`checkCountTokensRequest reads the fields that count: ${why}`, () => {
    const say = sayOf(value, checkCountTokensRequest)
    assert.ok(say.startsWith(path), say)
  })
}

test('unknownCountTokensField names what only an answer needs', () => {
  const value: JsonValue = BASE
  checkCountTokensRequest(value)
  assert.equal(unknownCountTokensField(value), 'max_tokens')
})
