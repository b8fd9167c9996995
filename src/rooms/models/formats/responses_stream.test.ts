import assert from 'node:assert/strict'
import { test } from 'node:test'
import OpenAI from 'openai'
import { Fault } from '#base/fault.ts'
import type { FaultCode } from '#base/fault_table.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { assertFrozen } from '../../../../test/support/assert_frozen.ts'
import {
  fetchOf,
  framesIn,
  textsByChannel,
  typeName,
  wireOf,
  written,
} from '../../../../test/support/stream_scene.ts'
import { ResponsesStream } from './responses_stream.ts'

const RESPONSE = {
  id: 'resp_1',
  object: 'response',
  created_at: 1_790_000_000,
  status: 'in_progress',
  error: null,
  incomplete_details: null,
  instructions: null,
  metadata: {},
  model: 'upstream',
  output: [],
  parallel_tool_calls: true,
  temperature: 1,
  tool_choice: 'auto',
  tools: [],
  top_p: 1,
  top_logprobs: 0,
  usage: null,
}
const USAGE = { input_tokens: 12, output_tokens: 5, total_tokens: 17 }

const event = (name: string, members: JsonObject): JsonObject => ({ type: `response.${name}`, ...members })
const created = event('created', { response: RESPONSE })
const working = event('in_progress', { response: RESPONSE })
const completed = (...output: readonly JsonObject[]): JsonObject =>
  event('completed', { response: { ...RESPONSE, status: 'completed', output, usage: USAGE } })
const added = (output_index: number, item: JsonObject): JsonObject =>
  event('output_item.added', { output_index, item })
const done = (output_index: number, item: JsonObject): JsonObject =>
  event('output_item.done', { output_index, item })
/** An event about an item, all of whose ids are `item_<index>`. */
const about = (name: string, output_index: number, members: JsonObject): JsonObject =>
  event(name, { item_id: `item_${output_index}`, output_index, ...members })

const outputText = (text: string): JsonObject => ({
  type: 'output_text',
  text,
  annotations: [],
  logprobs: [],
})
const message = (index: number, status: string, ...content: readonly JsonObject[]): JsonObject => ({
  id: `item_${index}`,
  type: 'message',
  status,
  role: 'assistant',
  content,
})
const functionCall = (index: number, status: string, text: string): JsonObject => ({
  id: `item_${index}`,
  type: 'function_call',
  status,
  call_id: `call_${index}`,
  name: 'weather',
  arguments: text,
})
const item = (index: number, type: string, members: JsonObject): JsonObject => ({
  id: `item_${index}`,
  type,
  ...members,
})

/** Events numbered as they come. */
function wire(...events: readonly (JsonObject | string)[]): string {
  const numbered = events.map((one, at) => (typeof one === 'string' ? one : { ...one, sequence_number: at }))
  return wireOf(numbered, typeName)
}

const responses = (): ResponsesStream => new ResponsesStream('public')

/** All events of one text in a part of a message. */
function spoken(index: number, ...pieces: readonly string[]): readonly JsonObject[] {
  const text = pieces.join('')
  const part = { content_index: 0 }
  return [
    added(index, message(index, 'in_progress')),
    about('content_part.added', index, { ...part, part: outputText('') }),
    ...pieces.map((delta) =>
      about('output_text.delta', index, { ...part, delta, logprobs: [], obfuscation: 'xyz' }),
    ),
    about('output_text.done', index, { ...part, text, logprobs: [] }),
    about('content_part.done', index, { ...part, part: outputText(text) }),
    done(index, message(index, 'completed', outputText(text))),
  ]
}

const REFUSAL = { type: 'refusal', refusal: 'I cannot' }
const REASONED = item(0, 'reasoning', {
  summary: [{ type: 'summary_text', text: 'short' }],
  content: [{ type: 'reasoning_text', text: 'long' }],
  encrypted_content: 'b3BhcXVl',
})
const ANNOTATION = { type: 'url_citation', url: 'https://a', title: 'A', start_index: 0, end_index: 1 }
const CUSTOM = { status: 'completed', call_id: 'call_1', name: 'sh' }
const MCP = { server_label: 's', name: 'n', status: 'in_progress' }
const CODE = { container_id: 'c', status: 'in_progress', outputs: null }

