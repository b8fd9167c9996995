import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI from 'openai'
import { Fault } from '#base/fault.ts'
import type { FaultCode } from '#base/fault_table.ts'
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { StreamFrame } from '#door/stream_frame.ts'
import { assertFrozen } from '../../../../test/support/assert_frozen.ts'
import {
  allOf,
  fetchOf,
  framesIn,
  textsByChannel,
  wireOf,
  written,
} from '../../../../test/support/stream_scene.ts'
import { askForUsage, ChatStream } from './chat_stream.ts'

const DONE = 'data: [DONE]\n\n'
const HEAD = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_790_000_000, model: 'upstream' }

const chunk = (choices: readonly JsonValue[], more: JsonObject = {}): JsonObject => ({
  ...HEAD,
  ...more,
  choices,
})
const delta = (delta: JsonValue, more: JsonObject = {}, index = 0): JsonObject =>
  chunk([{ index, delta, finish_reason: null, ...more }])
const finish = (reason = 'stop', index = 0): JsonObject => delta({}, { finish_reason: reason }, index)
const call = (index: number, parts: JsonObject): JsonObject =>
  delta({ tool_calls: [{ index, function: parts }] })

function wire(...events: readonly (JsonObject | string)[]): string {
  return wireOf([...events, DONE], () => undefined)
}

function chat(isUsageAsked = true): ChatStream {
  return new ChatStream({ model: 'public', isUsageAsked })
}

const TOOLS = [
  delta({ role: 'assistant', content: null }),
  delta({ content: 'Let me look. ' }),
  delta({
    tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } }],
  }),
  call(0, { arguments: '{"city":"Gr' }),
  call(0, { arguments: 'az","days":3}' }),
  delta({
    tool_calls: [
      { index: 1, id: 'call_2', type: 'function', function: { name: 'time', arguments: '{"zone":' } },
    ],
  }),
  call(1, { arguments: '"UTC"}' }),
  finish('tool_calls'),
]

const STREAMS: readonly (readonly [why: string, wire: string, texts: Record<string, string>])[] = [
  [
    'content',
    wire(
      delta({ role: 'assistant', content: '', refusal: null }, { logprobs: null }),
      delta({ content: 'Hel' }),
      delta({ content: 'lo, wörld 😀' }),
      finish(),
    ),
    { '0.content': 'Hello, wörld 😀' },
  ],
  [
    'content that ends in the chunk that finishes',
    wire(
      delta({ role: 'assistant', content: 'one, ' }),
      delta({ content: 'two' }, { finish_reason: 'length' }),
    ),
    { '0.content': 'one, two' },
  ],
  [
    'a refusal',
    wire(delta({ role: 'assistant', refusal: 'I can' }), delta({ refusal: 'not.' }), finish()),
    { '0.refusal': 'I cannot.' },
  ],
  [
    'two tool calls',
    wire(...TOOLS),
    {
      '0.content': 'Let me look. ',
      '0.tool_calls.0.function.arguments': '{"city":"Graz","days":3}',
      '0.tool_calls.1.function.arguments': '{"zone":"UTC"}',
    },
  ],
  [
    'a custom tool',
    wire(
      delta({
        tool_calls: [{ index: 0, id: 'call_1', type: 'custom', custom: { name: 'sh', input: 'ls' } }],
      }),
      delta({ tool_calls: [{ index: 0, custom: { input: ' -l' } }] }),
      finish('tool_calls'),
    ),
    { '0.tool_calls.0.custom.input': 'ls -l' },
  ],
  [
    'the function call of old',
    wire(
      delta({ role: 'assistant', content: null, function_call: { name: 'f', arguments: '' } }),
      delta({ function_call: { arguments: '{"a"' } }),
      delta({ function_call: { arguments: ':1}' } }),
      finish('function_call'),
    ),
    { '0.function_call.arguments': '{"a":1}' },
  ],
  [
    'sound with its transcript',
    wire(
      delta({ role: 'assistant', audio: { id: 'audio_1', transcript: 'Good ' } }),
      delta({ audio: { data: 'UklGRg==' } }),
      delta({ audio: { data: 'AAAA', transcript: 'morning' } }),
      delta({ audio: { expires_at: 1_790_000_100 } }),
      finish(),
    ),
    { '0.audio.transcript': 'Good morning' },
  ],
  [
    'reasoning, as several servers call it',
    wire(
      delta({ role: 'assistant', reasoning_content: 'Because ', reasoning: 'Since ' }),
      delta({ reasoning_content: 'so', reasoning: 'then' }),
      delta({ content: 'Yes' }),
      finish(),
    ),
    { '0.reasoning_content': 'Because so', '0.reasoning': 'Since then', '0.content': 'Yes' },
  ],
  [
    'several choices, in one chunk and in turns',
    wire(
      chunk([
        { index: 0, delta: { role: 'assistant', content: 'a' }, finish_reason: null },
        { index: 1, delta: { role: 'assistant', content: 'x' }, finish_reason: null },
      ]),
      delta({ content: 'y' }, {}, 1),
      delta({ content: 'b' }),
      finish('stop', 1),
      delta({ content: 'c' }),
      finish('stop', 0),
    ),
    { '0.content': 'abc', '1.content': 'xy' },
  ],
  [
    'annotations and what is asked for besides',
    wire(
      delta({ role: 'assistant', content: 'see' }),
      delta({ annotations: [{ type: 'url_citation', url_citation: { url: 'https://a', title: 'A' } }] }),
      finish(),
      chunk([], { usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 }, service_tier: 'flex' }),
    ),
    { '0.content': 'see' },
  ],
  [
    'Azure: annotation chunks without choices',
    wire(
      {
        id: '',
        object: '',
        created: 0,
        model: '',
        choices: [],
        prompt_filter_results: [{ prompt_index: 0 }],
      },
      delta({ role: 'assistant', content: 'ok' }),
      chunk([{ index: 0, finish_reason: null, content_filter_results: { hate: { filtered: false } } }]),
      finish(),
    ),
    { '0.content': 'ok' },
  ],
  [
    'a name that is said in each chunk',
    wire(
      delta({
        tool_calls: [{ index: 0, id: 'c', type: 'function', function: { name: 'f', arguments: '{' } }],
      }),
      call(0, { name: 'f', arguments: '}' }),
      call(0, { name: '', arguments: ' ' }),
      finish('tool_calls'),
    ),
    { '0.tool_calls.0.function.arguments': '{} ' },
  ],
  [
    'a comment first, an event name, and a text behind the end that is empty',
    `: PROCESSING\n\nevent: message\n${wire(
      delta({ role: 'assistant', content: 'x' }),
      finish(),
      delta({ content: '' }),
    )}`,
    { '0.content': 'x' },
  ],
  ['no end of its choice', wire(delta({ role: 'assistant', content: 'half' })), { '0.content': 'half' }],
]

