import { Fault, type FaultDetail } from '#base/fault.ts'
import { readForeignJson } from '#base/foreign_json.ts'
import { openUpstream, type UpstreamAnswer } from '#base/http_client.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { SecretEcho } from '#base/secret_echo.ts'
import type { ModelSettings, Provider, ProviderAnswer, ProviderParts } from '../provider.ts'

/** Any server that speaks OpenAI's chat completions: hosted ones, vLLM, Ollama, Azure. */
export const openai: Provider = {
  id: 'openai',
  why: 'Most model servers speak this protocol.',
  open(settings, parts) {
    const endpoint = endpointOf(settings)
    const echo = settings.key.kind === 'present' ? new SecretEcho(settings.key.secret) : undefined
    const upstream = openUpstream({
      origin: endpoint.origin,
      connections: LIMITS.upstreamConnections,
      connectTimeoutMs: Math.min(settings.timeoutMs, LIMITS.upstreamConnectMs),
      // A model may think for the whole of its time before it says anything, so the parts have no limit of their own.
      headersTimeoutMs: settings.timeoutMs,
      bodyTimeoutMs: settings.timeoutMs,
      totalTimeoutMs: settings.timeoutMs,
      maxAnswerBytes: settings.maxAnswerBytes,
    })
    return {
      async complete(_permit, request, { memory, onAbort }) {
        // The value that was authorized and inspected is what is sent; only the name of the model is the provider's.
        const body = JSON.stringify({ ...request, model: settings.model })
        const answer = await withKey(settings, (headers) =>
          upstream.send({ method: 'POST', path: endpoint.path, headers, body, memory, onAbort }),
        )
        return read(answer, settings, { parts, echo })
      },
      close: () => upstream.close(),
    }
  },
}

interface Endpoint {
  readonly origin: string
  /** Path and query. */
  readonly path: string
}

/** Made from the configuration alone; nothing of a request is ever part of a URL. */
function endpointOf({ name, baseUrl }: ModelSettings): Endpoint {
  const base = baseUrl === undefined ? null : URL.parse(baseUrl)
  if (base === null || !isAcceptable(base)) {
    throw new Fault('config.invalid', {}, { say: `models.${name}.base_url is not an acceptable URL.` })
  }
  const url = new URL(base)
  url.pathname = `${base.pathname.replace(/\/+$/, '')}/chat/completions`
  if (url.host !== base.host || url.origin !== base.origin) {
    throw new Fault('config.invalid', {}, { say: `models.${name}.base_url does not keep its host.` })
  }
  return { origin: url.origin, path: `${url.pathname}${url.search}` }
}

function isAcceptable({ protocol, username, password, hash }: URL): boolean {
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '' && hash === ''
}

/** The key is open only while the headers are built; nothing keeps them after the call. */
function withKey<T>(settings: ModelSettings, send: (headers: Record<string, string>) => T): T {
  const headers = {
    'content-type': 'application/json',
    accept: 'application/json',
    'user-agent': 'gatehouse',
  }
  const { key, auth } = settings
  if (key.kind === 'unresolved') throw new Fault('upstream.unconfigured')
  if (key.kind === 'none') return send(headers)
  return key.secret.open((text) =>
    send(
      auth === 'api-key' ? { ...headers, 'api-key': text } : { ...headers, authorization: `Bearer ${text}` },
    ),
  )
}

interface Reading {
  readonly parts: ProviderParts
  readonly echo: SecretEcho | undefined
}

/** The content of an answer, as far as it may be looked at. */
type Text =
  | { readonly kind: 'readable'; readonly text: string }
  | { readonly kind: 'unreadable'; readonly reason: 'answer_not_text' | 'answer_holds_key' }

function read(answer: UpstreamAnswer, settings: ModelSettings, reading: Reading): ProviderAnswer {
  const text = textOf(answer.body, reading.echo)
  if (answer.status !== 200) throw refusal(answer, text, reading.parts)
  const body = parse(text)
  if (!isJsonObject(body) || !Array.isArray(body['choices'])) throw invalid('answer_shape')
  const named: JsonObject = Object.freeze({ ...body, model: settings.name })
  return { status: 200, body: named, usage: usageOf(body['usage']) }
}

