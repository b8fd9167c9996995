import type { Fault } from '#base/fault.ts'
import type { BytesType, ReplyHeaders } from './route.ts'

/** The stages of the pipeline, in order. `why` draws them as a strip. */
export const STAGES = [
  'authenticate',
  'parse',
  'authorize',
  'meter',
  'inspect_request',
  'admit',
  'record',
  'act',
  'inspect_response',
  'settle',
] as const

export type Stage = (typeof STAGES)[number]

/** What the door gives a face to say. */
export type Outcome =
  | WholeAnswer
  | BytesAnswer
  | { readonly kind: 'stream'; readonly stream: OutgoingStream }
  | { readonly kind: 'refusal'; readonly fault: Fault; readonly stage: Stage }

/** A guarded stream of server-sent events, as a face sends it. */
export interface OutgoingStream {
  /** To be walked once, each text sent before the next is asked for; leaving the walk ends the stream. Never throws. */
  chunks(): AsyncIterable<string>
  /** Calls back when the stream is cut, so that nobody waits long for a slow caller; at most one listener. */
  onCut(listener: () => void): void
  /** Nobody reads any more: ends the stream at once, also while a chunk is waited for. */
  abort(): void
}

/** An answer in bytes, as its hash stands in the ledger. */
export interface BytesAnswer {
  readonly kind: 'bytes'
  readonly status: number
  readonly bytes: Uint8Array
  /** Without it they are `application/octet-stream`. */
  readonly type?: BytesType | undefined
  /** The value of `cache-control`. */
  readonly cache: string
}

export interface WholeAnswer {
  readonly kind: 'answer'
  readonly status: number
  /** The serialized answer, exactly as its hash stands in the ledger; a face sends it as it is. Empty for a 204 or 304. */
  readonly json: string
  readonly headers?: ReplyHeaders
}
