import { Fault } from '#base/fault.ts'
import type { SecretEcho } from '#base/secret_echo.ts'

/** Bytes that are looked at again with what follows: a key of 128 characters in the longest of its disguises. */
const SEEN_AGAIN_BYTES = 1_024

/**
 * Hands bytes on as they come, and throws `upstream.invalid` before any that hold our key in one piece. One that a
 * server spreads over several events is not found here: that is for the guard of the texts.
 */
export function watchForEcho(
  body: AsyncIterable<Uint8Array>,
  echo: SecretEcho | undefined,
): AsyncIterable<Uint8Array> {
  if (echo === undefined) return body
  return { [Symbol.asyncIterator]: () => new WatchedWalk(body[Symbol.asyncIterator](), echo) }
}

/** Written out: a generator costs each piece several promises more. */
class WatchedWalk implements AsyncIterator<Uint8Array> {
  readonly #walk: AsyncIterator<Uint8Array>
  readonly #echo: SecretEcho
  readonly #recent = new RecentBytes()

  constructor(walk: AsyncIterator<Uint8Array>, echo: SecretEcho) {
    this.#walk = walk
    this.#echo = echo
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const next = await this.#walk.next()
    if (next.done === true || !this.#echo.isIn(this.#recent.with(next.value))) return next
    await this.return()
    throw new Fault('upstream.invalid', { reason: 'answer_holds_key' })
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#walk.return?.()
    return { done: true, value: undefined }
  }
}

/** A piece and the bytes before it, in one. To join them anew each time costs a Buffer that outlives the piece. */
class RecentBytes {
  #bytes: Buffer = NOTHING
  #length = 0

  /** Good until it is called again. */
  with(piece: Uint8Array): Buffer {
    const from = Math.max(0, this.#length - SEEN_AGAIN_BYTES)
    const before = this.#length - from
    const isRoom = this.#length + piece.length <= this.#bytes.length
    if (!isRoom) {
      const kept = this.#bytes.subarray(from, this.#length)
      if (before + piece.length > this.#bytes.length) this.#bytes = Buffer.alloc(2 * (before + piece.length))
      this.#bytes.set(kept)
      this.#length = before
    }
    this.#bytes.set(piece, this.#length)
    this.#length += piece.length
    return this.#bytes.subarray(this.#length - piece.length - before, this.#length)
  }
}

const NOTHING = Buffer.alloc(0)