const UTF8 = new TextDecoder('utf-8', { fatal: true })

/**
 * The only way to the content of an answer. A server that repeats headers would hand our key to the caller or to the
 * ledger, so nothing is read of an answer that holds it.
 */
function textOf(body: Uint8Array, echo: SecretEcho | undefined): Text {
  if (echo?.isIn(body) === true) return { kind: 'unreadable', reason: 'answer_holds_key' }
  try {
    return { kind: 'readable', text: UTF8.decode(body) }
  } catch {
    return { kind: 'unreadable', reason: 'answer_not_text' }
  }
}

const ANSWER_LIMITS = { jsonDepth: LIMITS.jsonDepth, jsonNodes: LIMITS.answerJsonNodes } as const

function parse(content: Text): JsonValue {
  if (content.kind === 'unreadable') throw invalid(content.reason)
  const value = readForeignJson(content.text, ANSWER_LIMITS)
  if (value === undefined) throw invalid('answer_unreadable')
  return value
}

function invalid(reason: string): Fault {
  return new Fault('upstream.invalid', { reason })
}

function usageOf(usage: JsonValue | undefined): ProviderAnswer['usage'] {
  if (!isJsonObject(usage)) return undefined
  const tokensIn = usage['prompt_tokens']
  const tokensOut = usage['completion_tokens']
  if (!isCount(tokensIn) || !isCount(tokensOut)) return undefined
  return { tokens_in: tokensIn, tokens_out: tokensOut }
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}

function refusal(answer: UpstreamAnswer, text: Text, parts: ProviderParts): Fault {
  const { status } = answer
  const detail = { upstream_status: status }
  // Providers repeat the key in these answers, so nothing of their text is kept.
  if (status === 401 || status === 403) return new Fault('upstream.unauthorized', detail)
  if (status === 429) return limited(answer, detail)
  if (status >= 400 && status < 500) return rejected(text, detail, parts)
  return new Fault(status >= 500 ? 'upstream.failed' : 'upstream.invalid', detail)
}

/** Longer waits are told as this: a provider must not be able to send callers away for good. */
const MOST_RETRY_SECONDS = 3_600

function limited({ headers }: UpstreamAnswer, detail: FaultDetail): Fault {
  const text = headers['retry-after']
  const isSeconds = typeof text === 'string' && /^\d{1,15}$/.test(text)
  return new Fault(
    'upstream.limited',
    detail,
    isSeconds ? { retryAfterSeconds: Math.min(Number(text), MOST_RETRY_SECONDS) } : {},
  )
}

/** What OpenAI's error object may name. Only these words are said again; all else could hold a value of the request. */
const ERROR_CODES = [
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
]
const ERROR_FIELDS = [
  'functions',
  'logit_bias',
  'logprobs',
  'max_completion_tokens',
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
]

/** Characters of a message that is kept; the cut after redaction cannot fall into a credential. No error is longer. */
const MESSAGE_LENGTH = 16_384

function rejected(text: Text, detail: FaultDetail, { redact }: ProviderParts): Fault {
  const error = errorOf(text)
  const message = typeof error['message'] === 'string' ? error['message'] : ''
  const code = ERROR_CODES.find((known) => known === error['code'])
  const field = ERROR_FIELDS.find((known) => known === error['param'])
  const named = [
    code === undefined ? '' : ` (${code})`,
    field === undefined ? '' : `; it names the field ${field}`,
  ]
  return new Fault(
    'upstream.rejected',
    {
      ...detail,
      // A longer one is not kept at all: what is cut before redaction may be the half of a credential that tells it.
      upstream_message:
        message.length > MESSAGE_LENGTH ? '' : redact(message).slice(0, LIMITS.fieldCharacters),
    },
    { say: `The model provider rejected the request${named.join('')}.` },
  )
}

function errorOf(content: Text): JsonObject {
  const value = content.kind === 'readable' ? readForeignJson(content.text, ANSWER_LIMITS) : undefined
  const error = isJsonObject(value) ? value['error'] : undefined
  return isJsonObject(error) ? error : {}
}
