import type { JsonObject, JsonValue } from '../../src/base/json.ts'

/** What a model says, before it has a form. Texts that are not there are not said. */
export interface Script {
  readonly text?: string
  readonly reasoning?: string
  readonly refusal?: string
  /** The arguments of one called tool, as the JSON text that clients parse. */
  readonly toolArguments?: string
  /** Characters of each piece; pairs of surrogates stay together. */
  readonly pieceLength?: number
}

export type SpokenApi = 'chat' | 'messages' | 'responses'

/** One event: its name, if the API has names, and its data. */
export type SpokenEvent = readonly [name: string | undefined, data: JsonValue]

export const TOKENS_IN = 11
export const TOKENS_OUT = 7
export const TOOL = 'run'

/** A script as the events of an API, as its own servers send them. */
export function eventsOf(api: SpokenApi, script: Script): readonly SpokenEvent[] {
  if (api === 'chat') return chatEvents(script)
  return (api === 'messages' ? messageEvents(script) : responseEvents(script)).map((event) => [
    textOf(event['type']),
    event,
  ])
}

/** A script as the whole answer of an API. */
export function wholeOf(api: SpokenApi, script: Script): JsonObject {
  if (api === 'responses') return response('completed', responseItems(script))
  if (api === 'messages') return { ...messageHead(), content: blocks(script), ...messageEnd(script) }
  return {
    ...chatHead('chat.completion'),
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: script.text ?? null,
          refusal: script.refusal ?? null,
          ...(script.reasoning === undefined ? {} : { reasoning_content: script.reasoning }),
          ...(script.toolArguments === undefined ? {} : { tool_calls: [chatCall(script.toolArguments)] }),
        },
        logprobs: null,
        finish_reason: chatEnd(script),
      },
    ],
    usage: CHAT_USAGE,
  }
}

/** How an API tells of an error in mid-stream. */
export function errorEvent(api: SpokenApi, message: string): SpokenEvent {
  if (api === 'messages') return ['error', { type: 'error', error: { type: 'overloaded_error', message } }]
  if (api === 'responses')
    return ['error', { type: 'error', code: 'server_error', message, param: null, sequence_number: 99 }]
  return [undefined, { error: { type: 'server_error', code: null, param: null, message } }]
}

function piecesOf(text: string, { pieceLength = 7 }: Script): readonly string[] {
  const characters = Array.from(text)
  return Array.from({ length: Math.ceil(characters.length / pieceLength) }, (_, at) =>
    characters.slice(at * pieceLength, (at + 1) * pieceLength).join(''),
  )
}

const CHAT_USAGE = {
  prompt_tokens: TOKENS_IN,
  completion_tokens: TOKENS_OUT,
  total_tokens: TOKENS_IN + TOKENS_OUT,
}

function chatHead(object: string): JsonObject {
  return { id: 'chatcmpl-fake', object, created: 1_700_000_000, model: 'upstream' }
}

function chatCall(text: string): JsonObject {
  return { index: 0, id: 'call_1', type: 'function', function: { name: TOOL, arguments: text } }
}

function chatEnd({ toolArguments }: Script): string {
  return toolArguments === undefined ? 'stop' : 'tool_calls'
}

function chatEvents(script: Script): readonly SpokenEvent[] {
  const { text = '', reasoning = '', refusal = '', toolArguments } = script
  const chunk = (delta: JsonObject, end: string | null = null): SpokenEvent => [
    undefined,
    {
      ...chatHead('chat.completion.chunk'),
      choices: [{ index: 0, delta, logprobs: null, finish_reason: end }],
    },
  ]
  const call = (pieces: readonly string[]): readonly SpokenEvent[] => [
    chunk({ tool_calls: [chatCall('')] }),
    ...pieces.map((piece) => chunk({ tool_calls: [{ index: 0, function: { arguments: piece } }] })),
  ]
  return [
    chunk({ role: 'assistant', content: '' }),
    ...piecesOf(reasoning, script).map((piece) => chunk({ reasoning_content: piece })),
    ...piecesOf(text, script).map((piece) => chunk({ content: piece })),
    ...piecesOf(refusal, script).map((piece) => chunk({ refusal: piece })),
    ...(toolArguments === undefined ? [] : call(piecesOf(toolArguments, script))),
    chunk({}, chatEnd(script)),
    [undefined, { ...chatHead('chat.completion.chunk'), choices: [], usage: CHAT_USAGE }],
    [undefined, '[DONE]'],
  ]
}

function messageHead(): JsonObject {
  return { id: 'msg_fake', type: 'message', role: 'assistant', model: 'upstream' }
}

function messageEnd({ toolArguments }: Script): JsonObject {
  return {
    stop_reason: toolArguments === undefined ? 'end_turn' : 'tool_use',
    stop_sequence: null,
    usage: { input_tokens: TOKENS_IN, output_tokens: TOKENS_OUT },
  }
}

function blocks({ text, reasoning, toolArguments }: Script): readonly JsonObject[] {
  return [
    ...(reasoning === undefined ? [] : [{ type: 'thinking', thinking: reasoning, signature: 'c2lnbmVk' }]),
    ...(text === undefined ? [] : [{ type: 'text', text, citations: null }]),
    ...(toolArguments === undefined
      ? []
      : [{ type: 'tool_use', id: 'toolu_1', name: TOOL, input: JSON.parse(toolArguments) as JsonValue }]),
  ]
}

