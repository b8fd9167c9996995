import { utf8 } from '#base/bytes.ts'
import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { deepFreeze, type JsonObject, type JsonValue } from '#base/json.ts'
import { writeEvent } from '#base/sse.ts'
import type { StreamedAnswer } from '#door/stream_frame.ts'
import { apiUnsupported } from '../api_unsupported.ts'
import { askForUsage, ChatStream } from '../formats/chat_stream.ts'
import { MessagesStream } from '../formats/messages_stream.ts'
import { ResponsesStream } from '../formats/responses_stream.ts'
import { streamedAnswer, type StreamFormat } from '../formats/stream_format.ts'
import {
  placeOf,
  type EchoSettings,
  type ModelApi,
  type ModelSettings,
  type Provider,
  type ProviderAnswer,
} from '../provider.ts'
import { ECHO_APIS, type EchoApi, type Said } from '../echo_apis.ts'

/** Says back the last text of the user. Built in, so that a fresh door can be tried without any provider. */
export const echo: Provider = {
  id: 'echo',
  why: 'A first governed answer needs no account, no key and no network.',
  open: (settings, { clock }) => ({
    call: async (api, _permit, request, { id }) => call(settings, clock, { api, request, id }),
    stream: async (api, _permit, request, { id, onAbort }) =>
      stream(settings, clock, { api, request, id }, onAbort),
    close: async () => {},
  }),
}

const NO_TEXT = '(no text from the user)'
const PLAIN: EchoSettings = { says: 'plain', pieceCharacters: 16, pieceMs: 0 }

interface Asked {
  readonly api: ModelApi
  readonly request: JsonObject
  readonly id: string
}

function call(settings: ModelSettings, clock: Clock, asked: Asked): ProviderAnswer {
  const { api, request } = asked
  if (api === 'count_tokens') return counted(request)
  const said = sayBack(settings, clock, asked)
  const body = apiOf(api).whole(said)
  return { status: 200, body: deepFreeze(body), usage: usageOf(said) }
}

function stream(
  settings: ModelSettings,
  clock: Clock,
  asked: Asked,
  onAbort: (listener: () => void) => void,
): StreamedAnswer {
  const { pieceCharacters, pieceMs } = settings.echo ?? PLAIN
  const said = sayBack(settings, clock, asked)
  const texts = Array.from({ length: Math.ceil(said.text.length / pieceCharacters) }, (_, at) =>
    said.text.slice(at * pieceCharacters, (at + 1) * pieceCharacters),
  )
  const source = new Pieces(apiOf(asked.api).events(said, texts), pieceMs)
  onAbort(() => source.cancel())
  const pieces = { pieces: source, cancel: () => source.cancel() }
  return streamedAnswer(formatOf(settings, asked), pieces, placeOf(settings))
}

function formatOf({ name }: ModelSettings, { api, request }: Asked): StreamFormat {
  if (api === 'messages') return new MessagesStream(name)
  if (api === 'responses') return new ResponsesStream(name)
  return new ChatStream({ model: name, isUsageAsked: askForUsage(request).isUsageAsked })
}

function apiOf(api: ModelApi): EchoApi {
  if (api === 'embeddings' || api === 'count_tokens') throw apiUnsupported(`A request of the API ${api}`)
  return ECHO_APIS[api]
}

/** Throws `upstream.oversized` before it makes an answer of many times the size of the request. */
function sayBack(settings: ModelSettings, clock: Clock, { api, request, id }: Asked): Said {
  const { lastText, allTexts } = apiOf(api)
  const plain = `echo: ${lastText(request) || NO_TEXT}`
  const text = settings.echo?.says === 'base64' ? Buffer.from(plain).toString('base64') : plain
  const choices = api === 'chat' && typeof request['n'] === 'number' ? request['n'] : 1
  const said = {
    id,
    text,
    choices,
    model: settings.name,
    at: Math.floor(clock.now() / 1_000),
    tokensIn: countTokens(allTexts(request)),
    tokensOut: choices * countTokens([text]),
  }
  const frame = bytesOf(apiOf(api).whole({ ...said, text: '', choices: 1 }))
  if (choices * (frame + bytesOf(text)) > settings.maxAnswerBytes)
    throw new Fault('upstream.oversized', { reason: 'answer_bytes' })
  return said
}

function counted(request: JsonObject): ProviderAnswer {
  const tokens = countTokens(ECHO_APIS.messages.allTexts(request))
  return { status: 200, body: Object.freeze({ input_tokens: tokens }), usage: undefined }
}

function usageOf({ tokensIn, tokensOut }: Said): ProviderAnswer['usage'] {
  return { tokens_in: tokensIn, tokens_out: tokensOut }
}

function bytesOf(value: JsonValue): number {
  return Buffer.byteLength(JSON.stringify(value))
}

/** About right for English, and always the same. */
function countTokens(texts: readonly string[]): number {
  return texts.reduce((sum, text) => sum + Math.ceil(text.length / 4), 0)
}

/** The bytes of events, one event at a time, each after a pause. */
class Pieces implements AsyncIterable<Uint8Array> {
  readonly #events: Iterable<readonly [name: string | undefined, data: JsonValue]>
  readonly #pauseMs: number
  #isCancelled = false
  #wake: (() => void) | undefined

  constructor(events: Iterable<readonly [name: string | undefined, data: JsonValue]>, pauseMs: number) {
    this.#events = events
    this.#pauseMs = pauseMs
  }

  cancel(): void {
    this.#isCancelled = true
    this.#wake?.()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array, void, undefined> {
    for (const [name, data] of this.#events) {
      if (this.#pauseMs > 0) await this.#pause()
      if (this.#isCancelled) throw new Fault('input.aborted', { reason: 'cancelled' })
      yield utf8(writeEvent(name, typeof data === 'string' ? data : JSON.stringify(data)))
    }
  }

  async #pause(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, this.#pauseMs)
    this.#wake = resolve
    await promise
    clearTimeout(timer)
  }
}
