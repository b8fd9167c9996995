import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject } from '#base/json.ts'
import { demandOf, type ModelSize } from './demand.ts'
import type { ModelApi } from './provider.ts'

const TEXT = 'x'.repeat(1_000)
const PIXELS = `data:image/png;base64,${'A'.repeat(200_000)}`
const IMAGE = 50_000

const user = (content: JsonObject['content']): JsonObject => ({ role: 'user', content: content ?? '' })
const chat = (content: JsonObject['content'], more: JsonObject = {}): JsonObject => ({
  model: 'm',
  messages: [user(content)],
  max_completion_tokens: 10,
  ...more,
})
const message = (content: JsonObject['content'], more: JsonObject = {}): JsonObject => ({
  model: 'm',
  messages: [user(content)],
  max_tokens: 10,
  ...more,
})

type Case = readonly [why: string, api: ModelApi, request: JsonObject, least: number, most: number]

const INPUTS: readonly Case[] = [
  ['a text comes to no more tokens than bytes, and a few', 'chat', chat(TEXT), 1_000, 1_200],
  ['letters of two bytes are two', 'chat', chat('é'.repeat(1_000)), 2_000, 2_200],
  [
    'a picture is counted as one, however many bytes it has',
    'chat',
    chat([{ type: 'image_url', image_url: { url: PIXELS } }]),
    IMAGE,
    IMAGE + 500,
  ],
  [
    'a picture of messages',
    'messages',
    message([
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'A'.repeat(200_000) } },
    ]),
    IMAGE,
    IMAGE + 500,
  ],
  [
    'a picture that a tool gave',
    'messages',
    message([
      {
        type: 'tool_result',
        tool_use_id: 't',
        content: [{ type: 'image', source: { type: 'url', url: 'https://a.example/b' } }],
      },
    ]),
    IMAGE,
    IMAGE + 500,
  ],
  [
    'a picture of responses',
    'responses',
    {
      model: 'm',
      input: [{ role: 'user', content: [{ type: 'input_image', image_url: PIXELS }] }],
      max_output_tokens: 10,
    },
    IMAGE,
    IMAGE + 500,
  ],
  [
    'a screen of responses',
    'responses',
    {
      model: 'm',
      input: [
        {
          type: 'computer_call_output',
          call_id: 'c',
          output: { type: 'computer_screenshot', image_url: PIXELS },
        },
      ],
      max_output_tokens: 10,
    },
    IMAGE,
    IMAGE + 500,
  ],
  ['what looks like a picture where none can be is read as text', 'chat', chat(PIXELS), 200_000, 201_000],
  [
    'what looks like a picture in the schema of a tool is read as text',
    'chat',
    chat('hi', {
      tools: [
        { type: 'function', function: { name: 'f', parameters: { type: 'image_url', image_url: PIXELS } } },
      ],
    }),
    201_000,
    202_500,
  ],
  [
    'a text beside a picture counts',
    'chat',
    chat([{ type: 'image_url', image_url: { url: PIXELS }, text: TEXT }]),
    IMAGE + 1_000,
    IMAGE + 1_500,
  ],
  [
    'a picture that is no picture is text',
    'chat',
    chat([{ type: 'image_url', image_url: { url: `data:text/plain,${TEXT}` } }]),
    IMAGE + 1_000,
    IMAGE + 1_500,
  ],
  [
    'sound is counted by its length',
    'chat',
    chat([{ type: 'input_audio', input_audio: { data: 'A'.repeat(16_000), format: 'mp3' } }]),
    1_000,
    1_250,
  ],
  [
    'tools cost something around them',
    'chat',
    chat('hi', { tools: [{ type: 'function', function: { name: 'f' } }] }),
    1_000,
    1_400,
  ],
  ['texts of embeddings', 'embeddings', { model: 'm', input: [TEXT, TEXT] }, 2_000, 2_200],
  [
    'the text of a document',
    'messages',
    message([{ type: 'document', source: { type: 'text', media_type: 'text/plain', data: TEXT } }]),
    1_000,
    1_300,
  ],
  ['counting costs nothing', 'count_tokens', message(TEXT), 0, 0],
]

for (const [why, api, request, least, most] of INPUTS)
  test(`demandOf bounds the input: ${why}`, () => {
    const { tokensIn = Number.NaN, unbounded } = demandOf(api, request)
    assert.ok(tokensIn >= least && tokensIn <= most, String(tokensIn))
    assert.equal(unbounded, undefined)
  })