function messageEvents(script: Script): readonly JsonObject[] {
  const { text, reasoning, toolArguments } = script
  const events: JsonObject[] = []
  const block = (start: JsonObject, deltas: readonly JsonObject[]): void => {
    const index = events.filter(({ type }) => type === 'content_block_start').length
    events.push(
      { type: 'content_block_start', index, content_block: start },
      ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    )
  }
  if (reasoning !== undefined)
    block({ type: 'thinking', thinking: '', signature: '' }, [
      ...piecesOf(reasoning, script).map((thinking) => ({ type: 'thinking_delta', thinking })),
      { type: 'signature_delta', signature: 'c2lnbmVk' },
    ])
  if (text !== undefined)
    block(
      { type: 'text', text: '' },
      piecesOf(text, script).map((piece) => ({ type: 'text_delta', text: piece })),
    )
  if (toolArguments !== undefined)
    block({ type: 'tool_use', id: 'toolu_1', name: TOOL, input: {} }, [
      { type: 'input_json_delta', partial_json: '' },
      ...piecesOf(toolArguments, script).map((piece) => ({ type: 'input_json_delta', partial_json: piece })),
    ])
  const { usage, ...end } = messageEnd(script)
  const begun = { content: [], stop_reason: null, stop_sequence: null }
  const message = { ...messageHead(), ...begun, usage: { input_tokens: TOKENS_IN, output_tokens: 1 } }
  return [
    { type: 'message_start', message },
    { type: 'ping' },
    ...events,
    { type: 'message_delta', delta: end, usage: usage ?? null },
    { type: 'message_stop' },
  ]
}

function response(status: string, output: readonly JsonObject[]): JsonObject {
  const isDone = status === 'completed'
  return {
    id: 'resp_fake',
    object: 'response',
    created_at: 1_700_000_000,
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model: 'upstream',
    output,
    parallel_tool_calls: true,
    temperature: null,
    tool_choice: 'auto',
    tools: [],
    top_p: null,
    usage: isDone
      ? {
          input_tokens: TOKENS_IN,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: TOKENS_OUT,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: TOKENS_IN + TOKENS_OUT,
        }
      : null,
  }
}

function messageParts({ text, refusal }: Script): readonly JsonObject[] {
  return [
    ...(text === undefined ? [] : [{ type: 'output_text', text, annotations: [], logprobs: [] }]),
    ...(refusal === undefined ? [] : [{ type: 'refusal', refusal }]),
  ]
}

function responseItems(script: Script): readonly JsonObject[] {
  const { reasoning, toolArguments } = script
  const parts = messageParts(script)
  const status = 'completed'
  return [
    ...(reasoning === undefined
      ? []
      : [{ id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: reasoning }] }]),
    ...(parts.length === 0
      ? []
      : [{ id: 'msg_1', type: 'message', role: 'assistant', status, content: parts }]),
    ...(toolArguments === undefined
      ? []
      : [
          {
            id: 'fc_1',
            type: 'function_call',
            call_id: 'call_1',
            name: TOOL,
            arguments: toolArguments,
            status,
          },
        ]),
  ]
}

function responseEvents(script: Script): readonly JsonObject[] {
  const events: JsonObject[] = []
  const say = (name: string, members: JsonObject): void =>
    void events.push({ type: `response.${name}`, sequence_number: events.length, ...members })
  say('created', { response: response('in_progress', []) })
  say('in_progress', { response: response('in_progress', []) })
  const items = responseItems(script)
  for (const [at, item] of items.entries()) sayItem({ at, item, script, say })
  say('completed', { response: response('completed', items) })
  return events
}

interface Item {
  readonly at: number
  readonly item: JsonObject
  readonly script: Script
  readonly say: (name: string, members: JsonObject) => void
}

const EMPTY: Readonly<Record<string, JsonObject>> = {
  reasoning: { summary: [] },
  message: { content: [], status: 'in_progress' },
  function_call: { arguments: '', status: 'in_progress' },
}

function sayItem({ at, item, script, say }: Item): void {
  const { id = null, type } = item
  const place = { item_id: id, output_index: at }
  say('output_item.added', { output_index: at, item: { ...item, ...EMPTY[textOf(type)] } })
  if (type === 'function_call') {
    for (const delta of piecesOf(script.toolArguments ?? '', script))
      say('function_call_arguments.delta', { ...place, delta })
    say('function_call_arguments.done', { ...place, name: TOOL, arguments: script.toolArguments ?? '' })
  } else {
    const list = (type === 'reasoning' ? item['summary'] : item['content']) as readonly JsonObject[]
    for (const [inner, part] of list.entries()) sayPart({ place, inner, part, script, say })
  }
  say('output_item.done', { output_index: at, item })
}

interface Part extends Pick<Item, 'script' | 'say'> {
  readonly place: JsonObject
  readonly inner: number
  readonly part: JsonObject
}

function sayPart({ place, inner, part, script, say }: Part): void {
  const type = textOf(part['type'])
  const isSummary = type === 'summary_text'
  const member = type === 'refusal' ? 'refusal' : 'text'
  const text = textOf(part[member])
  const around = isSummary ? 'reasoning_summary_part' : 'content_part'
  const name = isSummary ? 'reasoning_summary_text' : type
  const where = { ...place, [isSummary ? 'summary_index' : 'content_index']: inner }
  const more: JsonObject = type === 'output_text' ? { logprobs: [] } : {}
  say(`${around}.added`, { ...where, part: { ...part, [member]: '' } })
  for (const delta of piecesOf(text, script)) say(`${name}.delta`, { ...where, delta, ...more })
  say(`${name}.done`, { ...where, [member]: text, ...more })
  say(`${around}.done`, { ...where, part })
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
