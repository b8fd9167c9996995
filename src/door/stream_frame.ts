import type { Fault } from '#base/fault.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import type { Detector } from './detector.ts'

/** Where a text of a channel stands in a frame. */
export interface ChannelText {
  /**
   * Names the text that a client puts together of such pieces, as in `0.content` or `0.tool_calls.1.arguments`: one name
   * for one text, whatever frames it comes in.
   */
  readonly channel: string
  readonly path: readonly (string | number)[]
}

/** One event of a streamed answer, as a room read it. */
export interface StreamFrame {
  /** The name of the event; undefined where the format has none. */
  readonly event: string | undefined
  readonly value: JsonObject
  readonly texts: readonly ChannelText[]
  /** Channels whose text is complete: what is held of them leaves before this frame. `all` at the end of the answer. */
  readonly ends: readonly string[] | 'all'
}

/** What a stream that is cut tells its client. */
export interface StreamRefusal {
  readonly fault: Fault
  /** The id of the entries, so that `why` can be asked. */
  readonly id: string
}

/** An event as it is written: `data` as JSON, or as it is where the format ends with a word. */
export interface WireEvent {
  readonly event: string | undefined
  readonly data: JsonValue
}

/** A streamed answer of a room, not yet inspected. */
export interface StreamedAnswer {
  /**
   * The frames in order, those that came together in one walk: each is to be over before the next is asked for, since a frame
   * is read, and may throw, when it is asked for. Asking for the next walk lets the upstream send more; `return` ends the
   * exchange at once. Throws the `upstream.*` codes and `input.aborted`.
   */
  readonly frames: AsyncIterable<Iterable<StreamFrame>>
  /** Ends the exchange at once, also while frames are waited for: these are then the last, or `frames` throws. */
  cancel(): void
  /** A frame that carries a text of a channel that was held back until its end. */
  rest(channel: string, text: string): StreamFrame
  /** How this format tells that the stream was cut. */
  refuse(refusal: StreamRefusal): readonly WireEvent[]
  /** What comes after the last frame, as in `data: [DONE]`; written as it is. */
  readonly end: string
  /** Finds what must not leave whatever policy says: our own key at the upstream. */
  readonly secret?: Detector | undefined
  /** Facts for the outcome entry, as far as the stream has come: usage, provider, region. */
  facts(): Readonly<Record<string, JsonValue>>
}