for (const [why, upstream, texts] of STREAMS) {
  test(`ChatStream names the channels: ${why}`, async () => {
    const frames = await framesIn(chat(), upstream)
    assert.deepEqual(textsByChannel(frames), texts)
    for (const frame of frames) {
      assert.equal(frame.event, undefined)
      assert.equal(frame.value['model'], 'public')
      assertFrozen(frame.value)
    }
    assert.deepEqual(await framesIn(chat(), upstream, 1), frames)
  })

  for (const held of [0, 1, 7, 1_000]) {
    test(`ChatStream gives what the client of OpenAI puts together the same, ${held} held: ${why}`, async () => {
      const sent = await written(chat(), upstream, held)
      assert.deepEqual(await gathered(sent), await gathered(upstream.replaceAll('"upstream"', '"public"')))
    })
  }
}

/**
 * What the real client makes of a stream; some streams are refused by its last checks, and its snapshot tells the same. Of
 * members that it does not know it keeps the last piece, so these are put together here, as other clients do.
 */
async function gathered(stream: string): Promise<unknown> {
  const client = new OpenAI({ apiKey: 'none', baseURL: 'http://door.invalid/v1', fetch: fetchOf(stream) })
  const events = client.chat.completions.stream({
    model: 'public',
    messages: [{ role: 'user', content: 'x' }],
  })
  const deltas: Record<number, JsonValue> = {}
  let snapshot: unknown
  let problem: string | undefined
  try {
    for await (const chunk of events) {
      snapshot = events.currentChatCompletionSnapshot
      for (const { index, delta } of chunk.choices)
        deltas[index] = joined(deltas[index] ?? {}, JSON.parse(JSON.stringify(delta ?? {})))
    }
    snapshot = await events.finalChatCompletion()
  } catch (thrown) {
    problem = String(thrown)
  }
  assert.ok(snapshot !== undefined, problem ?? 'nothing came')
  // Chunks of Azure may come with an empty model, in place of which the door says the public one.
  const isLeftOut = (name: string): boolean => name === 'model' || name.startsWith('reasoning')
  const comparable = JSON.stringify(snapshot ?? null, (name, inner: unknown) =>
    isLeftOut(name) ? '' : inner,
  )
  return { snapshot: JSON.parse(comparable), deltas, problem }
}