const OUTPUTS: readonly (readonly [
  why: string,
  api: ModelApi,
  request: JsonObject,
  tokens: number | undefined,
])[] = [
  ['what chat asks for', 'chat', chat('hi'), 10],
  ['the older field', 'chat', chat('hi', { max_completion_tokens: null, max_tokens: 7 }), 7],
  ['the greater of both, for nobody knows which one counts', 'chat', chat('hi', { max_tokens: 700 }), 700],
  [
    'a greater one under a name of another API, which servers of several read too',
    'chat',
    chat('hi', { max_output_tokens: 900 }),
    900,
  ],
  [
    'a greater one under the name of another server',
    'responses',
    { model: 'm', input: 'hi', max_output_tokens: 5, max_new_tokens: 900 },
    900,
  ],
  [
    'a name of another API alone says nothing',
    'messages',
    message('hi', { max_tokens: null, n_predict: 9 }),
    undefined,
  ],
  ['every choice', 'chat', chat('hi', { n: 3 }), 30],
  ['choices that are made and not given', 'chat', chat('hi', { n: 2, best_of: 5 }), 50],
  ['what messages ask for', 'messages', message('hi'), 10],
  ['none, to fill a cache', 'messages', message('hi', { max_tokens: 0 }), 0],
  ['what responses ask for', 'responses', { model: 'm', input: 'hi', max_output_tokens: 5 }, 5],
  ['none of embeddings', 'embeddings', { model: 'm', input: 'hi' }, 0],
  ['nothing says it', 'chat', chat('hi', { max_completion_tokens: null }), undefined],
  ['nothing says it for responses', 'responses', { model: 'm', input: 'hi' }, undefined],
]

for (const [why, api, request, tokens] of OUTPUTS)
  test(`demandOf bounds the output: ${why}`, () => {
    const { tokensOut, unbounded } = demandOf(api, request)
    assert.equal(tokensOut, tokens)
    assert.equal(unbounded === undefined, tokens !== undefined)
  })

test('demandOf counts what is predicted as output, which it costs when it does not come', () => {
  const { tokensOut = 0 } = demandOf('chat', chat('hi', { prediction: { type: 'content', content: TEXT } }))
  assert.ok(tokensOut >= 1_010 && tokensOut < 1_100, String(tokensOut))
})

