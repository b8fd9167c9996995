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
export function framesOf(
  format: StreamFormat,
  pieces: AsyncIterable<Uint8Array>,
  release: () => void = () => undefined,
): AsyncIterable<Iterable<StreamFrame>> {
  return {
    [Symbol.asyncIterator]: () => new FrameWalk(format, pieces[Symbol.asyncIterator](), release),
  }
}

/** Written out: a generator costs each piece several promises more. */
class FrameWalk implements AsyncIterator<Iterable<StreamFrame>> {
  readonly #format: StreamFormat
  readonly #pieces: AsyncIterator<Uint8Array>
  readonly #release: () => void
  readonly #reader = new EventReader()
  #count = 0

  constructor(format: StreamFormat, pieces: AsyncIterator<Uint8Array>, release: () => void) {
    this.#format = format
    this.#pieces = pieces
    this.#release = release
  }

  async next(): Promise<IteratorResult<Iterable<StreamFrame>>> {
    if (this.#format.isEnded) {
      this.#release()
      return this.return()
    }
    const piece = await this.#pieces.next()
    if (piece.done === true)
      throw new Fault('upstream.failed', { reason: 'cut', in_event: this.#reader.end().isCut })
    try {
      return { done: false, value: this.#framesIn(this.#reader.push(piece.value)) }
    } catch (thrown) {
      await this.return()
      throw thrown
    }
  }

  async return(): Promise<IteratorResult<Iterable<StreamFrame>>> {
    await this.#pieces.return?.()
    return { done: true, value: undefined }
  }

  *#framesIn(events: readonly ServerSentEvent[]): Generator<StreamFrame, void, undefined> {
    for (const event of events) {
      this.#count += 1
      if (this.#count > LIMITS.streamFrames) throw new Fault('upstream.oversized', { reason: 'frames' })
      yield* this.#format.read(event)
      if (this.#format.isEnded) return
    }
  }
}

/** The frames one by one, for who has to know of each when it is there. */
export async function* eachOf(
  batches: AsyncIterable<Iterable<StreamFrame>>,
): AsyncGenerator<StreamFrame, void, undefined> {
  for await (const batch of batches) yield* batch
}
