import assert from 'node:assert/strict'
import type { JsonObject } from '../../src/base/json.ts'
import { writeEvent } from '../../src/base/sse.ts'
import { DETECTORS } from '../../src/door/detectors/all.ts'
import { HoldBack } from '../../src/door/hold_back.ts'
import { IslandDetectors } from '../../src/door/island_search.ts'
import { Inspector } from '../../src/door/inspector.ts'
import { GuardedStream } from '../../src/door/stream.ts'
import { ChatStream } from '../../src/rooms/models/formats/chat_stream.ts'
import { MessagesStream } from '../../src/rooms/models/formats/messages_stream.ts'
import { ResponsesStream } from '../../src/rooms/models/formats/responses_stream.ts'
import { streamedAnswer, type StreamFormat } from '../../src/rooms/models/formats/stream_format.ts'

/** What an upstream sends: name and data of each event. */
export type Sent = readonly [name: string | undefined, data: JsonObject | string]

/** A channel of a format: how texts of many places are sent in pieces, and what a client puts together at each. */
export interface Channel {
  readonly format: () => StreamFormat
  /** Places in one stream. */
  readonly places: number
  /** What comes before, around and behind the pieces of each place. */
  readonly begin: (count: number) => readonly Sent[]
  readonly piece: (place: number, text: string) => Sent
  readonly end: (texts: readonly string[]) => readonly Sent[]
  /** Place and piece of an event that the client got. */
  readonly heard: (event: JsonObject) => readonly (readonly [place: number, piece: string])[]
  /** Texts that the client gets whole, in the place of those that it put together. */
  readonly whole: (event: JsonObject) => readonly string[]
}

const INSPECTOR = new Inspector({
  detectors: DETECTORS,
  actions: { request: () => 'pass', response: () => 'redact' },
  encoded: 'redact',
})

const ISLANDS = new IslandDetectors(DETECTORS)