const STREAMS: readonly (readonly [why: string, wire: string, texts: Record<string, string>])[] = [
  [
    'text',
    wire(
      created,
      working,
      ...spoken(0, 'Hel', 'lo, wörld 😀'),
      completed(message(0, 'completed', outputText('Hello, wörld 😀'))),
    ),
    { '0.content0.output_text': 'Hello, wörld 😀' },
  ],
  [
    'a refusal in a second part, behind text with an annotation',
    wire(
      created,
      added(0, message(0, 'in_progress')),
      about('content_part.added', 0, { content_index: 0, part: outputText('') }),
      about('output_text.delta', 0, { content_index: 0, delta: 'See', logprobs: [] }),
      about('output_text.annotation.added', 0, {
        content_index: 0,
        annotation_index: 0,
        annotation: ANNOTATION,
      }),
      about('output_text.done', 0, { content_index: 0, text: 'See', logprobs: [] }),
      about('content_part.added', 0, { content_index: 1, part: { ...REFUSAL, refusal: 'I ' } }),
      about('refusal.delta', 0, { content_index: 1, delta: 'cannot' }),
      about('refusal.done', 0, { content_index: 1, refusal: 'I cannot' }),
      about('content_part.done', 0, { content_index: 1, part: REFUSAL }),
      done(0, message(0, 'completed', { ...outputText('See'), annotations: [ANNOTATION] }, REFUSAL)),
      completed(message(0, 'completed', { ...outputText('See'), annotations: [ANNOTATION] }, REFUSAL)),
    ),
    { '0.content0.output_text': 'See', '0.content1.refusal': 'I cannot' },
  ],
  [
    'reasoning, then a function call that begins at once, then text',
    wire(
      created,
      added(0, item(0, 'reasoning', { summary: [], content: [] })),
      about('reasoning_summary_part.added', 0, {
        summary_index: 0,
        part: { type: 'summary_text', text: '' },
      }),
      about('reasoning_summary_text.delta', 0, { summary_index: 0, delta: 'short' }),
      about('reasoning_summary_text.done', 0, { summary_index: 0, text: 'short' }),
      about('reasoning_summary_part.done', 0, {
        summary_index: 0,
        part: { type: 'summary_text', text: 'short' },
      }),
      about('content_part.added', 0, { content_index: 0, part: { type: 'reasoning_text', text: '' } }),
      about('reasoning_text.delta', 0, { content_index: 0, delta: 'lo' }),
      about('reasoning_text.delta', 0, { content_index: 0, delta: 'ng' }),
      about('reasoning_text.done', 0, { content_index: 0, text: 'long' }),
      done(0, REASONED),
      added(1, functionCall(1, 'in_progress', '{"city"')),
      about('function_call_arguments.delta', 1, { delta: ':"Gr' }),
      about('function_call_arguments.delta', 1, { delta: 'az"}' }),
      about('function_call_arguments.done', 1, { arguments: '{"city":"Graz"}' }),
      done(1, functionCall(1, 'completed', '{"city":"Graz"}')),
      ...spoken(2, 'ok'),
      completed(
        REASONED,
        functionCall(1, 'completed', '{"city":"Graz"}'),
        message(2, 'completed', outputText('ok')),
      ),
    ),
    {
      '0.summary0.reasoning_summary_text': 'short',
      '0.content0.reasoning_text': 'long',
      '1.function_call_arguments': '{"city":"Graz"}',
      '2.content0.output_text': 'ok',
    },
  ],
  [
    'tools: custom, of a server, code, shell',
    wire(
      created,
      added(0, item(0, 'custom_tool_call', { ...CUSTOM, input: '' })),
      about('custom_tool_call_input.delta', 0, { delta: 'ls' }),
      about('custom_tool_call_input.done', 0, { input: 'ls' }),
      done(0, item(0, 'custom_tool_call', { ...CUSTOM, input: 'ls' })),
      added(1, item(1, 'mcp_call', { ...MCP, arguments: '' })),
      about('mcp_call.in_progress', 1, {}),
      about('mcp_call_arguments.delta', 1, { delta: '{}' }),
      about('mcp_call_arguments.done', 1, { arguments: '{}' }),
      about('mcp_call.completed', 1, {}),
      done(1, item(1, 'mcp_call', { ...MCP, arguments: '{}', output: 'out' })),
      added(2, item(2, 'code_interpreter_call', { ...CODE, code: '' })),
      about('code_interpreter_call_code.delta', 2, { delta: 'print(' }),
      about('code_interpreter_call_code.delta', 2, { delta: '1)' }),
      about('code_interpreter_call_code.done', 2, { code: 'print(1)' }),
      about('code_interpreter_call.interpreting', 2, {}),
      done(2, item(2, 'code_interpreter_call', { ...CODE, code: 'print(1)' })),
      added(3, item(3, 'shell_call', { call_id: 'call_3', action: { commands: [] }, status: 'in_progress' })),
      event('shell_call_command.added', { output_index: 3, command_index: 0, command: 'echo' }),
      event('shell_call_command.delta', { output_index: 3, command_index: 0, delta: ' a' }),
      event('shell_call_command.done', { output_index: 3, command_index: 0, command: 'echo a' }),
      done(3, item(3, 'shell_call', { call_id: 'call_3', action: { commands: ['echo a'] } })),
      added(4, item(4, 'shell_call_output', { call_id: 'call_3', output: [] })),
      about('shell_call_output_content.delta', 4, { command_index: 0, delta: { stdout: 'a', stderr: 'b' } }),
      about('shell_call_output_content.delta', 4, { command_index: 0, delta: { stdout: 'c' } }),
      about('shell_call_output_content.done', 4, {
        command_index: 0,
        output: [{ stdout: 'ac', stderr: 'b', outcome: { type: 'exit', exit_code: 0 } }],
      }),
      event('incomplete', { response: { ...RESPONSE, status: 'incomplete', output: null, usage: USAGE } }),
    ),
    {
      '0.custom_tool_call_input': 'ls',
      '1.mcp_call_arguments': '{}',
      '2.code_interpreter_call_code': 'print(1)',
      '3.command0.shell_call_command': 'echo a',
      '4.command0.shell_call_output_content.stdout': 'ac',
      '4.command0.shell_call_output_content.stderr': 'b',
    },
  ],
  [
    'sound with its transcript, images, searches and signs of life',
    wire(
      created,
      { type: 'keepalive' },
      event('audio.delta', { delta: 'UklGRg==' }),
      event('audio.transcript.delta', { delta: 'Good ' }),
      event('audio.transcript.delta', { delta: 'morning' }),
      event('audio.transcript.done', {}),
      event('audio.done', {}),
      added(0, item(0, 'image_generation_call', { status: 'in_progress', result: null })),
      about('image_generation_call.partial_image', 0, { partial_image_b64: 'aW1n', partial_image_index: 0 }),
      about('image_generation_call.completed', 0, {}),
      done(0, item(0, 'image_generation_call', { status: 'completed', result: 'aW1n' })),
      added(1, item(1, 'web_search_call', { status: 'in_progress' })),
      about('web_search_call.searching', 1, {}),
      about('web_search_call.completed', 1, {}),
      done(1, item(1, 'web_search_call', { status: 'completed', action: { type: 'search', query: 'q' } })),
      completed(
        item(0, 'image_generation_call', { status: 'completed', result: 'aW1n' }),
        item(1, 'web_search_call', { status: 'completed', action: { type: 'search', query: 'q' } }),
      ),
    ),
    { '-.audio.transcript': 'Good morning' },
  ],
]

