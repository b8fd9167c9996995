import type { EntityFacts, EntityRef } from '#base/decider.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import type { CallerMemory, Memory, StrangerMemory } from '#base/memory.ts'
import type { TraceContext } from '#base/trace_context.ts'
import type { Caller, Credential, Possession } from '#trust/access/caller.ts'
import type { Permit } from '#trust/access/authorize.ts'
import type { StreamedAnswer } from './stream_frame.ts'

/** One request as a face hands it to the door. Nothing in it is trusted. */
export interface Incoming {
  /** Random; becomes `x-request-id` and the id of the ledger entries. */
  readonly id: string
  readonly credential: Credential
  /**
   * On a route whose credential may stand in the body, the proof and the certificate beside it. They are no part of
   * `credential` there, for they are also about what is asked for. Absent on all other routes.
   */
  readonly possession?: Possession | undefined
  /** The address of the caller, without a port; `socket` for the admin socket. */
  readonly address: string
  /** Values of `{name}` segments of the route's path, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: readonly (readonly [name: string, value: string])[]
  /** Where the caller says that its request stands in a trace; for correlation, and for nothing else. */
  readonly trace?: TraceContext | undefined
  /** What the caller believes to be there; absent where a request has no such headers. */
  readonly preconditions?: Preconditions | undefined
  /**
   * Reads the body once, into memory that is claimed before it is used. The memory says which caller is proven; the body
   * of a stranger, which only a route of which the credential stands there asks for, has little time.
   * Throws `input.too_large`, `input.slow`, `input.aborted`, `load.exceeded`.
   */
  body(memory: CallerMemory | StrangerMemory): Promise<Uint8Array>
  /** Calls back when the caller goes away before the reply; at most one listener. */
  onAbort(listener: () => void): void
  /** Calls back once, when the reply has left or the caller is gone, and at once when that is so; at most one listener. */
  onEnd(listener: () => void): void
}

/** If-Match and If-None-Match (RFC 9110 section 13.1), as they were sent. */
export interface Preconditions {
  readonly ifMatch: string | undefined
  readonly ifNoneMatch: string | undefined
}

/** The most that a request can take of a model. */
export interface Demand {
  /** Undefined where nothing bounds them. */
  readonly tokensIn: number | undefined
  readonly tokensOut: number | undefined
  /** Why one of them is undefined, in our own words. */
  readonly unbounded: string | undefined
  /** Why the prices of the configuration do not say what it costs, in our own words; undefined where they do. */
  readonly unpriced: string | undefined
}

/** What a route's `parse` reads: the request, with the body complete. */
export interface RawRequest extends Pick<Incoming, 'params' | 'query' | 'preconditions'> {
  readonly body: Uint8Array
}

/** What a request wants to touch. */
export interface Target {
  readonly ref: EntityRef
  /** The resource's own facts and parents, for the decider. Empty when it does not exist, so that no policy matches. */
  readonly entities: readonly EntityFacts[]
  /** True when the name is one of our own configuration and so may stand in a leaf; a name a caller made up may not. */
  readonly known: boolean
  /** What else it may lead to, as a pool leads to its members. */
  readonly via?: readonly Target[]
}

/**
 * A target that exists, with its own facts. Frozen all through, and to be made once: the decider prepares facts that can
 * never change only once.
 */
export function knownTarget(
  { type, id }: EntityRef,
  attributes: Readonly<Record<string, string>> = {},
  parents: readonly EntityRef[] = [],
): Target {
  const ref = Object.freeze({ type, id })
  const facts: EntityFacts = Object.freeze({
    ref,
    attributes: Object.freeze({ ...attributes }),
    parents: Object.freeze(parents.map((parent) => Object.freeze({ ...parent }))),
  })
  return Object.freeze({ ref, entities: Object.freeze([facts]), known: true })
}

/** What a request has that shows no possession of any key. */
export const NO_POSSESSION: Possession = Object.freeze({ proof: undefined, certificate: undefined })

export interface ActContext {
  readonly id: string
  readonly caller: Caller
  readonly address: string
  /** As `Incoming.possession`. */
  readonly possession: Possession
  /** Where an act claims what it is about to keep of a foreign answer. */
  readonly memory: Memory
  readonly onAbort: (listener: () => void) => void
  /** Told of each call of a model; undefined where the request is in no trace. */
  readonly trace?: CallTrace | undefined
  /**
   * Asked before a model is called again after a call that may have to be paid: false where that would be more than the
   * limits of the caller leave. Without it nothing is limited.
   */
  readonly mayTryAgain?: (() => boolean | Promise<boolean>) | undefined
}