const UNBOUNDED: readonly (readonly [
  why: string,
  api: ModelApi,
  request: JsonObject,
  size: ModelSize,
  isBounded: boolean,
])[] = [
  [
    'a film behind a link',
    'chat',
    chat([{ type: 'video_url', video_url: { url: 'https://a.example/b' } }]),
    {},
    false,
  ],
  [
    'a film, of a model that reads so much at most',
    'chat',
    chat([{ type: 'video_url', video_url: { url: 'https://a.example/b' } }]),
    { maxInputTokens: 9 },
    true,
  ],
  [
    'sound behind a link',
    'chat',
    chat([{ type: 'audio_url', audio_url: { url: 'https://a.example/b' } }]),
    {},
    false,
  ],
  [
    'an answer that was heard, by its id',
    'chat',
    { model: 'm', messages: [{ role: 'assistant', audio: { id: 'a' } }], max_tokens: 9 },
    {},
    false,
  ],
  [
    'a picture of another API, which may be read as text',
    'chat',
    chat([{ type: 'image', source: { type: 'base64', data: 'A' } }]),
    {},
    false,
  ],
  [
    'a picture that the provider has made, by its id',
    'responses',
    { model: 'm', input: [{ type: 'image_generation_call', id: 'i' }], max_output_tokens: 9 },
    {},
    false,
  ],
  [
    'what models and tools have said',
    'responses',
    {
      model: 'm',
      input: [
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'a' }] },
        { type: 'reasoning', summary: [{ type: 'summary_text', text: 'a' }] },
        { type: 'function_call', name: 'f', arguments: '{}', call_id: 'c' },
        { type: 'function_call_output', call_id: 'c', output: 'a' },
        { type: 'custom_tool_call_output', call_id: 'c', output: [{ type: 'input_text', text: 'a' }] },
      ],
      max_output_tokens: 9,
    },
    {},
    true,
  ],
  [
    'what models and tools have said in messages',
    'messages',
    message([
      { type: 'thinking', thinking: 'a' },
      { type: 'tool_use', id: 'c', name: 'f', input: {} },
      { type: 'tool_result', tool_use_id: 'c', content: [{ type: 'text', text: 'a' }] },
      { type: 'web_search_tool_result', tool_use_id: 'c', content: [{ type: 'web_search_result' }] },
      { type: 'search_result', source: 's', title: 't', content: [{ type: 'text', text: 'a' }] },
    ]),
    {},
    true,
  ],
  ['a file', 'chat', chat([{ type: 'file', file: { file_data: 'A' } }]), {}, false],
  [
    'a file, of a model that reads so much at most',
    'chat',
    chat([{ type: 'file', file: { file_data: 'A' } }]),
    { maxInputTokens: 9 },
    true,
  ],
  [
    'a document',
    'messages',
    message([{ type: 'document', source: { type: 'base64', data: 'A' } }]),
    {},
    false,
  ],
  [
    'a document that a tool gave',
    'messages',
    message([{ type: 'tool_result', content: [{ type: 'document', source: { type: 'url', url: 'u' } }] }]),
    {},
    false,
  ],
  [
    'a file of responses',
    'responses',
    { input: [{ role: 'user', content: [{ type: 'input_file', file_url: 'u' }] }], max_output_tokens: 5 },
    {},
    false,
  ],
  [
    'a search',
    'messages',
    message('hi', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }),
    {},
    false,
  ],
  [
    'a search, whatever the model reads at most',
    'messages',
    message('hi', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }),
    { maxInputTokens: 9 },
    false,
  ],
  [
    'a shell of the caller',
    'messages',
    message('hi', { tools: [{ type: 'bash_20250124', name: 'bash' }] }),
    {},
    true,
  ],
  [
    'a tool of the caller',
    'messages',
    message('hi', { tools: [{ name: 'mine', input_schema: {} }] }),
    {},
    true,
  ],
  ['a place to run code', 'messages', message('hi', { container: 'c' }), {}, false],
  ['a search of chat', 'chat', chat('hi', { web_search_options: {} }), {}, false],
  [
    'a search of responses',
    'responses',
    { input: 'hi', max_output_tokens: 5, tools: [{ type: 'web_search' }] },
    {},
    false,
  ],
  [
    'code of responses',
    'responses',
    { input: 'hi', max_output_tokens: 5, tools: [{ type: 'code_interpreter', container: 'c' }] },
    {},
    false,
  ],
  [
    'functions of responses',
    'responses',
    { input: 'hi', max_output_tokens: 5, tools: [{ type: 'function', name: 'f' }] },
    {},
    true,
  ],
  [
    'functions under one name',
    'responses',
    {
      input: 'hi',
      max_output_tokens: 5,
      tools: [{ type: 'namespace', tools: [{ type: 'function', name: 'f' }] }],
    },
    {},
    true,
  ],
  [
    'a search under one name',
    'responses',
    { input: 'hi', max_output_tokens: 5, tools: [{ type: 'namespace', tools: [{ type: 'web_search' }] }] },
    {},
    false,
  ],
  [
    'a search that an item brings',
    'responses',
    { input: [{ role: 'user', content: 'hi', tools: [{ type: 'web_search' }] }], max_output_tokens: 5 },
    {},
    false,
  ],
]

for (const [why, api, request, size, isBounded] of UNBOUNDED)
  test(`demandOf says whether anything bounds it: ${why}`, () => {
    assert.equal(demandOf(api, request, size).unbounded === undefined, isBounded)
  })

test('demandOf reserves no more than the model reads', () => {
  assert.equal(demandOf('chat', chat(TEXT), { maxInputTokens: 100 }).tokensIn, 100)
})

const UNPRICED: readonly (readonly [why: string, request: JsonObject, isPriced: boolean])[] = [
  ['nothing special', chat('hi'), true],
  ['the usual tier', chat('hi', { service_tier: 'auto' }), true],
  ['a cheaper tier', chat('hi', { service_tier: 'flex' }), true],
  ['a dearer tier', chat('hi', { service_tier: 'priority' }), false],
  ['a tier that nobody knows', chat('hi', { service_tier: 'gold' }), false],
  ['faster answers', message('hi', { speed: 'fast' }), false],
  ['sound in', chat([{ type: 'input_audio', input_audio: { data: 'A', format: 'mp3' } }]), false],
  ['sound out', chat('hi', { modalities: ['text', 'audio'], audio: { voice: 'v' } }), false],
]

for (const [why, request, isPriced] of UNPRICED)
  test(`demandOf says whether the prices hold: ${why}`, () => {
    assert.equal(demandOf('chat', request).unpriced === undefined, isPriced)
  })