/** Puts all strings together but those that tell elements of lists apart, as the client of OpenAI for Python does. */
function joined(before: JsonValue | undefined, delta: JsonValue, name = ''): JsonValue {
  if (before === undefined || before === null || name === 'index' || name === 'type') return delta
  if (typeof before === 'string' && typeof delta === 'string') return before + delta
  if (isJsonArray(before) && isJsonArray(delta)) {
    const list = [...before]
    for (const element of delta) {
      const index = isJsonObject(element) ? element['index'] : undefined
      if (typeof index === 'number') list[index] = joined(list[index], element)
      else list.push(element)
    }
    return list
  }
  if (!isJsonObject(before) || !isJsonObject(delta)) return delta ?? before
  const inner = Object.entries(delta).map(([name, value]): [string, JsonValue] => [
    name,
    joined(before[name], value, name),
  ])
  return { ...before, ...Object.fromEntries(inner) }
}

test('ChatStream takes texts of servers whose content has parts', async () => {
  const format = chat()
  const thought = (text: string): JsonObject =>
    delta({ content: [{ type: 'thinking', thinking: [{ type: 'text', text }] }] })
  const detail = (index: number, text: string): JsonObject =>
    delta({ reasoning_details: [{ type: 'reasoning.text', index, text, format: 'f', signature: 's' }] })
  const frames = await framesIn(
    format,
    wire(thought('a'), thought('b'), detail(0, 'c'), detail(1, 'd'), delta({ content: 'e' }), finish()),
  )
  assert.deepEqual(textsByChannel(frames), {
    '0.content.0.thinking.0.text': 'ab',
    '0.reasoning_details.0.text': 'c',
    '0.reasoning_details.1.text': 'd',
    '0.content': 'e',
  })
  assert.deepEqual(deltaOf(format.rest('0.content.0.thinking.0.text', 'x')), {
    content: [{ type: 'thinking', thinking: [{ type: 'text', text: 'x' }] }],
  })
  assert.deepEqual(deltaOf(format.rest('0.reasoning_details.1.text', 'x')), {
    reasoning_details: [{ type: 'reasoning.text', index: 1, text: 'x' }],
  })
})

function deltaOf({ value }: StreamFrame): unknown {
  const [choice] = value['choices'] as { delta: unknown }[]
  return choice?.delta
}

test('ChatStream keeps texts apart whose members have odd names, and guards texts that it does not know', async () => {
  const frames = await framesIn(
    chat(),
    wire(delta({ 'a.text': 'x', a: { text: 'y' }, 'a\\': { text: 'z' }, other: 'o' }), finish()),
  )
  assert.deepEqual(textsByChannel(frames), {
    '0.a\\.text': 'x',
    '0.a.text': 'y',
    '0.a\\\\.text': 'z',
    '0.other': 'o',
  })
})

test('ChatStream ends the channels of a choice with its finish reason, and all that is left with the stream', async () => {
  const ends = async (...events: readonly JsonObject[]): Promise<unknown[]> =>
    (await framesIn(chat(), wire(...events))).map((frame) => frame.ends)
  assert.deepEqual(await ends(...TOOLS), [
    ...TOOLS.slice(1).map(() => []),
    ['0.content', '0.tool_calls.0.function.arguments', '0.tool_calls.1.function.arguments'],
  ])
  assert.deepEqual(await ends(delta({ content: 'a' }, { finish_reason: 'stop' })), [['0.content']])
  assert.deepEqual(await ends(delta({ content: 'a' }), delta({ content: 'b' }, {}, 1), finish()), [
    [],
    [],
    ['0.content'],
    'all',
  ])
})

test('ChatStream says what is held in a chunk like the others', async () => {
  const format = chat()
  await framesIn(format, wire(...TOOLS))
  assert.deepEqual(format.rest('0.tool_calls.1.function.arguments', 'tail'), {
    event: undefined,
    value: {
      ...HEAD,
      model: 'public',
      choices: [
        {
          index: 0,
          delta: { tool_calls: [{ index: 1, type: 'function', function: { arguments: 'tail' } }] },
          finish_reason: null,
        },
      ],
    },
    texts: [
      {
        channel: '0.tool_calls.1.function.arguments',
        path: ['choices', 0, 'delta', 'tool_calls', 0, 'function', 'arguments'],
      },
    ],
    ends: [],
  })
  assert.throws(() => format.rest('0.nothing', 'x'), TypeError)
})