for (const [why, upstream, texts] of STREAMS) {
  test(`ResponsesStream names the channels: ${why}`, async () => {
    const frames = await framesIn(responses(), upstream)
    assert.deepEqual(textsByChannel(frames), texts)
    for (const { event, value } of frames) {
      assert.equal(event, value['type'])
      assertFrozen(value)
      const { response } = value
      if (isJsonObject(response)) assert.equal(response['model'], 'public')
    }
    assert.deepEqual(await framesIn(responses(), upstream, 1), frames)
  })

  for (const held of [0, 1, 7, 1_000]) {
    test(`ResponsesStream gives what the client of OpenAI puts together the same, ${held} held: ${why}`, async () => {
      const sent = await written(responses(), upstream, held)
      assert.deepEqual(await gathered(sent), await gathered(upstream.replaceAll('"upstream"', '"public"')))
    })
  }
}

const clientOf = (stream: string): OpenAI =>
  new OpenAI({ apiKey: 'none', baseURL: 'http://door.invalid/v1', fetch: fetchOf(stream) })

/** What the real client makes of a stream, and what another one would that only puts deltas together. */
async function gathered(stream: string): Promise<unknown> {
  const events = clientOf(stream).responses.stream({ model: 'm', input: 'x' })
  const deltas: Record<string, string> = {}
  const numbers: number[] = []
  for await (const event of events) {
    numbers.push(event.sequence_number)
    for (const [name, text] of piecesOf(JSON.parse(JSON.stringify(event)))) {
      const key = `${'output_index' in event ? event.output_index : ''} ${name}`
      deltas[key] = (deltas[key] ?? '') + text
    }
  }
  assert.deepEqual(
    numbers,
    numbers.toSorted((left, right) => left - right),
  )
  return { deltas, response: JSON.parse(JSON.stringify(await events.finalResponse())) }
}

