import { Fault } from '#base/fault.ts'
import { readForeignJson } from '#base/foreign_json.ts'
import { openUpstream, type Upstream, type UpstreamRequest } from '#base/http_client.ts'
import type { UpstreamStream } from '#base/http_stream.ts'
import { isJsonObject, printJson, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { Sealed } from '#base/sealed.ts'
import { SecretEcho } from '#base/secret_echo.ts'
import type { Detector } from '#door/detector.ts'
import type { StreamSource } from './formats/stream_format.ts'
import { keyDetector } from './key_detector.ts'
import type { CallContext, ModelSettings, ProviderParts } from './provider.ts'
import { ProviderCalls, type ProviderCall } from './provider_calls.ts'
import { ProviderRefusals, type ErrorWords } from './provider_refusals.ts'
import { watchForEcho } from './watch_for_echo.ts'

/** How one kind of model server is spoken to over HTTP. */
export interface Dialect extends ErrorWords {
  /** Headers of every request besides the key: names and values in turn. */
  readonly headers: readonly string[]
  /** The header that carries the key, and what its value is. */
  readonly keyHeader: (settings: ModelSettings) => {
    readonly name: string
    readonly print: (key: string) => string
  }
  /** The path of an API under that of `base_url`, which has no slash at its end. */
  readonly pathOf: (basePath: string, api: string) => string
}

/** One model behind HTTP: where it is, its key, and what its errors mean. Nothing of a request is ever part of a URL. */
export class HttpProvider {
  /** The path of `base_url` without a slash at its end, and its query. */
  readonly #basePath: string
  readonly #query: string
  readonly #dialect: Dialect
  readonly #withHeaders: WithHeaders
  readonly #echo: SecretEcho | undefined
  readonly #secret: Detector | undefined
  readonly #refusals: ProviderRefusals
  readonly #calls: ProviderCalls
  readonly #upstream: Upstream

  /** No network yet. Throws `config.invalid`. */
  constructor(settings: ModelSettings, dialect: Dialect, parts: ProviderParts) {
    const base = baseOf(settings)
    this.#basePath = base.pathname.replace(/\/+$/, '')
    this.#query = base.search
    this.#dialect = dialect
    this.#withHeaders = headersFor(settings, dialect)
    this.#echo = settings.key.kind === 'present' ? new SecretEcho(settings.key.secret) : undefined
    this.#secret = settings.key.kind === 'present' ? keyDetector(settings.key.secret) : undefined
    this.#refusals = new ProviderRefusals(dialect, parts.redact)
    this.#calls = new ProviderCalls(settings, base.origin, parts)
    this.#upstream = openUpstream({
      origin: base.origin,
      connections: LIMITS.upstreamConnections,
      connectTimeoutMs: Math.min(settings.timeoutMs, settings.phases?.connectMs ?? LIMITS.upstreamConnectMs),
      // A model may think for the whole of its time before it says anything: the parts have limits of their own only when
      // the operator knows better.
      headersTimeoutMs: settings.phases?.firstByteMs ?? settings.timeoutMs,
      bodyTimeoutMs: settings.phases?.idleMs ?? settings.timeoutMs,
      totalTimeoutMs: settings.timeoutMs,
      maxAnswerBytes: settings.maxAnswerBytes,
      network: settings.network,
    })
  }

  /** Sends a body and gives the object that was answered with status 200. Throws `upstream.*` and `input.aborted`. */
  async send(api: string, body: JsonObject, context: CallContext): Promise<JsonObject> {
    const call = this.#calls.begin(api, context)
    try {
      const answer = await this.#withHeaders((headers) =>
        this.#upstream.send(this.#request(api, body, { headers, context, call })),
      )
      const text = textOf(answer.body, this.#echo)
      if (answer.status !== 200) throw this.#refusals.of(answer, errorOf(text))
      const value = parse(text)
      if (!isJsonObject(value)) throw invalidAnswer('answer_shape')
      call.answered()
      return value
    } catch (thrown) {
      throw call.failed(thrown)
    }
  }

  /** As `send`, for an answer of server-sent events: gives their bytes as they come. */
  async open(api: string, body: JsonObject, context: CallContext): Promise<StreamSource> {
    const call = this.#calls.begin(api, context)
    try {
      const answer = await this.#withHeaders((headers) =>
        this.#upstream.open(this.#request(api, body, { headers, context, call })),
      )
      return call.ofStream(await this.#streamOf(answer))
    } catch (thrown) {
      throw call.failed(thrown)
    }
  }

  close(): Promise<void> {
    return this.#upstream.close()
  }

  async #streamOf(answer: UpstreamStream): Promise<StreamSource> {
    if (answer.status !== 200) {
      const text = textOf(await firstBytes(answer.body), this.#echo)
      throw this.#refusals.of(answer, errorOf(text))
    }
    if (!isEventStream(answer)) {
      answer.cancel()
      throw invalidAnswer('answer_not_events')
    }
    return {
      pieces: watchForEcho(answer.body, this.#echo),
      cancel: () => answer.cancel(),
      release: () => answer.release(),
      secret: this.#secret,
    }
  }

  #request(api: string, body: JsonObject, { headers, context, call }: Sending): UpstreamRequest {
    const { memory, onAbort } = context
    const path = `${this.#dialect.pathOf(this.#basePath, api)}${this.#query}`
    const all = call.headers.length === 0 ? headers : [...headers, ...call.headers]
    return { method: 'POST', path, headers: all, body: printJson(body), memory, onAbort }
  }
}