test('ChatStream drops the tokens: they say the text once more, each alone', async () => {
  const logprobs = { content: [{ token: 'sec', bytes: [115], logprob: -1, top_logprobs: [] }], refusal: null }
  const frames = await framesIn(
    chat(),
    wire(
      delta({ content: 'sec' }, { logprobs, token_ids: [1], prompt_token_ids: [2], prompt_logprobs: [{}] }),
      finish(),
    ),
  )
  assert.deepEqual(frames[0]?.value['choices'], [
    {
      index: 0,
      delta: { content: 'sec' },
      finish_reason: null,
      logprobs: null,
      token_ids: null,
      prompt_token_ids: null,
      prompt_logprobs: null,
    },
  ])
})

const USAGE = { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 }

test('ChatStream tells usage to the caller only if the caller asked, and always to us', async () => {
  const upstream = wire(
    chunk([{ index: 0, delta: { content: 'x' }, finish_reason: null }], { usage: null }),
    chunk([{ index: 0, delta: {}, finish_reason: 'stop' }], { usage: null }),
    chunk([], { usage: USAGE }),
  )
  for (const [isAsked, usages] of [
    [true, [null, null, USAGE]],
    [false, [undefined, undefined]],
  ] as const) {
    const format = chat(isAsked)
    assert.deepEqual(format.usage, {})
    const frames = await framesIn(format, upstream)
    assert.deepEqual(
      frames.map(({ value }) => value['usage']),
      usages,
    )
    assert.deepEqual(format.usage, { tokens_in: 9, tokens_out: 4 })
  }
})

test('ChatStream leaves usage where a server tells it unasked, and reads no odd one', async () => {
  const format = chat(false)
  const frames = await framesIn(
    format,
    wire(
      chunk([{ index: 0, delta: { content: 'x' }, finish_reason: 'stop' }], { usage: USAGE }),
      chunk([], { usage: { prompt_tokens: -1, completion_tokens: 1.5 } }),
    ),
  )
  assert.deepEqual(
    frames.map(({ value }) => value['usage']),
    [USAGE],
  )
  assert.deepEqual(format.usage, { tokens_in: 9, tokens_out: 4 })
})

test('askForUsage asks upstream once, and remembers who asked', () => {
  const asked = { model: 'm', stream: true, stream_options: { include_usage: true } }
  assert.deepEqual(askForUsage(asked), { request: asked, isUsageAsked: true })
  for (const options of [undefined, null, {}, { include_usage: false }, { include_usage: null }]) {
    const request: JsonObject = {
      model: 'm',
      stream: true,
      ...(options === undefined ? {} : { stream_options: options }),
    }
    const sent = askForUsage(request)
    assert.deepEqual(sent, { request: asked, isUsageAsked: false })
    assertFrozen(sent.request)
  }
  const obfuscated = { stream_options: { include_obfuscation: false } }
  assert.deepEqual(askForUsage(obfuscated).request, {
    stream_options: { include_obfuscation: false, include_usage: true },
  })
})

const many = (count: number, make: (at: number) => JsonObject): JsonObject[] =>
  Array.from({ length: count }, (_, at) => make(at))

