import type { JsonObject } from '#base/json.ts'
import type { StreamedAnswer } from '#door/stream_frame.ts'
import type { Permit } from '#trust/access/authorize.ts'
import { apiUnsupported } from '../api_unsupported.ts'
import { HttpProvider, invalidAnswer, type Dialect } from '../http_provider.ts'
import { MessagesStream } from '../formats/messages_stream.ts'
import { streamedAnswer } from '../formats/stream_format.ts'
import {
  placeOf,
  type CallContext,
  type ModelApi,
  type ModelConnection,
  type ModelSettings,
  type Provider,
  type ProviderAnswer,
} from '../provider.ts'
import { countsOfMessages, usageOfCounts, type TokenCounts } from '../token_counts.ts'
import { chatToMessages } from '../translate/chat_to_messages.ts'
import { TranslatingConnection } from '../translate/translating_connection.ts'

/** Anthropic, and servers that speak its Messages. */
export const anthropic: Provider = {
  id: 'anthropic',
  why: 'Its models are reached by its own protocol, with thinking, citations and cached prompts.',
  open(settings, parts) {
    const connection = new Connection(settings, new HttpProvider(settings, DIALECT, parts))
    const { name: model } = settings
    const translation = chatToMessages({ model, clock: parts.clock, maxTokens: ANSWER_TOKENS })
    return new TranslatingConnection(connection, translation)
  },
}

/** Of an answer whose request names no length, which OpenAI's clients need not: what every model of Anthropic's can say. */
const ANSWER_TOKENS = 4_096

const DIALECT: Dialect = {
  headers: ['accept', 'application/json', 'anthropic-version', '2023-06-01'],
  keyHeader: () => ({ name: 'x-api-key', print: (key) => key }),
  // Anthropic's clients are given an address without the version, OpenAI's one with it: both are meant here.
  pathOf: (basePath, api) => `${basePath.replace(/\/v1$/, '')}/v1/${api}`,
  kinds: [
    [
      'type',
      [
        'api_error',
        'authentication_error',
        'billing_error',
        'invalid_request_error',
        'not_found_error',
        'overloaded_error',
        'permission_error',
        'rate_limit_error',
        'request_too_large',
        'timeout_error',
      ],
    ],
  ],
  field: undefined,
}

class Connection implements ModelConnection {
  readonly #settings: ModelSettings
  readonly #http: HttpProvider

  constructor(settings: ModelSettings, http: HttpProvider) {
    this.#settings = settings
    this.#http = http
  }

  async call(
    api: ModelApi,
    _permit: Permit,
    request: JsonObject,
    context: CallContext,
  ): Promise<ProviderAnswer> {
    if (api === 'messages') return this.#message(request, context)
    if (api === 'count_tokens') return this.#count(request, context)
    throw apiUnsupported(`A request of the API ${api}`)
  }

  async stream(
    api: ModelApi,
    _permit: Permit,
    request: JsonObject,
    context: CallContext,
  ): Promise<StreamedAnswer> {
    if (api !== 'messages') throw apiUnsupported(`A stream of the API ${api}`)
    const { name, model } = this.#settings
    const source = await this.#http.open('messages', { ...request, model }, context)
    return streamedAnswer(new MessagesStream(name), source, placeOf(this.#settings))
  }

  close(): Promise<void> {
    return this.#http.close()
  }

  async #message(request: JsonObject, context: CallContext): Promise<ProviderAnswer> {
    const { name, model } = this.#settings
    // The value that was authorized and inspected is what is sent; only the name of the model is the provider's.
    const answer = await this.#http.send('messages', { ...request, model }, context)
    if (answer['type'] !== 'message' || !Array.isArray(answer['content'])) throw invalidAnswer('answer_shape')
    const body: JsonObject = Object.freeze({ ...answer, model: name })
    return { status: 200, body, usage: usageOf(countsOfMessages(answer['usage'])) }
  }

  async #count(request: JsonObject, context: CallContext): Promise<ProviderAnswer> {
    const { model } = this.#settings
    const body = await this.#http.send('messages/count_tokens', { ...request, model }, context)
    if (typeof body['input_tokens'] !== 'number') throw invalidAnswer('answer_shape')
    // Counting costs no tokens.
    return { status: 200, body, usage: undefined }
  }
}

function usageOf(counts: TokenCounts | undefined): ProviderAnswer['usage'] {
  return counts && usageOfCounts(counts)
}