/** A model as it is called, all in words of the configuration. */
export interface CalledModel {
  /** As OpenTelemetry's conventions name it: `chat`, `embeddings`. */
  readonly operation: string
  readonly provider: string
  /** The name of the model at the provider. */
  readonly model: string
  /** The origin that is called. */
  readonly origin: string
}

/** The trace of a request, as whoever calls a model for it sees it. */
export interface CallTrace {
  begin(called: CalledModel): CallSpan
}

export interface CallSpan {
  /** To be sent with the call. */
  readonly traceparent: string
  /** The `tracestate` that our own caller sent, which nobody has inspected; empty for none. */
  readonly state: string
  /** The call is over: answered where there is no error, which is a word of ours. Only the first time counts. */
  end(error: string): void
}

/** What an act came to: a whole answer, one that is still coming, or bytes that are not ours to look into. */
export type Acted = ActedWhole | ActedStream | ActedBytes

export type BytesType = 'text/plain; charset=utf-8'

/** Only of a route whose responses are exempt from inspection: nothing in bytes can be found or taken out. */
export interface ActedBytes {
  readonly kind: 'bytes'
  readonly bytes: Uint8Array
  /** Without it they are `application/octet-stream`. */
  readonly type?: BytesType | undefined
  /** The value of `cache-control`. */
  readonly cache: string
  /** As `ActedWhole.facts`. */
  readonly facts: Readonly<Record<string, JsonValue>>
}

export interface ActedStream {
  readonly kind: 'stream'
  readonly answer: StreamedAnswer
}

export interface ActedWhole {
  readonly kind: 'whole'
  readonly status: number
  /** Not sent with a 204 or 304, which have no content. */
  readonly body: JsonValue
  readonly headers?: ReplyHeaders | undefined
  /** Facts for the outcome entry, as `EntryDraft.fields`. */
  readonly facts: Readonly<Record<string, JsonValue>>
}

/** What an answer may say of itself, besides its body. Made of our own words only. */
export interface ReplyHeaders {
  /** Where what was made is to be found. */
  readonly location?: string
  readonly etag?: string
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'

/**
 * The media type of bodies: `application/json`; that or `application/scim+json` (RFC 7644 section 3.1), in which the reply
 * comes too; `application/x-www-form-urlencoded`, with a reply in JSON.
 */
export type Media = 'json' | 'scim' | 'form'

/**
 * The form of a refusal: an RFC 9457 problem, the error envelope of OpenAI or Anthropic around it, an error of SCIM
 * (RFC 7644 section 3.12), or one of OAuth (RFC 6749 section 5.2).
 */
export type Envelope = 'openai' | 'anthropic' | 'problem' | 'scim' | 'oauth'

/** `all`: every string is inspected. `exempt`: none is, and the reason is kept in docs and tests. */
export type Inspected = 'all' | { readonly exempt: string }

/**
 * Everything a request passes through is data of this form; every field is required, so a route without an action
 * does not compile.
 */
export interface Route<Input extends JsonObject> {
  /** Stable name for metrics and the ledger. */
  readonly name: string
  readonly listener: 'door' | 'admin'
  readonly method: Method
  /** Literal segments and `{name}` segments. */
  readonly path: string
  readonly media: Media
  readonly envelope: Envelope
  /**
   * Takes the credential out of the body of a request whose headers have none. Only for what exists to turn one credential
   * into another; everywhere else the headers alone count. Throws `input.invalid`.
   */
  readonly credentialIn?: (body: Uint8Array, possession: Possession) => Credential
  /** The Cedar action, as in `model:infer`. */
  readonly action: string
  /** `grouped`: the outcome is on disk within the next group. `strict`: it is awaited, and reserves may be used. */
  readonly record: 'grouped' | 'strict'
  readonly inspect: { readonly request: Inspected; readonly response: Inspected }
  /** Bytes to one frozen value; what it gives is authorized, inspected and dispatched. Throws `input.invalid`. */
  readonly parse: (request: RawRequest) => Input
  readonly target: (input: Input, caller: Caller) => Target
  /** What it can take at most; of a route without it nothing counts in any limit. */
  readonly demand?: (input: Input) => Demand
  /** The only part that does something. Must check the permit with `checkPermit` before any effect. */
  readonly act: (permit: Permit, input: Input, context: ActContext) => Promise<Acted>
}
