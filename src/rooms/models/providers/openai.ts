import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import type { StreamedAnswer } from '#door/stream_frame.ts'
import type { Permit } from '#trust/access/authorize.ts'
import { apiUnsupported } from '../api_unsupported.ts'
import { askForUsage, ChatStream } from '../formats/chat_stream.ts'
import { ResponsesStream } from '../formats/responses_stream.ts'
import { streamedAnswer } from '../formats/stream_format.ts'
import { HttpProvider, invalidAnswer, type Dialect } from '../http_provider.ts'
import {
  placeOf,
  type CallContext,
  type ModelApi,
  type ModelConnection,
  type ModelSettings,
  type Provider,
  type ProviderAnswer,
} from '../provider.ts'
import { cacheUsageOf } from '../token_counts.ts'
import { messagesToChat } from '../translate/messages_to_chat.ts'
import { TranslatingConnection } from '../translate/translating_connection.ts'

/** Any server that speaks OpenAI's protocols: hosted ones, vLLM, Ollama, Azure. */
export const openai: Provider = {
  id: 'openai',
  why: 'Most model servers speak this protocol.',
  open: (settings, parts) =>
    new TranslatingConnection(
      new Connection(settings, new HttpProvider(settings, DIALECT, parts)),
      messagesToChat({ model: settings.name }),
    ),
}

const DIALECT: Dialect = {
  headers: ['accept', 'application/json'],
  keyHeader: ({ auth }) =>
    auth === 'api-key'
      ? { name: 'api-key', print: (key) => key }
      : { name: 'authorization', print: (key) => `Bearer ${key}` },
  pathOf: (basePath, api) => `${basePath}/${api}`,
  kinds: [
    [
      'code',
      [
        'billing_not_active',
        'content_filter',
        'content_policy_violation',
        'context_length_exceeded',
        'insufficient_quota',
        'invalid_image_url',
        'invalid_type',
        'invalid_value',
        'missing_required_parameter',
        'model_not_found',
        'unknown_parameter',
        'unsupported_parameter',
        'unsupported_value',
      ],
    ],
  ],
  field: [
    'param',
    [
      'functions',
      'input',
      'logit_bias',
      'logprobs',
      'max_completion_tokens',
      'max_output_tokens',
      'max_tokens',
      'messages',
      'model',
      'n',
      'reasoning_effort',
      'response_format',
      'seed',
      'stop',
      'temperature',
      'tool_choice',
      'tools',
      'top_logprobs',
      'top_p',
    ],
  ],
}

/** The APIs, with their paths, the member that tells their answers, and the members of their counts of tokens. */
const APIS = {
  chat: {
    path: 'chat/completions',
    told: 'choices',
    counts: ['prompt_tokens', 'completion_tokens', 'prompt_tokens_details'],
  },
  responses: {
    path: 'responses',
    told: 'output',
    counts: ['input_tokens', 'output_tokens', 'input_tokens_details'],
  },
  embeddings: { path: 'embeddings', told: 'data', counts: ['prompt_tokens', undefined, 'none'] },
} as const

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
    if (api === 'messages' || api === 'count_tokens') throw apiUnsupported(`A request of the API ${api}`)
    const { path, told, counts } = APIS[api]
    const answer = await this.#http.send(path, this.#named(request), context)
    const list = answer[told]
    if (list === undefined || !isJsonArray(list)) throw invalidAnswer('answer_shape')
    const body: JsonObject = Object.freeze({ ...answer, model: this.#settings.name })
    return { status: 200, body, usage: usageOf(answer['usage'], counts) }
  }

  async stream(
    api: ModelApi,
    _permit: Permit,
    request: JsonObject,
    context: CallContext,
  ): Promise<StreamedAnswer> {
    const { name } = this.#settings
    const facts = placeOf(this.#settings)
    if (api === 'responses') {
      const source = await this.#http.open(APIS.responses.path, this.#named(request), context)
      return streamedAnswer(new ResponsesStream(name), source, facts)
    }
    if (api !== 'chat') throw apiUnsupported(`A stream of ${api}`)
    const asked = askForUsage(request)
    const source = await this.#http.open(APIS.chat.path, this.#named(asked.request), context)
    return streamedAnswer(new ChatStream({ model: name, isUsageAsked: asked.isUsageAsked }), source, facts)
  }

  close(): Promise<void> {
    return this.#http.close()
  }

  /** The value that was authorized and inspected is what is sent; only the name of the model is the provider's. */
  #named(request: JsonObject): JsonObject {
    return { ...request, model: this.#settings.model }
  }
}

type Counts = readonly [tokensIn: string, tokensOut: string | undefined, details: string]

function usageOf(usage: JsonValue | undefined, [inName, outName, details]: Counts): ProviderAnswer['usage'] {
  if (!isJsonObject(usage)) return undefined
  const tokensIn = usage[inName]
  const tokensOut = outName === undefined ? 0 : usage[outName]
  if (!isCount(tokensIn) || !isCount(tokensOut)) return undefined
  return { tokens_in: tokensIn, tokens_out: tokensOut, ...cacheUsageOf(usage[details]) }
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
