import type { EchoWatch } from '#base/echo_watch.ts'
import { Fault } from '#base/fault.ts'
import type { SecretEcho } from '#base/secret_echo.ts'

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
  readonly #watch: EchoWatch

  constructor(walk: AsyncIterator<Uint8Array>, echo: SecretEcho) {
    this.#walk = walk
    this.#watch = echo.newWatch()
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const next = await this.#walk.next()
    if (next.done === true || !this.#watch.endsIn(next.value)) return next
    await this.return()
    throw new Fault('upstream.invalid', { reason: 'answer_holds_key' })
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    await this.#walk.return?.()
    return { done: true, value: undefined }
  }
}
