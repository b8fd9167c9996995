import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'

/** What the echo says, before it has a form. */
export interface Said {
  readonly id: string
  readonly text: string
  readonly choices: number
  /** The public name. */
  readonly model: string
  /** Seconds since 1970. */
  readonly at: number
  readonly tokensIn: number
  readonly tokensOut: number
}

type Event = readonly [name: string | undefined, data: JsonValue]

/** How one API asks and answers. */
export interface EchoApi {
  /** The last text of the user; empty when there is none. */
  readonly lastText: (request: JsonObject) => string
  readonly allTexts: (request: JsonObject) => readonly string[]
  readonly whole: (said: Said) => JsonObject
  readonly events: (said: Said, texts: readonly string[]) => Iterable<Event>
}

/** Nobody should take this for a model. */
const LABEL = 'gatehouse-echo'

const chat: EchoApi = {
  lastText: (request) => lastOf(listOf(request['messages'])),
  allTexts: (request) => listOf(request['messages']).map(textOf),
  whole: (said) => ({
    id: `chatcmpl-echo-${said.id}`,
    object: 'chat.completion',
    created: said.at,
    model: said.model,
    choices: Array.from({ length: said.choices }, (_, index) => ({
      index,
      message: { role: 'assistant', content: said.text, refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    })),
    usage: chatUsage(said),
    system_fingerprint: LABEL,
  }),
  *events(said, texts) {
    const chunk = (choices: readonly JsonObject[], usage: JsonValue = null): Event => [
      undefined,
      {
        id: `chatcmpl-echo-${said.id}`,
        object: 'chat.completion.chunk',
        created: said.at,
        model: said.model,
        choices,
        usage,
        system_fingerprint: LABEL,
      },
    ]
    const each = (delta: JsonObject, end: string | null): Event[] =>
      Array.from({ length: said.choices }, (_, index) => chunk([{ index, delta, finish_reason: end }]))
    yield* each({ role: 'assistant', content: '' }, null)
    for (const content of texts) yield* each({ content }, null)
    yield* each({}, 'stop')
    yield chunk([], chatUsage(said))
    yield [undefined, '[DONE]']
  },
}

const messages: EchoApi = {
  lastText: chat.lastText,
  allTexts: (request) => [textOf({ content: request['system'] ?? '' }), ...chat.allTexts(request)],
  whole: (said) => ({
    ...messageFrame(said),
    content: [{ type: 'text', text: said.text, citations: null }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: said.tokensIn, output_tokens: said.tokensOut },
  }),
  *events(said, texts) {
    const usage = { input_tokens: said.tokensIn, output_tokens: 1 }
    const message = { ...messageFrame(said), content: [], stop_reason: null, stop_sequence: null, usage }
    yield typed({ type: 'message_start', message })
    yield typed({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } })
    for (const text of texts)
      yield typed({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })
    yield typed({ type: 'content_block_stop', index: 0 })
    yield typed({
      type: 'message_delta',
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { output_tokens: said.tokensOut },
    })
    yield typed({ type: 'message_stop' })
  },
}

const responses: EchoApi = {
  lastText: (request) => {
    const { input } = request
    return typeof input === 'string' ? input : lastOf(listOf(input))
  },
  allTexts: (request) => {
    const { input, instructions } = request
    const texts = typeof input === 'string' ? [input] : listOf(input).map(textOf)
    return typeof instructions === 'string' ? [instructions, ...texts] : texts
  },
  whole: (said) => responseOf(said, 'completed'),
  *events(said, texts) {
    const at = { item_id: `msg_echo_${said.id}`, output_index: 0 }
    const inPart = { ...at, content_index: 0 }
    let number = 0
    const next = (type: string, fields: JsonObject): Event =>
      typed({ type, sequence_number: number++, ...fields })
    yield next('response.created', { response: responseOf(said, 'in_progress') })
    yield next('response.in_progress', { response: responseOf(said, 'in_progress') })
    yield next('response.output_item.added', { output_index: 0, item: itemOf(said, 'in_progress') })
    yield next('response.content_part.added', { ...inPart, part: partOf('') })
    for (const delta of texts) yield next('response.output_text.delta', { ...inPart, delta, logprobs: [] })
    yield next('response.output_text.done', { ...inPart, text: said.text, logprobs: [] })
    yield next('response.content_part.done', { ...inPart, part: partOf(said.text) })
    yield next('response.output_item.done', { output_index: 0, item: itemOf(said, 'completed') })
    yield next('response.completed', { response: responseOf(said, 'completed') })
  },
}

/** The APIs that the echo speaks. */
export const ECHO_APIS: Readonly<Record<'chat' | 'messages' | 'responses', EchoApi>> = {
  chat,
  messages,
  responses,
}

function typed(data: JsonObject & { readonly type: string }): Event {
  return [data.type, data]
}

function chatUsage({ tokensIn, tokensOut }: Said): JsonObject {
  return { prompt_tokens: tokensIn, completion_tokens: tokensOut, total_tokens: tokensIn + tokensOut }
}

function messageFrame({ id, model }: Said): JsonObject {
  return { id: `msg_echo_${id}`, type: 'message', role: 'assistant', model }
}

type Progress = 'in_progress' | 'completed'

function responseOf(said: Said, status: Progress): JsonObject {
  const { id, at, model, tokensIn, tokensOut } = said
  const isDone = status === 'completed'
  return {
    id: `resp_echo_${id}`,
    object: 'response',
    created_at: at,
    status,
    error: null,
    incomplete_details: null,
    instructions: null,
    metadata: {},
    model,
    output: isDone ? [itemOf(said, status)] : [],
    parallel_tool_calls: true,
    temperature: null,
    tool_choice: 'auto',
    tools: [],
    top_p: null,
    usage: isDone
      ? {
          input_tokens: tokensIn,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: tokensOut,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: tokensIn + tokensOut,
        }
      : null,
  }
}

function itemOf({ id, text }: Said, status: Progress): JsonObject {
  const content = status === 'completed' ? [partOf(text)] : []
  return { id: `msg_echo_${id}`, type: 'message', role: 'assistant', status, content }
}

function partOf(text: string): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: [] }
}

function lastOf(list: readonly JsonValue[]): string {
  const message = list.findLast((one) => isJsonObject(one) && one['role'] === 'user')
  return message === undefined ? '' : textOf(message)
}

/** The texts of a message, or of an item of an input. */
function textOf(message: JsonValue): string {
  if (!isJsonObject(message)) return ''
  const content = message['content']
  if (typeof content === 'string') return content
  return listOf(content)
    .map((part) => (isJsonObject(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .filter((text) => text !== '')
    .join('\n')
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return value !== undefined && isJsonArray(value) ? value : []
}