/** What an event adds to texts, under the type of deltas of these texts. */
function piecesOf(event: JsonObject): readonly (readonly [name: string, text: string])[] {
  const type = typeName(event)
  const { delta, part, item, command } = event
  if (isJsonObject(delta))
    return Object.entries(delta).map(([name, text]) => [`${type}.${name}`, wordOf(text)])
  if (delta !== undefined) return [[type, wordOf(delta)]]
  if (!type.endsWith('.added')) return []
  if (command !== undefined) return [['response.shell_call_command.delta', wordOf(command)]]
  const [name, begun] = isJsonObject(part)
    ? [typeName(part), wordOf(part['text'] ?? part['refusal'])]
    : ['function_call_arguments', isJsonObject(item) ? wordOf(item['arguments']) : '']
  return begun === '' ? [] : [[`response.${name}.delta`, begun]]
}

function wordOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}

test('ResponsesStream guards what it does not know: events that end in .delta', async () => {
  const format = responses()
  const frames = await framesIn(
    format,
    wire(
      created,
      about('new_thing.delta', 0, { delta: 'a' }),
      about('new_thing.delta', 0, { delta: 'b', other: 'whole' }),
      about('new_thing.delta', 1, { delta: { 'x.y': 'c', count: 1 } }),
      about('new_thing.done', 0, { whole: 'ab' }),
      { type: 'other.delta', delta: 'd' },
      about('apply_patch_call_operation_diff.delta', 2, { delta: '+1' }),
      completed(),
    ),
  )
  assert.deepEqual(textsByChannel(frames), {
    '0.new_thing': 'ab',
    '1.new_thing.x\\.y': 'c',
    '-.other.delta': 'd',
    '2.apply_patch_call_operation_diff': '+1',
  })
  assert.deepEqual(format.rest('1.new_thing.x\\.y', 'z').value, {
    ...about('new_thing.delta', 1, { delta: { 'x.y': 'z' } }),
    sequence_number: 7,
  })
  assert.deepEqual(format.rest('-.other.delta', 'z').value, {
    type: 'other.delta',
    delta: 'z',
    sequence_number: 7,
  })
})

test('ResponsesStream takes what items and parts are added with for the beginning of their texts', async () => {
  const patch = item(1, 'apply_patch_call', { operation: { type: 'update_file', path: 'p', diff: '+a' } })
  const frames = await framesIn(
    responses(),
    wire(
      created,
      added(0, message(0, 'in_progress', outputText('a'), REFUSAL, { type: 'new', text: 'whole' })),
      added(1, patch),
      added(2, item(2, 'reasoning', { summary: [{ type: 'summary_text', text: 'b' }], content: [1] })),
      added(3, item(3, 'shell_call', { action: { commands: ['c', 'd'] } })),
      added(4, item(4, 'new', { arguments: 'whole' })),
      completed(),
    ),
  )
  assert.deepEqual(textsByChannel(frames), {
    '0.content0.output_text': 'a',
    '0.content1.refusal': 'I cannot',
    '1.apply_patch_call_operation_diff': '+a',
    '2.summary0.reasoning_summary_text': 'b',
    '3.command0.shell_call_command': 'c',
    '3.command1.shell_call_command': 'd',
  })
})