/** Runs a stream through the door and gives the events that the client reads. */
export async function through(
  format: StreamFormat,
  pieces: Iterable<Uint8Array>,
): Promise<readonly JsonObject[]> {
  const stream = new GuardedStream({
    id: 'entry00000000001',
    answer: streamedAnswer(format, { pieces: comingIn(pieces), cancel: () => undefined }, {}),
    newGuard: () => INSPECTOR.guard(),
    inspectRest: (value) => INSPECTOR.inspect('response', 'all', value),
    recheck: () => undefined,
    settle: async ({ fault }) => {
      assert.equal(fault, undefined, JSON.stringify(fault?.detail))
      return Promise.resolve(undefined)
    },
  })
  const events: JsonObject[] = []
  for await (const chunk of stream.chunks())
    for (const [, data] of chunk.matchAll(/^data: (\{.*)$/gm))
      events.push(JSON.parse(data ?? '') as JsonObject)
  return events
}

export function wireOf(events: readonly Sent[]): string {
  return events
    .map(([name, data]) => writeEvent(name, typeof data === 'string' ? data : JSON.stringify(data)))
    .join('')
}

async function* comingIn(pieces: Iterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  await Promise.resolve()
  yield* pieces
}

type Json = Record<string, unknown>

function chunk(index: number, delta: JsonObject, end: string | null = null): Sent {
  const choices = [{ index, delta, finish_reason: end }]
  return [undefined, { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices }]
}

function chatChannel(member: 'content' | 'reasoning_content' | 'reasoning' | 'refusal'): Channel {
  return {
    format: () => new ChatStream({ model: 'm', isUsageAsked: true }),
    places: 16,
    begin: (count) =>
      Array.from({ length: count }, (_, place) => chunk(place, { role: 'assistant', content: '' })),
    piece: (place, text) => chunk(place, { [member]: text }),
    end: (texts) => [...texts.map((_, place) => chunk(place, {}, 'stop')), [undefined, '[DONE]']],
    heard: ({ choices }) =>
      (choices as Json[]).map(({ index, delta }) => [Number(index), textOf((delta as Json)[member])]),
    whole: () => [],
  }
}

const CHAT_CALLS: Channel = {
  format: () => new ChatStream({ model: 'm', isUsageAsked: true }),
  places: 120,
  begin: (count) =>
    Array.from({ length: count }, (_, index) =>
      chunk(0, {
        tool_calls: [
          { index, id: `call_${index}`, type: 'function', function: { name: 'run', arguments: '' } },
        ],
      }),
    ),
  piece: (index, text) => chunk(0, { tool_calls: [{ index, function: { arguments: text } }] }),
  end: () => [chunk(0, {}, 'tool_calls'), [undefined, '[DONE]']],
  heard: ({ choices }) =>
    (choices as Json[]).flatMap(({ delta }) =>
      (((delta as Json)['tool_calls'] ?? []) as Json[]).map(
        ({ index, function: called }) => [Number(index), String((called as Json)['arguments'])] as const,
      ),
    ),
  whole: () => [],
}

function typed(data: JsonObject & { readonly type: string }): Sent {
  return [data.type, data]
}

const BLOCKS = {
  text: ['text_delta', { type: 'text', text: '' }],
  thinking: ['thinking_delta', { type: 'thinking', thinking: '', signature: '' }],
  partial_json: ['input_json_delta', { type: 'tool_use', id: 't', name: 'run', input: {} }],
} as const

function messagesChannel(member: keyof typeof BLOCKS): Channel {
  const [type, block] = BLOCKS[member]
  const usage = { input_tokens: 1, output_tokens: 1 }
  const message = { id: 'm', type: 'message', role: 'assistant', model: 'm', content: [], usage }
  return {
    format: () => new MessagesStream('m'),
    places: 200,
    begin: (count) => [
      typed({ type: 'message_start', message }),
      ...Array.from({ length: count }, (_, index) =>
        typed({ type: 'content_block_start', index, content_block: block }),
      ),
    ],
    piece: (index, text) => typed({ type: 'content_block_delta', index, delta: { type, [member]: text } }),
    end: (texts) => [
      ...texts.map((_, index) => typed({ type: 'content_block_stop', index })),
      typed({ type: 'message_stop' }),
    ],
    heard: ({ index, delta }) =>
      delta === undefined ? [] : [[Number(index), String((delta as Json)[member])]],
    whole: () => [],
  }
}

const PARTS = {
  output_text: ['content', 'text', 'content_part'],
  refusal: ['content', 'refusal', 'content_part'],
  reasoning_text: ['content', 'text', 'content_part'],
  reasoning_summary_text: ['summary', 'text', 'reasoning_summary_part'],
  function_call_arguments: [undefined, 'arguments', undefined],
} as const

function responsesChannel(name: keyof typeof PARTS): Channel {
  const [list, member, around] = PARTS[name]
  const response = { id: 'resp_1', object: 'response', created_at: 1, model: 'm', output: [] }
  const at = (place: number): JsonObject => ({
    item_id: `i_${place}`,
    output_index: place,
    ...(list === undefined ? {} : { [`${list}_index`]: 0 }),
  })
  const partType = name === 'reasoning_summary_text' ? 'summary_text' : name
  const itemType = name.startsWith('reasoning')
    ? 'reasoning'
    : list === undefined
      ? 'function_call'
      : 'message'
  const item = (place: number, text: string): JsonObject => ({
    id: `i_${place}`,
    type: itemType,
    ...(list === undefined
      ? { name: 'run', arguments: text }
      : { [list]: text === '' ? [] : [{ type: partType, [member]: text }] }),
  })
  return {
    format: () => new ResponsesStream('m'),
    places: 200,
    begin: (count) => [
      typed({ type: 'response.created', response }),
      ...Array.from({ length: count }, (_, place) => [
        typed({ type: 'response.output_item.added', output_index: place, item: item(place, '') }),
        ...(around === undefined
          ? []
          : [
              typed({
                type: `response.${around}.added`,
                ...at(place),
                part: { type: partType, [member]: '' },
              }),
            ]),
      ]).flat(),
    ],
    piece: (place, delta) => typed({ type: `response.${name}.delta`, ...at(place), delta }),
    end: (texts) => [
      ...texts.flatMap((text, place) => [
        typed({ type: `response.${name}.done`, ...at(place), [member]: text }),
        typed({ type: 'response.output_item.done', output_index: place, item: item(place, text) }),
      ]),
      typed({
        type: 'response.completed',
        response: { ...response, output: texts.map((text, place) => item(place, text)) },
      }),
    ],
    heard: ({ type, output_index: place, delta }) =>
      type === `response.${name}.delta` ? [[Number(place), textOf(delta)]] : [],
    whole: (event) =>
      textOf(event['type']).endsWith('ed') || event['delta'] === undefined ? stringsIn(event) : [],
  }
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function stringsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : []
}

export const CHANNELS: Readonly<Record<string, Channel>> = {
  'chat: content': chatChannel('content'),
  'chat: reasoning_content': chatChannel('reasoning_content'),
  'chat: reasoning': chatChannel('reasoning'),
  'chat: refusal': chatChannel('refusal'),
  'chat: arguments of calls': CHAT_CALLS,
  'messages: text': messagesChannel('text'),
  'messages: thinking': messagesChannel('thinking'),
  'messages: partial_json': messagesChannel('partial_json'),
  'responses: output_text': responsesChannel('output_text'),
  'responses: refusal': responsesChannel('refusal'),
  'responses: reasoning_text': responsesChannel('reasoning_text'),
  'responses: reasoning_summary_text': responsesChannel('reasoning_summary_text'),
  'responses: function_call_arguments': responsesChannel('function_call_arguments'),
}

export interface Split {
  readonly text: string
  readonly pieces: readonly string[]
}

/** What an upstream sends when each text comes in its pieces, all at once. */
export function sentOf({ begin, piece, end }: Channel, splits: readonly Split[]): readonly Sent[] {
  const most = Math.max(...splits.map(({ pieces }) => pieces.length))
  const rounds = Array.from({ length: most }, (_, round) =>
    splits.flatMap(({ pieces }, place) => {
      const text = pieces[round]
      return text === undefined ? [] : [piece(place, text)]
    }),
  ).flat()
  return [...begin(splits.length), ...rounds, ...end(splits.map(({ text }) => text))].map(numbered)
}

/** As OpenAI sends them: numbers on the events of responses, and padding. */
function numbered([name, data]: Sent, at: number): Sent {
  if (typeof data === 'string') return [name, data]
  const isNumbered = textOf(data['type']).startsWith('response.')
  return [
    name,
    { ...data, ...(isNumbered ? { sequence_number: at } : {}), obfuscation: 'Zq7'.repeat(at % 5) },
  ]
}

/** Clients take a lower number for an event that they have seen already. */
function checkNumbers(events: readonly JsonObject[]): void {
  const numbers = events.map(({ sequence_number: number }) => number).filter((one) => typeof one === 'number')
  assert.deepEqual(
    numbers,
    numbers.toSorted((one, other) => one - other),
  )
}

/** What the client has of each text then, and what it is told whole. */
export async function gather(
  channel: Channel,
  splits: readonly Split[],
): Promise<{ readonly texts: readonly string[]; readonly whole: readonly string[] }> {
  const pieces = sentOf(channel, splits).map((event) => Buffer.from(wireOf([event])))
  const events = await through(channel.format(), pieces)
  checkNumbers(events)
  const texts = splits.map(() => '')
  for (const event of events) for (const [place, text] of channel.heard(event)) texts[place] += text
  return { texts, whole: events.flatMap((event) => channel.whole(event)) }
}

/** What is left of a text that comes in one piece. */
export function guardedWhole(text: string): string {
  const guard = new HoldBack({ detectors: ISLANDS, action: () => 'redact', encoded: 'redact' })
  return guard.push(text) + guard.end()
}

export function everySplit(text: string): readonly Split[] {
  return Array.from({ length: text.length - 1 }, (_, at) => ({
    text,
    pieces: [text.slice(0, at + 1), text.slice(at + 1)],
  }))
}

function isPair(text: string, at: number): boolean {
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(at - 1, at + 1))
}

interface Checks {
  readonly check: (got: string, pieces: readonly string[]) => void
  /** May stand in none of the texts that the client is told whole. */
  readonly secret: string | undefined
}

/** Sends texts in their pieces, many at once, and checks what the client has of each. */
export async function inBatches(
  channel: Channel,
  splits: readonly Split[],
  { check, secret }: Checks,
): Promise<void> {
  // JSON of servers has whole characters.
  const possible = splits.filter(({ text, pieces: [first = ''] }) => !isPair(text, first.length))
  for (let at = 0; at < possible.length; at += channel.places) {
    const batch = possible.slice(at, at + channel.places)
    const { texts, whole } = await gather(channel, batch)
    for (const [place, { pieces }] of batch.entries()) check(texts[place] ?? '', pieces)
    for (const text of whole) assert.ok(secret === undefined || !text.includes(secret), text)
  }
}