interface Sending {
  readonly headers: readonly string[]
  readonly context: CallContext
  readonly call: ProviderCall
}

export function invalidAnswer(reason: string): Fault {
  return new Fault('upstream.invalid', { reason })
}

function baseOf({ name, baseUrl }: ModelSettings): URL {
  const base = baseUrl === undefined ? null : URL.parse(baseUrl)
  if (base === null || !isAcceptable(base)) {
    throw new Fault('config.invalid', {}, { say: `models.${name}.base_url is not an acceptable URL.` })
  }
  return base
}

function isAcceptable({ protocol, username, password, hash }: URL): boolean {
  return (protocol === 'https:' || protocol === 'http:') && username === '' && password === '' && hash === ''
}

type WithHeaders = <T>(send: (headers: readonly string[]) => T) => T

const HEADERS = ['content-type', 'application/json', 'user-agent', 'gatehouse']

/** The key is open only while a request is handed on; nothing keeps it after the call. Throws `upstream.unconfigured`. */
function headersFor(settings: ModelSettings, dialect: Dialect): WithHeaders {
  const { key } = settings
  const fixed = [...HEADERS, ...dialect.headers]
  if (key.kind === 'none') return (send) => send(fixed)
  if (key.kind === 'unresolved') {
    return () => {
      throw new Fault('upstream.unconfigured')
    }
  }
  const { name, print } = dialect.keyHeader(settings)
  const value = new Sealed(key.secret.open(print))
  return (send) => value.open((text) => send([...fixed, name, text]))
}

/** The content of an answer, as far as it may be looked at. */
type Text =
  | { readonly kind: 'readable'; readonly text: string }
  | { readonly kind: 'unreadable'; readonly reason: 'answer_not_text' | 'answer_holds_key' }

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
  if (content.kind === 'unreadable') throw invalidAnswer(content.reason)
  const value = readForeignJson(content.text, ANSWER_LIMITS)
  if (value === undefined) throw invalidAnswer('answer_unreadable')
  return value
}

function errorOf(content: Text): JsonObject {
  const value = content.kind === 'readable' ? readForeignJson(content.text, ANSWER_LIMITS) : undefined
  const error = isJsonObject(value) ? value['error'] : undefined
  return isJsonObject(error) ? error : {}
}

function isEventStream({ headers }: UpstreamStream): boolean {
  const type = headers['content-type']
  return typeof type === 'string' && /^text\/event-stream\s*(?:;|$)/i.test(type)
}

/** An error says what it has to say in this; the rest is not read. */
const ERROR_BYTES = 65_536

async function firstBytes(body: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let size = 0
  for await (const piece of body) {
    pieces.push(piece.subarray(0, ERROR_BYTES - size))
    size += piece.length
    if (size >= ERROR_BYTES) break
  }
  return Buffer.concat(pieces)
}
