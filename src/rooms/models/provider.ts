import type { Clock } from '#base/clock.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import type { Memory } from '#base/memory.ts'
import type { Sealed } from '#base/sealed.ts'
import type { UpstreamNetwork } from '#base/upstream_address.ts'
import type { CallTrace } from '#door/route.ts'
import type { StreamedAnswer } from '#door/stream_frame.ts'
import type { Permit } from '#trust/access/authorize.ts'
import type { CallMetrics } from './call_metrics.ts'
import type { PoolSettings } from './pool/pool_settings.ts'
import type { AnswerUsage } from './token_counts.ts'

/** The wire formats that callers speak. */
export type ModelApi = 'chat' | 'responses' | 'messages' | 'embeddings' | 'count_tokens'

/** The key of a provider: not needed, referred to but not there, or there. */
export type ProviderKey =
  | { readonly kind: 'none' }
  | { readonly kind: 'unresolved' }
  | { readonly kind: 'present'; readonly secret: Sealed }

/** One model of the configuration, as its provider sees it. */
export interface ModelSettings {
  /** The name callers use. */
  readonly name: string
  /** The id of the provider. */
  readonly provider: string
  /** Where the provider is; its query, if it has one, is kept. Undefined for a provider that is built in. */
  readonly baseUrl: string | undefined
  /** The name of the model at the provider. */
  readonly model: string
  readonly key: ProviderKey
  /** How the key is sent: as `Authorization: Bearer`, or as the header `api-key` as Azure wants it. */
  readonly auth: 'bearer' | 'api-key'
  readonly region: string | undefined
  /** Whether request fields that we do not know are kept or refused. */
  readonly extensions: 'pass' | 'refuse'
  /** How the built-in provider `echo` answers; undefined for every other. */
  readonly echo?: EchoSettings | undefined
  /** The members of a model that is a pool of others; undefined for every other. */
  readonly pool?: PoolSettings | undefined
  /** Where the host name of `baseUrl` may lead; only to public addresses without it. */
  readonly network?: UpstreamNetwork | undefined
  /** Tokens of an answer whose request does not say how long it may be; the provider's own number without it. */
  readonly maxOutputTokens?: number | undefined
  /** Tokens that the model reads at most, where the operator says so. */
  readonly maxInputTokens?: number | undefined
  readonly timeoutMs: number
  /** The times of the phases of one exchange; what is undefined is limited by `timeoutMs` alone. */
  readonly phases?: PhaseTimes | undefined
  readonly maxAnswerBytes: number
}

export interface PhaseTimes {
  /** Milliseconds for a connection, TLS included. */
  readonly connectMs: number | undefined
  /** Milliseconds from the sent request to the end of the answer's headers. */
  readonly firstByteMs: number | undefined
  /** Milliseconds between two pieces of the answer. */
  readonly idleMs: number | undefined
}

/** What entries and policies say of where a model is. */
export function placeOf({ provider, region }: ModelSettings): Readonly<Record<string, string>> {
  return region === undefined ? { provider } : { provider, region }
}

export interface EchoSettings {
  readonly says: 'plain' | 'base64'
  /** Characters of a piece of a streamed answer, and the pause before each. */
  readonly pieceCharacters: number
  readonly pieceMs: number
}

export interface CallContext {
  /** The id of the entry. */
  readonly id: string
  /** Where the bytes of an answer are claimed before they are kept. */
  readonly memory: Memory
  readonly onAbort: (listener: () => void) => void
  /** Told of each call; undefined where the request is in no trace. */
  readonly trace?: CallTrace | undefined
  /** As that of `ActContext`. */
  readonly mayTryAgain?: (() => boolean | Promise<boolean>) | undefined
}

export interface ProviderAnswer {
  readonly status: number
  readonly body: JsonValue
  readonly usage: AnswerUsage | undefined
  /** More facts for the outcome entry, as who answered in the place of the one that was asked. */
  readonly facts?: Readonly<Record<string, JsonValue>> | undefined
}

/** One model that can be called. */
export interface ModelConnection {
  /**
   * Sends one request of an API, with its `model` replaced, and gives an answer of the same API whose `model` is the public
   * name. The caller has checked the permit. Throws the `upstream.*` codes, `input.aborted`, and `api.unsupported` where
   * there is no faithful way.
   */
  call(api: ModelApi, permit: Permit, request: JsonObject, context: CallContext): Promise<ProviderAnswer>
  /** The same for a streamed answer (chat, responses, messages). */
  stream(api: ModelApi, permit: Permit, request: JsonObject, context: CallContext): Promise<StreamedAnswer>
  close(): Promise<void>
}

/** What a provider works with. */
export interface ProviderParts {
  readonly clock: Clock
  /** Takes credentials out of a foreign text before it is kept in the ledger. */
  readonly redact: (text: string) => string
  /** Told of each call that goes over HTTP. */
  readonly calls?: Pick<CallMetrics, 'took'> | undefined
}

/** A kind of model provider. One file each; listed in `providers/all.ts`. */
export interface Provider {
  /** Stable id and name of the file; stands in the configuration and in the ledger. */
  readonly id: string
  readonly why: string
  /** Makes a model ready to be called; no network yet. Throws `config.invalid` for settings it cannot work with. */
  open(settings: ModelSettings, parts: ProviderParts): ModelConnection
}
