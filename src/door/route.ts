import type { EntityFacts, EntityRef } from '#base/decider.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import type { CallerMemory, Memory } from '#base/memory.ts'
import type { Caller, Credential } from '#trust/access/caller.ts'
import type { Permit } from '#trust/access/authorize.ts'
import type { StreamedAnswer } from './stream_frame.ts'

/** One request as a face hands it to the door. Nothing in it is trusted. */
export interface Incoming {
  /** Random; becomes `x-request-id` and the id of the ledger entries. */
  readonly id: string
  readonly credential: Credential
  /** The address of the caller, without a port; `socket` for the admin socket. */
  readonly address: string
  /** Values of `{name}` segments of the route's path, decoded. */
  readonly params: Readonly<Record<string, string>>
  readonly query: readonly (readonly [name: string, value: string])[]
  /**
   * Reads the body once, into memory that is claimed before it is used. The door asks only once the caller is proven,
   * and the memory says which one it is.
   * Throws `input.too_large`, `input.slow`, `input.aborted`, `load.exceeded`.
   */
  body(memory: CallerMemory): Promise<Uint8Array>
  /** Calls back when the caller goes away before the reply; at most one listener. */
  onAbort(listener: () => void): void
  /** Calls back once, when the reply has left or the caller is gone, and at once when that is so; at most one listener. */
  onEnd(listener: () => void): void
}

/** What a route's `parse` reads: the request, with the body complete. */
export interface RawRequest {
  readonly params: Readonly<Record<string, string>>
  readonly query: readonly (readonly [name: string, value: string])[]
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

export interface ActContext {
  readonly id: string
  readonly caller: Caller
  /** Where an act claims what it is about to keep of a foreign answer. */
  readonly memory: Memory
  readonly onAbort: (listener: () => void) => void
}

/** What an act came to: a whole answer, or one that is still coming. */
export type Acted = ActedWhole | ActedStream

export interface ActedStream {
  readonly kind: 'stream'
  readonly answer: StreamedAnswer
}

export interface ActedWhole {
  readonly kind: 'whole'
  readonly status: number
  readonly body: JsonValue
  /** Facts for the outcome entry, as `EntryDraft.fields`. */
  readonly facts: Readonly<Record<string, JsonValue>>
}

/** The form of a refusal: an RFC 9457 problem, or the error envelope of OpenAI or Anthropic around it. */
export type Envelope = 'openai' | 'anthropic' | 'problem'

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
  readonly method: 'GET' | 'POST'
  /** Literal segments and `{name}` segments. */
  readonly path: string
  readonly envelope: Envelope
  /** The Cedar action, as in `model:infer`. */
  readonly action: string
  /** `grouped`: the outcome is on disk within the next group. `strict`: it is awaited, and reserves may be used. */
  readonly record: 'grouped' | 'strict'
  readonly inspect: { readonly request: Inspected; readonly response: Inspected }
  /** Bytes to one frozen value; what it gives is authorized, inspected and dispatched. Throws `input.invalid`. */
  readonly parse: (request: RawRequest) => Input
  readonly target: (input: Input, caller: Caller) => Target
  /** The only part that does something. Must check the permit with `checkPermit` before any effect. */
  readonly act: (permit: Permit, input: Input, context: ActContext) => Promise<Acted>
}
