import { deepFreeze, isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { writeEvent, type ServerSentEvent } from '#base/sse.ts'
import type { ChannelText, StreamFrame, StreamRefusal, WireEvent } from '#door/stream_frame.ts'
import { cacheUsageOf } from '../token_counts.ts'
import { onlyText, pathOfOnly, textsOf, type Path } from './chat_delta.ts'
import { withOwnPadding } from './padding.ts'
import { errorType, refusalError } from './refusal_error.ts'
import { StreamChannels } from './stream_channels.ts'
import type { StreamFormat, TokenUsage } from './stream_format.ts'
import { countOf, malformed, neededIndexOf, readObject, toldError } from './upstream_event.ts'

export interface ChatStreamSettings {
  /** The public name of the model. */
  readonly model: string
  /** Whether the caller asked for the usage of tokens; see `askForUsage`. */
  readonly isUsageAsked: boolean
}

/**
 * The chunks of OpenAI's chat completions, and of the many servers that send them.
 *
 * A channel is `<choice>.<path in the delta>`, as in `0.content` or `0.tool_calls.1.function.arguments`, and ends with the
 * `finish_reason` of its choice. Names of called functions are said whole: one in pieces is `upstream.invalid`. The stream
 * ends with `[DONE]`; one without is cut.
 */
export class ChatStream implements StreamFormat {
  readonly end = writeEvent(undefined, DONE)
  readonly #settings: ChatStreamSettings
  readonly #channels = new StreamChannels<Place>()
  /** Names of called functions, by the names of their places. */
  readonly #calls = new Map<string, string>()
  /** What is the same in all chunks. */
  #head: JsonObject = { object: 'chat.completion.chunk' }
  #usage: TokenUsage = {}
  #isEnded = false

  constructor(settings: ChatStreamSettings) {
    this.#settings = settings
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  get usage(): TokenUsage {
    return this.#usage
  }

  read(event: ServerSentEvent): readonly StreamFrame[] {
    if (event.data === DONE) return this.#done()
    const chunk = readObject(event)
    const { choices, error } = chunk
    if (event.event === 'error' || isError(error)) throw toldError(error ?? chunk)
    if (!isChoices(choices)) throw malformed('choices')
    const isOurs = this.#readUsage(chunk['usage']) && choices.length === 0 && !this.#settings.isUsageAsked
    return isOurs ? [] : [this.#frame(chunk, choices)]
  }

  rest(channel: string, text: string): StreamFrame {
    const { index, delta, path } = this.#channels.place(channel)
    const choice = { index, delta: onlyText(delta, path, text), finish_reason: null }
    return {
      event: undefined,
      value: this.#chunk([choice]),
      texts: [{ channel, path: ['choices', 0, 'delta', ...pathOfOnly(path)] }],
      ends: [],
    }
  }

  refuse(refusal: StreamRefusal): readonly WireEvent[] {
    const { code, message, status, gatehouse } = refusalError(refusal)
    const error = { message, type: errorType(status, 'server_error'), param: null, code, gatehouse }
    return [{ event: undefined, data: { error } }]
  }

  #frame(chunk: JsonObject, choices: readonly JsonObject[]): StreamFrame {
    this.#head = headOf(chunk, this.#head)
    const texts: ChannelText[] = []
    const ends: string[] = []
    const clean = choices.map((choice, at) => {
      const index = neededIndexOf(choice, 'index', LIMITS.streamChoices)
      const delta = choice['delta'] ?? {}
      if (!isJsonObject(delta)) throw malformed('delta')
      texts.push(...this.#takeTexts(index, delta, ['choices', at, 'delta']))
      if (isWord(choice['finish_reason'])) ends.push(...this.#channels.end(String(index)))
      return withoutTokens(choice)
    })
    // All that is inside was frozen by whoever read it.
    const value = Object.freeze({
      ...this.#withoutNoUsage(withOwnPadding(chunk)),
      model: this.#settings.model,
      choices: Object.freeze(clean),
    })
    return { event: undefined, value, texts, ends }
  }

  #takeTexts(index: number, delta: JsonObject, before: Path): readonly ChannelText[] {
    const texts: ChannelText[] = []
    for (const { name, path, text, kind } of textsOf(delta)) {
      const channel = `${index}.${name}`
      if (kind === 'whole') this.#checkName(channel, text)
      else if (this.#channels.take(channel, text, () => ({ index, delta, path })))
        texts.push({ channel, path: [...before, ...path] })
    }
    return texts
  }

  /** Said again it must be the same; anything else some clients would put behind the first. */
  #checkName(place: string, name: string): void {
    if (name === '') return
    const known = this.#calls.get(place)
    if (known !== undefined && known !== name) throw malformed('name_in_pieces')
    if (known === undefined && this.#calls.size >= LIMITS.streamChannels) throw malformed('channels')
    this.#calls.set(place, name)
  }

  #readUsage(usage: JsonValue | undefined): boolean {
    if (!isJsonObject(usage)) return false
    const [tokensIn, tokensOut] = [countOf(usage, 'prompt_tokens'), countOf(usage, 'completion_tokens')]
    if (tokensIn !== undefined && tokensOut !== undefined)
      this.#usage = {
        tokens_in: tokensIn,
        tokens_out: tokensOut,
        ...cacheUsageOf(usage['prompt_tokens_details']),
      }
    return true
  }

  /** With usage asked for, each chunk says that it has none; a caller that did not ask does not expect the member. */
  #withoutNoUsage(chunk: JsonObject): JsonObject {
    if (this.#settings.isUsageAsked || chunk['usage'] !== null) return chunk
    const { usage: _none, ...others } = chunk
    return others
  }

  #done(): readonly StreamFrame[] {
    this.#isEnded = true
    if (!this.#channels.isAnyOpen) return []
    return [{ event: undefined, value: this.#chunk([]), texts: [], ends: 'all' }]
  }

  #chunk(choices: readonly JsonObject[]): JsonObject {
    return deepFreeze({ ...this.#head, model: this.#settings.model, choices })
  }
}

/**
 * A streamed request that has the usage of tokens told at the end, for our own record. The chunk that tells it goes to the
 * caller only if the caller asked for it.
 */
export function askForUsage(request: JsonObject): {
  readonly request: JsonObject
  readonly isUsageAsked: boolean
} {
  const { stream_options: options } = request
  const asked = isJsonObject(options) ? options : {}
  if (asked['include_usage'] === true) return { request, isUsageAsked: true }
  return {
    request: deepFreeze({ ...request, stream_options: { ...asked, include_usage: true } }),
    isUsageAsked: false,
  }
}

const DONE = '[DONE]'

/**
 * Members of a choice that say the text once more, token by token: each would be looked at alone, and so the text would leave
 * by their side. They are dropped.
 */
const TOKENS = ['logprobs', 'prompt_logprobs', 'prompt_token_ids', 'token_ids'] as const

/** Where the text of a channel was first seen. */
interface Place {
  readonly index: number
  readonly delta: JsonObject
  readonly path: Path
}

function isChoices(value: JsonValue | undefined): value is readonly JsonObject[] {
  return value !== undefined && isJsonArray(value) && value.every(isJsonObject)
}

function isError(value: JsonValue | undefined): boolean {
  return value !== undefined && value !== null && value !== false
}

function isWord(value: JsonValue | undefined): boolean {
  return typeof value === 'string' && value !== ''
}

function headOf({ id, object, created }: JsonObject, known: JsonObject): JsonObject {
  if (id === known['id'] && object === known['object'] && created === known['created']) return known
  return {
    ...known,
    ...(isWord(id) && id !== undefined ? { id } : {}),
    ...(isWord(object) && object !== undefined ? { object } : {}),
    ...(typeof created === 'number' ? { created } : {}),
  }
}

function withoutTokens(choice: JsonObject): JsonObject {
  if (!TOKENS.some((name) => isSpoken(choice, name))) return choice
  const spoken = TOKENS.filter((name) => isSpoken(choice, name))
  return Object.freeze({ ...choice, ...Object.fromEntries(spoken.map((name) => [name, null])) })
}

function isSpoken(choice: JsonObject, name: string): boolean {
  return (choice[name] ?? null) !== null
}
