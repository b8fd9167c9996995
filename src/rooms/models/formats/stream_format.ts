import { Fault } from '#base/fault.ts'
import type { JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { EventReader, type ServerSentEvent } from '#base/sse.ts'
import type { Detector } from '#door/detector.ts'
import type { StreamedAnswer, StreamFrame } from '#door/stream_frame.ts'
import type { AnswerUsage } from '../token_counts.ts'

/** Reads one streamed answer of a wire format. Keeps what it knows of the answer, so there is one for each. */
export interface StreamFormat extends Pick<StreamedAnswer, 'rest' | 'refuse' | 'end'> {
  /**
   * The frames that an event comes to: one mostly, none for what is ours only. A frame with a text of a channel may also end
   * it. Throws `upstream.invalid` with a word for the reason, and `upstream.failed` for an error that the upstream tells.
   */
  read(event: ServerSentEvent): readonly StreamFrame[]
  /** True once the upstream has said that the answer is complete. Nothing is read after that. */
  readonly isEnded: boolean
  /** As far as the stream has come. */
  readonly usage: TokenUsage
}

/** For the outcome entry. */
export type TokenUsage = Partial<AnswerUsage>

/** A streamed answer as it comes in. */
export interface StreamSource {
  /** Bytes of the body; `return` ends the exchange. Throws the `upstream.*` codes and `input.aborted`. */
  readonly pieces: AsyncIterable<Uint8Array>
  /** Ends the exchange at once, also while a piece is waited for. */
  cancel(): void
  /** All that matters was read, and the rest may be thrown away. */
  release?(): void
  /** Finds our own key at the upstream. */
  readonly secret?: Detector | undefined
}

/** Joins a format to the bytes that it reads. `facts` are those of the call; the usage of tokens is put to them. */
export function streamedAnswer(
  format: StreamFormat,
  source: StreamSource,
  facts: Readonly<Record<string, JsonValue>>,
): StreamedAnswer {
  return {
    frames: framesOf(format, source.pieces, () => source.release?.()),
    cancel: () => source.cancel(),
    rest: (channel, text) => format.rest(channel, text),
    refuse: (refusal) => format.refuse(refusal),
    end: format.end,
    secret: source.secret,
    facts: () => ({ ...facts, ...format.usage }),
  }
}

/**
 * The frames of each piece, which are read as they are asked for. Throws `upstream.failed` for a stream that stops before its
 * end, besides what the format and the reader throw.
 */
export async function* framesOf(
  format: StreamFormat,
  pieces: AsyncIterable<Uint8Array>,
  release: () => void = () => undefined,
): AsyncGenerator<Iterable<StreamFrame>, void, undefined> {
  const reader = new EventReader()
  let count = 0
  function* framesIn(events: readonly ServerSentEvent[]): Generator<StreamFrame, void, undefined> {
    for (const event of events) {
      count += 1
      if (count > LIMITS.streamFrames) throw new Fault('upstream.oversized', { reason: 'frames' })
      yield* format.read(event)
      if (format.isEnded) return
    }
  }
  for await (const piece of pieces) {
    yield framesIn(reader.push(piece))
    if (format.isEnded) return release()
  }
  throw new Fault('upstream.failed', { reason: 'cut', in_event: reader.end().isCut })
}

/** The frames one by one, for who has to know of each when it is there. */
export async function* eachOf(
  batches: AsyncIterable<Iterable<StreamFrame>>,
): AsyncGenerator<StreamFrame, void, undefined> {
  for await (const batch of batches) yield* batch
}