test('ResponsesStream ends a channel with its done, with that of its part or item, and all with the response', async () => {
  const endsOf = async (...events: readonly JsonObject[]): Promise<unknown[]> =>
    (await framesIn(responses(), wire(created, ...events, completed()))).slice(1).map(({ ends }) => ends)
  const part = { content_index: 0 }
  const piece = about('output_text.delta', 0, { ...part, delta: 'a' })
  const channel = ['0.content0.output_text']
  for (const end of [
    about('output_text.done', 0, { ...part, text: 'a' }),
    about('content_part.done', 0, { ...part, part: outputText('a') }),
    done(0, message(0, 'completed', outputText('a'))),
  ]) {
    assert.deepEqual(await endsOf(piece, end), [[], channel, 'all'])
  }
  const others = [
    about('refusal.done', 0, { ...part, refusal: '' }),
    about('output_text.done', 0, { content_index: 1, text: '' }),
    about('output_text.done', 1, { ...part, text: '' }),
  ]
  assert.deepEqual(await endsOf(piece, ...others), [[], [], [], [], 'all'])
})

test('ResponsesStream says what is held in a delta of the kind of its text, under the number of the next event', async () => {
  const format = responses()
  await framesIn(format, STREAMS[1]?.[1] ?? '')
  assert.deepEqual(format.rest('0.content1.refusal', 'tail'), {
    event: 'response.refusal.delta',
    value: { ...about('refusal.delta', 0, { content_index: 1, delta: 'tail' }), sequence_number: 11 },
    texts: [{ channel: '0.content1.refusal', path: ['delta'] }],
    ends: [],
  })
  assert.deepEqual(format.rest('0.content0.output_text', 'tail').value['logprobs'], [])
})

test('ResponsesStream drops the tokens wherever they stand: they say the text once more, each alone', async () => {
  const logprobs = [{ token: 'sec', bytes: [115], logprob: -1, top_logprobs: [] }]
  const part = { ...outputText('sec'), logprobs }
  const frames = await framesIn(
    responses(),
    wire(
      created,
      about('output_text.delta', 0, { content_index: 0, delta: 'sec', logprobs }),
      about('output_text.done', 0, { content_index: 0, text: 'sec', logprobs }),
      about('content_part.done', 0, { content_index: 0, part }),
      done(0, message(0, 'completed', part)),
      completed(message(0, 'completed', part)),
    ),
  )
  assert.ok(!JSON.stringify(frames).includes('token"'))
  const last = frames.at(-1)?.value['response']
  assert.ok(isJsonObject(last))
  assert.deepEqual(last['output'], [message(0, 'completed', outputText('sec'))])
})

test('ResponsesStream tells usage once it is known', async () => {
  const format = responses()
  assert.deepEqual(format.usage, {})
  await framesIn(format, wire(created, completed()))
  assert.deepEqual(format.usage, { tokens_in: 12, tokens_out: 5 })
})

type Bad = readonly [why: string, wire: string, code: FaultCode, reason: string]
const text = (members: JsonObject): string =>
  wire(created, event('output_text.delta', { delta: 'a', ...members }))
