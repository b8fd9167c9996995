import { Fault, type FaultDetail } from '#base/fault.ts'
import { openUpstream, type UpstreamAnswer } from '#base/http_client.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { ModelSettings, Provider, ProviderAnswer, ProviderParts } from '../provider.ts'

/** Any server that speaks OpenAI's chat completions: hosted ones, vLLM, Ollama, Azure. */
export const openai: Provider = {
  id: 'openai',
  why: 'Most model servers speak this protocol.',
  open(settings, parts) {
    const endpoint = endpointOf(settings)
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
      async complete(_permit, request, { onAbort }) {
        // The value that was authorized and inspected is what is sent; only the name of the model is the provider's.
        const body = JSON.stringify({ ...request, model: settings.model })
        const answer = await withKey(settings, (headers) =>
          upstream.send({ method: 'POST', path: endpoint.path, headers, body, onAbort }),
        )
        return read(answer, settings, parts)
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

/** Shorter keys are words that any answer may hold. */
const LEAST_KEY_LENGTH = 8

/** A server that repeats headers in its answers would hand our key to the caller. */
function holdsKey(body: Uint8Array, { key }: ModelSettings): boolean {
  if (key.kind !== 'present') return false
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength)
  return key.secret.open((text) => text.length >= LEAST_KEY_LENGTH && bytes.includes(text))
}

function read(answer: UpstreamAnswer, settings: ModelSettings, parts: ProviderParts): ProviderAnswer {
  const repeatsKey = holdsKey(answer.body, settings)
  if (answer.status !== 200) throw refusal(repeatsKey ? { ...answer, body: NOTHING } : answer, parts)
  if (repeatsKey) throw new Fault('upstream.invalid', { reason: 'answer_holds_key' })
  const body = parse(answer.body)
  if (!isJsonObject(body) || !Array.isArray(body['choices']) || !freezeWithin(body, LIMITS.jsonDepth)) {
    throw new Fault('upstream.invalid', { reason: 'answer_shape' })
  }
  const named: JsonObject = Object.freeze({ ...body, model: settings.name })
  return { status: 200, body: named, usage: usageOf(body['usage']) }
}

const NOTHING = new Uint8Array(0)
const UTF8 = new TextDecoder('utf-8', { fatal: true })

function parse(bytes: Uint8Array): JsonValue {
  try {
    const value: JsonValue = JSON.parse(UTF8.decode(bytes))
    return value
  } catch {
    throw new Fault('upstream.invalid', { reason: 'answer_not_json' })
  }
}

/** False, and not wholly frozen, when the value is nested deeper than `levels`. */
function freezeWithin(value: JsonValue, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (levels === 0) return false
  Object.freeze(value)
  return Object.values(value).every((inner) => freezeWithin(inner, levels - 1))
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

function refusal(answer: UpstreamAnswer, parts: ProviderParts): Fault {
  const { status } = answer
  const detail = { upstream_status: status }
  // Providers repeat the key in these answers, so nothing of their text is kept.
  if (status === 401 || status === 403) return new Fault('upstream.unauthorized', detail)
  if (status === 429) return limited(answer, detail)
  if (status >= 400 && status < 500) return rejected(answer, detail, parts)
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

/** More than is kept, so that the cut cannot fall into a credential before it is found. */
const REDACTED_LENGTH = 16_384

function rejected({ body }: UpstreamAnswer, detail: FaultDetail, { redact }: ProviderParts): Fault {
  const error = errorOf(body)
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
      upstream_message: redact(message.slice(0, REDACTED_LENGTH)).slice(0, LIMITS.fieldCharacters),
    },
    { say: `The model provider rejected the request${named.join('')}.` },
  )
}

function errorOf(body: Uint8Array): JsonObject {
  try {
    const value: JsonValue = JSON.parse(UTF8.decode(body))
    const error = isJsonObject(value) ? value['error'] : undefined
    return isJsonObject(error) ? error : {}
  } catch {
    return {}
  }
}
