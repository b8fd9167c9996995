import { Fault } from '#base/fault.ts'
import type { SecretEcho } from '#base/secret_echo.ts'

/** Bytes that are looked at again with what follows: a key of 128 characters in the longest of its disguises. */
const SEEN_AGAIN_BYTES = 1_024

/**
 * Hands bytes on as they come, and throws `upstream.invalid` before any that hold our key in one piece. One that a
 * server spreads over several events is not found here: that is for the guard of the texts.
 */
export async function* watchForEcho(
  body: AsyncIterable<Uint8Array>,
  echo: SecretEcho | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  let before: Uint8Array = new Uint8Array(0)
  for await (const piece of body) {
    if (echo !== undefined) {
      const view = Buffer.concat([before, piece])
      if (echo.isIn(view)) throw new Fault('upstream.invalid', { reason: 'answer_holds_key' })
      before = view.subarray(Math.max(0, view.length - SEEN_AGAIN_BYTES))
    }
    yield piece
  }
}