const failed: JsonValue = { ...RESPONSE, error: { code: 'server_error', message: 'secret' } }
const BAD: readonly Bad[] = [
  ['not JSON', 'data: {\n\n', 'upstream.invalid', 'event_unreadable'],
  ['the end of another format', wire(created, 'data: [DONE]\n\n'), 'upstream.invalid', 'event_unreadable'],
  ['no type', wire('data: {}\n\n'), 'upstream.invalid', 'event_type'],
  [
    'a response that has output',
    wire(event('created', { response: { ...RESPONSE, output: [message(0, 'in_progress')] } })),
    'upstream.invalid',
    'text_too_early',
  ],
  ['an id without an index', text({ item_id: 'item_0' }), 'upstream.invalid', 'index'],
  ['an item too many', text({ output_index: LIMITS.streamBlocks }), 'upstream.invalid', 'index'],
  ['a part too many', text({ output_index: 0, content_index: 9_999 }), 'upstream.invalid', 'index'],
  ['an index that is a text', text({ output_index: '0' }), 'upstream.invalid', 'index'],
  ['a number for a text', text({ output_index: 0, delta: 4111 }), 'upstream.invalid', 'delta'],
  [
    'a text behind the end of it',
    wire(created, ...spoken(0, 'a'), about('output_text.delta', 0, { content_index: 0, delta: 'b' })),
    'upstream.invalid',
    'text_after_end',
  ],
  [
    'another text behind the end of its item',
    wire(created, ...spoken(0, 'a'), about('refusal.delta', 0, { content_index: 5, delta: 'b' })),
    'upstream.invalid',
    'text_after_end',
  ],
  [
    'too many texts',
    wire(
      created,
      ...Array.from({ length: 5 }, (_, index) =>
        about('new.delta', index, {
          delta: Object.fromEntries(Array.from({ length: LIMITS.streamBlocks }, (_, at) => [`m${at}`, 'x'])),
        }),
      ),
    ),
    'upstream.invalid',
    'channels',
  ],
  [
    'an error',
    wire(created, { type: 'error', code: 'server_error', message: 'secret', param: null }),
    'upstream.failed',
    'error_event',
  ],
  [
    'an error inside',
    wire({ type: 'error', error: { message: 'secret' } }),
    'upstream.failed',
    'error_event',
  ],
  [
    'a failed response',
    wire(created, event('failed', { response: failed })),
    'upstream.failed',
    'error_event',
  ],
  ['a failed response that is none', wire(created, event('failed', {})), 'upstream.failed', 'error_event'],
  ['no end', wire(created, ...spoken(0, 'a')), 'upstream.failed', 'cut'],
]

for (const [why, upstream, code, reason] of BAD) {
  test(`ResponsesStream refuses with ${code}, ${reason}, and keeps no text: ${why}`, async () => {
    await assert.rejects(framesIn(responses(), upstream), (thrown) => {
      assert.ok(thrown instanceof Fault)
      assert.deepEqual([thrown.code, thrown.detail['reason']], [code, reason])
      assert.ok(!JSON.stringify([thrown.message, thrown.detail]).includes('secret'))
      return true
    })
  })
}

test('ResponsesStream refuses as OpenAI does: the real client has a failed response, with code and entry', async () => {
  const fault = new Fault('content.blocked', { findings: ['secret'] })
  const format = responses()
  const upstream = wire(created, ...spoken(0, 'a').slice(0, 3))
  await assert.rejects(framesIn(format, upstream))
  const [event] = format.refuse({ fault, id: 'entry00000000001' })
  assert.equal(event?.event, 'response.failed')
  const stream = upstream + wireOf([event.data as JsonObject], typeName)
  assert.ok(!stream.includes('secret'))
  const response = await clientOf(stream).responses.stream({ model: 'm', input: 'x' }).finalResponse()
  assert.equal(response.id, 'resp_1')
  assert.equal(response.status, 'failed')
  const error = response.error as unknown as { code: string; gatehouse: { entry: string } }
  assert.equal(error.code, 'content.blocked')
  assert.equal(error.gatehouse.entry, 'entry00000000001')
  assert.deepEqual(response.output, [])
  assert.equal((event.data as JsonObject)['sequence_number'], 4)
  assert.equal(format.end, '')
})

for (const id of ['sk secret', 'resp_AKIAIOSFODNN7EXAMPLE', 'resp_'])
  test(`ResponsesStream repeats no odd id in a refusal: ${id}`, async () => {
    const format = responses()
    const odd = event('created', { response: { ...RESPONSE, id } })
    await assert.rejects(framesIn(format, wire(odd)))
    const [told] = format.refuse({ fault: new Fault('upstream.failed'), id: 'entry00000000001' })
    assert.match(JSON.stringify(told?.data), /"id":"resp_entry00000000001"/)
  })
