import { isJsonArray, isJsonObject, type JsonObject } from '#base/json.ts'
import type { ServerSentEvent } from '#base/sse.ts'
import type { StreamFrame, StreamRefusal, WireEvent } from '#door/stream_frame.ts'
import { cacheUsageOf } from '../token_counts.ts'
import { withOwnPadding } from './padding.ts'
import { refusalError } from './refusal_error.ts'
import { scopeOf, textsOf } from './responses_texts.ts'
import { StreamChannels } from './stream_channels.ts'
import type { StreamFormat, TokenUsage } from './stream_format.ts'
import { isEmptyList, typedFrame, withText, type TextPlace } from './typed_frame.ts'
import { countOf, malformed, readObject, toldError, typeOf } from './upstream_event.ts'

/**
 * The events of OpenAI's responses.
 *
 * A channel is `<item>[.<part>].<event without "response." and ".delta">`, as in `0.content0.output_text` or
 * `1.function_call_arguments`; an event that we do not know makes one as well, if it ends in `.delta`. What an item or part is
 * added with belongs to the channel. A channel ends with its `.done`, or with that of its part, item or response.
 *
 * Events that end something say its whole text again. It is looked at whole, where redaction comes to the same as on the
 * pieces, and clients put it in the place of what they have put together.
 */
export class ResponsesStream implements StreamFormat {
  readonly end = ''
  readonly #model: string
  readonly #channels = new StreamChannels<TextPlace>()
  #sequence = 0
  #response: JsonObject = {}
  #usage: TokenUsage = {}
  #isEnded = false

  /** `model` is the public name. */
  constructor(model: string) {
    this.#model = model
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  get usage(): TokenUsage {
    return this.#usage
  }

  read(event: ServerSentEvent): readonly StreamFrame[] {
    const value = withOwnPadding(readObject(event))
    const type = typeOf(value)
    if (type === 'error') throw toldError(value['error'] ?? value)
    const { sequence_number: sequence, response } = value
    if (typeof sequence === 'number') this.#sequence = sequence
    const told = isJsonObject(response) ? response : undefined
    if (type === 'response.failed') throw toldError(told?.['error'])
    return [told === undefined ? this.#frame(type, value) : this.#lifecycle(type, value, told)]
  }

  rest(channel: string, text: string): StreamFrame {
    const { value, path } = this.#channels.place(channel)
    // The number of the frame that it stands before: numbers never go down.
    const numbered = { ...withText(value, path, text), sequence_number: this.#sequence }
    return typedFrame(numbered, [{ channel, path }])
  }

  refuse(refusal: StreamRefusal): readonly WireEvent[] {
    const { code, message, gatehouse } = refusalError(refusal)
    const { id, created_at: created } = this.#response
    const response: JsonObject = {
      // Clients check that it is the response that was begun. Any text but a plain number would have to be inspected.
      id: typeof id === 'string' && ID_FORM.test(id) ? id : `resp_${refusal.id}`,
      object: 'response',
      created_at: typeof created === 'number' ? created : 0,
      status: 'failed',
      error: { code, message, gatehouse },
      model: this.#model,
      output: [],
      ...UNSAID,
    }
    const type = 'response.failed'
    return [{ event: type, data: { type, sequence_number: this.#sequence + 1, response } }]
  }

  #frame(type: string, value: JsonObject): StreamFrame {
    const texts = textsOf(value, type).filter(({ channel, text, more }) =>
      this.#channels.take(channel, text, () => more),
    )
    const scope = scopeOf(value, type)
    return typedFrame(
      withoutTokens(value),
      texts.map(({ channel, path }) => ({ channel, path })),
      scope === undefined ? [] : this.#channels.end(scope),
    )
  }

  #lifecycle(type: string, value: JsonObject, response: JsonObject): StreamFrame {
    const isEnd = ENDS.has(type)
    // What stood here would be the beginning of texts that come later.
    if (!isEnd && !isEmptyList(response['output'])) throw malformed('text_too_early')
    this.#response = response
    this.#isEnded = isEnd
    const { usage } = response
    const tokensIn = countOf(usage, 'input_tokens')
    const tokensOut = countOf(usage, 'output_tokens')
    if (isJsonObject(usage) && tokensIn !== undefined && tokensOut !== undefined) {
      const cached = cacheUsageOf(usage['input_tokens_details'])
      this.#usage = { tokens_in: tokensIn, tokens_out: tokensOut, ...cached }
    }
    const named = { ...withoutTokensOf('output', response, withoutTokensInItem), model: this.#model }
    return typedFrame({ ...value, response: named }, [], isEnd ? 'all' : [])
  }
}

/** The upstream says that the answer is complete, or as complete as it will be. */
const ENDS: ReadonlySet<string> = new Set(['response.completed', 'response.incomplete', 'response.cancelled'])

const ID_FORM = /^resp_[\da-f]{1,128}$/

/** Members that clients expect of a response, without what the upstream said there. */
const UNSAID: JsonObject = {
  incomplete_details: null,
  instructions: null,
  metadata: {},
  parallel_tool_calls: true,
  temperature: null,
  tool_choice: 'auto',
  tools: [],
  top_p: null,
  usage: null,
}

/**
 * Says the text once more, token by token: each would be looked at alone, and so the text would leave by its side. Dropped.
 */
const TOKENS = 'logprobs'

function withoutTokens(event: JsonObject): JsonObject {
  const { item, part } = event
  const clean = withoutList(event)
  if (isJsonObject(item)) return { ...clean, item: withoutTokensInItem(item) }
  return isJsonObject(part) ? { ...clean, part: withoutList(part) } : clean
}

function withoutTokensInItem(item: JsonObject): JsonObject {
  return withoutTokensOf('content', item, withoutList)
}

function withoutTokensOf(
  member: string,
  value: JsonObject,
  clean: (inner: JsonObject) => JsonObject,
): JsonObject {
  const list = value[member]
  if (list === undefined || !isJsonArray(list) || list.length === 0) return value
  return { ...value, [member]: list.map((inner) => (isJsonObject(inner) ? clean(inner) : inner)) }
}

function withoutList(value: JsonObject): JsonObject {
  return isEmptyList(value[TOKENS]) ? value : { ...value, [TOKENS]: [] }
}