type Bad = readonly [why: string, wire: string, code: FaultCode, reason: string]
const BAD: readonly Bad[] = [
  ['not JSON', 'data: {"choices":\n\n', 'upstream.invalid', 'event_unreadable'],
  ['not UTF-8 escapes but a list', 'data: []\n\n', 'upstream.invalid', 'event_shape'],
  ['too deep', `data: ${'['.repeat(99)}${']'.repeat(99)}\n\n`, 'upstream.invalid', 'event_unreadable'],
  ['no choices', wire({ ...HEAD }), 'upstream.invalid', 'choices'],
  ['a choice that is none', wire(chunk([1])), 'upstream.invalid', 'choices'],
  ['a choice without an index', wire(chunk([{ delta: {} }])), 'upstream.invalid', 'index'],
  ['an index below', wire(delta({}, {}, -1)), 'upstream.invalid', 'index'],
  ['an index between', wire(delta({}, {}, 0.5)), 'upstream.invalid', 'index'],
  ['a choice too many', wire(delta({}, {}, LIMITS.streamChoices)), 'upstream.invalid', 'index'],
  ['a call too many', wire(call(LIMITS.streamCalls, {})), 'upstream.invalid', 'index'],
  [
    'a list too long',
    wire(delta({ parts: many(LIMITS.streamCalls + 1, () => ({})) })),
    'upstream.invalid',
    'index',
  ],
  [
    'too many texts',
    wire(
      delta(Object.fromEntries(many(LIMITS.streamChannels + 1, () => ({})).map((_, at) => [`m${at}`, 'x']))),
    ),
    'upstream.invalid',
    'channels',
  ],
  ['a delta that is none', wire(delta('x')), 'upstream.invalid', 'delta'],
  ['a number for a text', wire(delta({ content: 4111 })), 'upstream.invalid', 'text'],
  ['a number for arguments', wire(call(0, { arguments: 1 })), 'upstream.invalid', 'text'],
  [
    'a text behind the end of its choice',
    wire(delta({ content: 'a' }), finish(), delta({ content: 'b' })),
    'upstream.invalid',
    'text_after_end',
  ],
  [
    'a first text behind the end of its choice',
    wire(finish(), delta({ refusal: 'b' })),
    'upstream.invalid',
    'text_after_end',
  ],
  [
    'a name in pieces',
    wire(call(0, { name: 'sk-ab' }), call(0, { name: 'cdef' })),
    'upstream.invalid',
    'name_in_pieces',
  ],
  [
    'an error',
    'data: {"error":{"message":"secret","type":"server_error","code":null}}\n\n',
    'upstream.failed',
    'error_event',
  ],
  ['an error by name', 'event: error\ndata: {"message":"secret"}\n\n', 'upstream.failed', 'error_event'],
  ['an error as a text', 'data: {"error":"secret"}\n\n', 'upstream.failed', 'error_event'],
  ['nothing', '', 'upstream.failed', 'cut'],
  ['no end', wireOf([delta({ content: 'a' }), finish()], () => undefined), 'upstream.failed', 'cut'],
  ['half an event', wire(finish()).slice(0, -1), 'upstream.failed', 'cut'],
]

for (const [why, upstream, code, reason] of BAD) {
  test(`ChatStream refuses with ${code}, ${reason}, and keeps no text: ${why}`, async () => {
    await assert.rejects(framesIn(chat(), upstream), (thrown) => {
      assert.ok(thrown instanceof Fault)
      assert.deepEqual([thrown.code, thrown.detail['reason']], [code, reason])
      assert.ok(!JSON.stringify([thrown.message, thrown.detail]).includes('secret'))
      return true
    })
  })
}

test('ChatStream reads nothing behind the end', async () => {
  const frames = await framesIn(chat(), `${wire(delta({ content: 'a' }), finish())}data: rubbish\n\n`)
  assert.equal(frames.length, 2)
})

test('ChatStream keeps the word for an error that it knows', async () => {
  for (const [error, word] of [
    [{ type: 'server_error', code: 'rate_limit_exceeded' }, 'rate_limit_exceeded'],
    [{ type: 'overloaded_error' }, 'overloaded_error'],
    [{ type: 'sk-secret', code: 'another' }, undefined],
  ] as const) {
    await assert.rejects(framesIn(chat(), wire({ error })), (thrown) => {
      assert.ok(thrown instanceof Fault)
      assert.equal(thrown.detail['upstream_error'], word)
      return true
    })
  }
})

test('ChatStream refuses as an API of OpenAI does: the real client throws, with code and entry, without detail', async () => {
  const fault = new Fault('content.blocked', { findings: ['secret'] })
  const [event] = chat().refuse({ fault, id: 'entry00000000001' })
  assert.equal(event?.event, undefined)
  const stream = wireOf([delta({ content: 'a' }), event?.data as JsonObject], () => undefined)
  assert.ok(!stream.includes('secret'))
  const client = new OpenAI({ apiKey: 'none', baseURL: 'http://door.invalid/v1', fetch: fetchOf(stream) })
  const chunks = await client.chat.completions.create({ model: 'm', messages: [], stream: true })
  await assert.rejects(allOf(chunks), (thrown) => {
    assert.ok(thrown instanceof OpenAI.APIError)
    assert.equal(thrown.code, 'content.blocked')
    assert.equal(thrown.type, 'invalid_request_error')
    const error = thrown.error as { gatehouse: { entry: string } }
    assert.equal(error.gatehouse.entry, 'entry00000000001')
    return true
  })
})
