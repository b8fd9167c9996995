import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { ServerSentEvent } from '#base/sse.ts'
import type { ChannelText, StreamFrame, StreamRefusal, WireEvent } from '#door/stream_frame.ts'
import { errorType, refusalError } from './refusal_error.ts'
import { StreamChannels } from './stream_channels.ts'
import type { StreamFormat, TokenUsage } from './stream_format.ts'
import { isEmptyList, typedFrame, withText, type TextPlace } from './typed_frame.ts'
import { countOf, malformed, neededIndexOf, readObject, toldError, typeOf } from './upstream_event.ts'

/**
 * The events of Anthropic's messages.
 *
 * A channel is `<block>.<member of the delta>`, as in `0.text`, `1.thinking` or `2.partial_json`, and ends with its block.
 * What a block begins with belongs to its channel. A signature is one opaque value and is looked at whole, like a citation.
 * A `delta` of an event that we do not know is a channel of its own; all else in such an event is looked at whole.
 */
export class MessagesStream implements StreamFormat {
  readonly end = ''
  readonly #model: string
  readonly #channels = new StreamChannels<TextPlace>()
  readonly #blocks = new Set<number>()
  /** Each counter of the usage, as it was last told: they are sums over the whole message. */
  readonly #counters = new Map<string, number>()
  #isEnded = false

  /** `model` is the public name. */
  constructor(model: string) {
    this.#model = model
  }

  get isEnded(): boolean {
    return this.#isEnded
  }

  get usage(): TokenUsage {
    const counters = this.#counters
    const read = COUNTERS_IN.map((name) => counters.get(name)).filter((count) => count !== undefined)
    const said = counters.get(COUNTER_OUT)
    const cached = counters.get(COUNTER_CACHED)
    const written = counters.get(COUNTER_WRITTEN)
    return {
      ...(read.length === 0 ? {} : { tokens_in: read.reduce((sum, count) => sum + count, 0) }),
      ...(said === undefined ? {} : { tokens_out: said }),
      ...(cached === undefined ? {} : { tokens_cached: cached }),
      ...(written === undefined ? {} : { tokens_written: written }),
    }
  }

  read(event: ServerSentEvent): readonly StreamFrame[] {
    const value = readObject(event)
    const type = typeOf(value)
    switch (type) {
      case 'error':
        throw toldError(value['error'])
      case 'message_start':
        return [this.#start(value)]
      case 'content_block_start':
        return [this.#startBlock(value)]
      case 'content_block_delta':
        return [this.#delta(value)]
      case 'content_block_stop':
        return [typedFrame(value, [], this.#channels.end(String(this.#blockOf(value))))]
      case 'message_delta':
        this.#readUsage(value['usage'])
        return [typedFrame(value)]
      case 'message_stop':
        this.#isEnded = true
        return [typedFrame(value, [], 'all')]
      default:
        return [this.#unknown(type, value)]
    }
  }

  rest(channel: string, text: string): StreamFrame {
    const { value, path } = this.#channels.place(channel)
    return typedFrame(withText(value, path, text), [{ channel, path }])
  }

  refuse(refusal: StreamRefusal): readonly WireEvent[] {
    const { code, message, status, gatehouse } = refusalError(refusal)
    const error = { type: errorType(status, 'api_error'), message, code, gatehouse }
    return [{ event: 'error', data: { type: 'error', error, request_id: refusal.id } }]
  }

  #start(value: JsonObject): StreamFrame {
    const { message } = value
    if (!isJsonObject(message)) throw malformed('message')
    // What stood here would be the beginning of texts that come later.
    if (!isEmptyList(message['content'])) throw malformed('text_too_early')
    this.#readUsage(message['usage'])
    return typedFrame({ ...value, message: { ...message, model: this.#model } })
  }

  #startBlock(value: JsonObject): StreamFrame {
    const index = neededIndexOf(value, 'index', LIMITS.streamBlocks)
    const { content_block: block } = value
    if (this.#blocks.has(index)) throw malformed('index')
    if (!isJsonObject(block)) throw malformed('block')
    this.#blocks.add(index)
    const texts: ChannelText[] = []
    for (const [member, deltaType] of BEGINNINGS) {
      const text = block[member]
      if (typeof text !== 'string') continue
      const channel = `${index}.${member}`
      if (this.#channels.take(channel, text, () => placeOf(index, deltaType, member)))
        texts.push({ channel, path: ['content_block', member] })
    }
    return typedFrame(value, texts)
  }

  #delta(value: JsonObject): StreamFrame {
    const index = this.#blockOf(value)
    const { delta } = value
    if (!isJsonObject(delta)) throw malformed('delta')
    const type = typeOf(delta)
    const texts: ChannelText[] = []
    for (const [member, text] of Object.entries(delta)) {
      if (WHOLE.has(member) || text === null || typeof text === 'object') continue
      // A client would put the digits of numbers together, too.
      if (typeof text !== 'string') throw malformed('text')
      const channel = `${index}.${member}`
      if (this.#channels.take(channel, text, () => placeOf(index, type, member)))
        texts.push({ channel, path: ['delta', member] })
    }
    return typedFrame(value, texts)
  }

  #unknown(type: string, value: JsonObject): StreamFrame {
    const { delta, index } = value
    const channel = `other.${type}.${typeof index === 'number' ? index : ''}`
    const path = ['delta']
    const place = (): TextPlace => ({
      value: { type, ...(typeof index === 'number' ? { index } : {}), delta: '' },
      path,
    })
    const isGuarded = typeof delta === 'string' && this.#channels.take(channel, delta, place)
    return typedFrame(value, isGuarded ? [{ channel, path }] : [])
  }

  #blockOf(value: JsonObject): number {
    const index = neededIndexOf(value, 'index', LIMITS.streamBlocks)
    if (!this.#blocks.has(index)) throw malformed('index')
    return index
  }

  #readUsage(usage: JsonValue | undefined): void {
    for (const name of [...COUNTERS_IN, COUNTER_OUT]) {
      const count = countOf(usage, name)
      if (count !== undefined) this.#counters.set(name, count)
    }
  }
}

/** What `input_tokens` counts is only what no cache was used for. */
const COUNTER_CACHED = 'cache_read_input_tokens'
const COUNTER_WRITTEN = 'cache_creation_input_tokens'
const COUNTERS_IN = ['input_tokens', COUNTER_WRITTEN, COUNTER_CACHED]
const COUNTER_OUT = 'output_tokens'

/** Members of a block that deltas add to, with the type of these deltas. */
const BEGINNINGS = [
  ['text', 'text_delta'],
  ['thinking', 'thinking_delta'],
  ['content', 'compaction_delta'],
] as const

/** Members of a delta that come whole. */
const WHOLE: ReadonlySet<string> = new Set(['type', 'signature'])

function placeOf(index: number, type: string, member: string): TextPlace {
  return {
    value: { type: 'content_block_delta', index, delta: { type, [member]: '' } },
    path: ['delta', member],
  }
}
