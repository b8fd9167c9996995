import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { checkResponsesRequest, unknownResponsesField } from './responses_request.ts'

const BASE = { model: 'm', input: 'hello' }

function sayOf(value: JsonValue): string {
  try {
    checkResponsesRequest(value)
  } catch (thrown) {
    assert.ok(thrown instanceof Fault && thrown.code === 'input.invalid', String(thrown))
    return thrown.say ?? ''
  }
  return 'accepted'
}

const withItems = (...input: readonly JsonObject[]): JsonObject => ({ model: 'm', input })
const withTool = (tool: JsonObject): JsonObject => ({ ...BASE, tools: [tool] })
const SAID = { role: 'user', content: 'x' }

const ACCEPTED: readonly (readonly [why: string, value: JsonObject])[] = [
  ['the least', BASE],
  ['a stream', { ...BASE, stream: true, stream_options: { include_obfuscation: false } }],
  ['null for what is left out', { ...BASE, instructions: null, tools: null, reasoning: null, text: null }],
  ['what is refused, switched off', { ...BASE, background: false, conversation: null, prompt: null }],
  [
    'messages with parts of all kinds',
    withItems(
      { type: 'message', role: 'developer', content: 'be brief' },
      {
        role: 'user',
        content: [
          { type: 'input_text', text: 'x' },
          { type: 'input_image', image_url: 'data:image/png;base64,AAAA', detail: 'auto' },
          { type: 'input_image', file_id: 'f', detail: 'low' },
          { type: 'input_file', file_data: 'AAAA', filename: 'a.pdf' },
          { type: 'input_file', file_url: 'https://x' },
          { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
        ],
      },
      {
        type: 'message',
        id: 'msg_1',
        role: 'assistant',
        status: 'completed',
        content: [
          { type: 'output_text', text: 'y', annotations: [{ type: 'url_citation' }], logprobs: [] },
          { type: 'refusal', refusal: 'no' },
        ],
      },
    ),
  ],
  [
    'a conversation with tools and thoughts',
    {
      ...withItems(
        SAID,
        {
          type: 'reasoning',
          id: 'rs_1',
          summary: [{ type: 'summary_text', text: 's' }],
          encrypted_content: 'e',
        },
        { type: 'function_call', call_id: 'c', name: 'f', arguments: '{}', caller: { type: 'direct' } },
        { type: 'function_call_output', call_id: 'c', output: 'done' },
        { type: 'function_call_output', call_id: 'c', output: [{ type: 'input_text', text: 'x' }] },
        { type: 'custom_tool_call', call_id: 'd', name: 'g', input: 'ls' },
        { type: 'custom_tool_call_output', call_id: 'd', output: 'a' },
        { type: 'compaction', encrypted_content: 'e' },
      ),
      tools: [
        { type: 'function', name: 'f', parameters: { type: 'object', Properties: {} }, strict: true },
        { type: 'custom', name: 'g', format: { type: 'grammar', definition: 'd' } },
        { type: 'namespace', name: 'n', description: 'd', tools: [{ type: 'function', name: 'h' }] },
      ],
      tool_choice: { type: 'function', name: 'f' },
      parallel_tool_calls: false,
      reasoning: { effort: 'low', summary: 'auto' },
      include: ['reasoning.encrypted_content'],
      store: false,
    },
  ],
  [
    'tools that the provider runs, and their results',
    {
      ...withItems(
        { type: 'web_search_call', id: 'w', status: 'completed', action: { type: 'search', query: 'q' } },
        { type: 'computer_call', call_id: 'c', id: 'i', action: { type: 'wait' }, pending_safety_checks: [] },
        {
          type: 'computer_call_output',
          call_id: 'c',
          output: { type: 'computer_screenshot', image_url: 'd' },
        },
        { type: 'code_interpreter_call', id: 'i', code: 'x', container_id: 'c', outputs: null },
        { type: 'shell_call', call_id: 's', action: { commands: ['ls'] } },
        {
          type: 'shell_call_output',
          call_id: 's',
          output: [{ stdout: 'a', stderr: '', outcome: { type: 'exit' } }],
        },
        {
          type: 'apply_patch_call',
          call_id: 'p',
          operation: { type: 'delete_file', path: 'a' },
          status: 'completed',
        },
        { type: 'tool_search_call', arguments: { any: 1 } },
        { type: 'tool_search_output', tools: [{ type: 'function', name: 'f' }] },
        { type: 'configuration_update', reasoning: { effort: 'low' }, text: { verbosity: 'low' } },
      ),
      tools: [
        {
          type: 'web_search',
          search_context_size: 'low',
          user_location: { type: 'approximate' },
          filters: {},
        },
        { type: 'code_interpreter', container: { type: 'auto' } },
        { type: 'image_generation', quality: 'low', size: '1024x1024', partial_images: 1 },
        { type: 'local_shell' },
      ],
    },
  ],
  [
    'every number at its bound',
    {
      ...BASE,
      max_output_tokens: 1_000_000,
      max_tool_calls: 1,
      temperature: 2,
      top_p: 0,
      top_logprobs: 0,
    },
  ],
  [
    'what belongs to the whole',
    {
      ...BASE,
      instructions: 'be brief',
      text: {
        format: { type: 'json_schema', name: 'a', schema: { Type: 1 }, strict: true },
        verbosity: 'low',
      },
      metadata: { any: 'thing' },
      truncation: 'auto',
      user: 'u',
      safety_identifier: 's',
      service_tier: 'flex',
      prompt_cache_key: 'k',
      context_management: [{ type: 'compaction', compact_threshold: 9 }],
      moderation: { policy: {} },
      tool_choice: 'required',
    },
  ],
  ['fields that we do not know', { ...BASE, vendor: { any: ['thing'] } }],
]

for (const [why, value] of ACCEPTED) {
  test(`checkResponsesRequest accepts: ${why}`, () => {
    assert.equal(sayOf(value), 'accepted')
    if (why !== 'fields that we do not know') assert.equal(unknownResponsesField(value as never), undefined)
  })
}

const REFUSED: readonly (readonly [why: string, value: JsonValue, path: string])[] = [
  ['a list', [], 'The body '],
  ['no model', { input: 'x' }, 'model '],
  ['no input', { model: 'm' }, 'input '],
  ['an empty list of items', { model: 'm', input: [] }, 'input '],
  ['too many items', { model: 'm', input: Array.from({ length: 10_001 }, () => null) }, 'input '],
  ['an item that is a text', { model: 'm', input: ['x'] }, 'input[0] '],
  ['a role that is none', withItems({ role: 'tool', content: 'x' }), 'input[0].role '],
  [
    'a part without a type',
    withItems({ role: 'user', content: [{ text: 'x' }] }),
    'input[0].content[0].type ',
  ],
  [
    'a part whose text is a list',
    withItems(SAID, { role: 'user', content: [{ type: 'input_text', text: [] }] }),
    'input[1].content[0].text ',
  ],
  [
    'an output with a number in it',
    withItems({ type: 'function_call_output', call_id: 'c', output: [{ type: 'input_text', text: 1 }] }),
    'input[0].output[0].text ',
  ],
  ['max_output_tokens of 10^9', { ...BASE, max_output_tokens: 1_000_000_000 }, 'max_output_tokens '],
  ['a temperature beyond 2', { ...BASE, temperature: 2.1 }, 'temperature '],
  ['a tool without a type', withTool({ name: 'f' }), 'tools[0].type '],
  [
    'parameters as a text',
    withTool({ type: 'function', name: 'f', parameters: '{}' }),
    'tools[0].parameters ',
  ],
  ['include as a text', { ...BASE, include: 'x' }, 'include '],
  ['a format without a type', { ...BASE, text: { format: {} } }, 'text.format.type '],
  ['an answer for later', { ...BASE, background: true }, 'background is not accepted: '],
  ['a prompt of the provider', { ...BASE, prompt: { id: 'pmpt_1' } }, 'prompt is not accepted: '],
  [
    'an answer to go on with',
    { ...BASE, previous_response_id: 'r' },
    'previous_response_id is not accepted: ',
  ],
  ['a reference', withItems({ type: 'item_reference', id: 'msg_1' }), 'an item_reference is not accepted: '],
  ['a reference without its type', withItems({ id: 'msg_1' }), 'an item_reference is not accepted: '],
  [
    'a reference whose type is null',
    withItems(SAID, { type: null, role: null, id: 'msg_1' }),
    'an item_reference is not accepted: ',
  ],
  ['a conversation of the provider', { ...BASE, conversation: 'conv_1' }, 'conversation is not accepted: '],
  ['models', { ...BASE, models: ['x'] }, 'models is not accepted'],
  ['a tool with a server', withTool({ type: 'mcp', server_url: 'x' }), 'tools[0].server_url is not accepted'],
  ['a tool with a tunnel', withTool({ type: 'mcp', tunnel_id: 'x' }), 'tools[0].tunnel_id is not accepted'],
  ['a tool with a connector', withTool({ type: 'mcp', connector_id: 'x' }), 'tools[0].connector_id is not'],
  [
    'a tool with a store',
    withTool({ type: 'file_search', vector_store_ids: [] }),
    'tools[0].vector_store_ids is',
  ],
  [
    'a tool with a model',
    withTool({ type: 'image_generation', model: 'x' }),
    'tools[0].model is not accepted',
  ],
  [
    'an item that brings a tool with a server',
    withItems({ type: 'additional_tools', role: 'developer', tools: [{ type: 'mcp', server_url: 'x' }] }),
    'input[0].tools[0].server_url is not accepted',
  ],
  ['another model that judges', { ...BASE, moderation: { model: 'x' } }, 'moderation.model is not accepted'],
  [
    'an address in the metadata',
    { ...BASE, metadata: { api_base: 'x' } },
    'metadata.api_base is not accepted',
  ],
  ['another form of a known name', { ...BASE, Input: 'y' }, 'input must be written exactly so.'],
  ['another form of what is refused', { ...BASE, Prompt: {} }, 'prompt must be written exactly so.'],
  [
    'another form of a known name in a part',
    withItems({ role: 'user', content: [{ type: 'input_text', text: 'x', TEXT: 'y' }] }),
    'input[0].content[0].text must be written exactly so.',
  ],
  [
    'another form of a known name in what a tool gave',
    withItems({ type: 'function_call_output', output: [{ type: 'input_text', Text: 'y' }] }),
    'input[0].output[0].text must be written exactly so.',
  ],
]

for (const [why, value, path] of REFUSED) {
  test(`checkResponsesRequest refuses and names the field: ${why}`, () => {
    const say = sayOf(value)
    assert.ok(say.startsWith(path) && say.endsWith('.'), say)
  })
}

test('checkResponsesRequest repeats no value and no name that the caller made up', () => {
  const planted = 'planted-value'
  const values: readonly JsonValue[] = [
    { ...BASE, temperature: planted },
    { ...BASE, prompt: { id: planted }, [planted]: 1 },
    { ...BASE, conversation: planted },
    withItems({ role: planted }),
    withTool({ [planted]: 1 }),
    { ...BASE, [`${planted} `]: 1 },
  ]
  for (const value of values) {
    const say = sayOf(value)
    assert.notEqual(say, 'accepted')
    assert.ok(!say.includes('planted'), say)
  }
})

test('checkResponsesRequest stops at the first wrong item: a body of wrong parts costs no more than one', () => {
  const wrong = { role: 'user', content: Array.from({ length: 1_000 }, () => 1) }
  const startedAt = performance.now()
  assert.match(
    sayOf({ model: 'm', input: Array.from({ length: 450 }, () => wrong) }),
    /^input\[0\]\.content\[0\] /,
  )
  assert.ok(performance.now() - startedAt < 500)
})

test('unknownResponsesField names the first', () => {
  const value: JsonValue = withItems(SAID, { role: 'user', content: [{ type: 'input_text', video: 1 }] })
  checkResponsesRequest(value)
  assert.equal(unknownResponsesField(value), 'input[1].content[0].video')
})
