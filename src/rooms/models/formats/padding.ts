import type { JsonObject } from '#base/json.ts'

/**
 * A frame whose padding is ours. OpenAI pads frames with random text, so that their encrypted sizes do not tell how long the
 * words in them are. Nobody reads it, and so nobody would see what many of them say together: each is written anew, as long
 * as it was.
 */
export function withOwnPadding(frame: JsonObject): JsonObject {
  const { obfuscation } = frame
  if (typeof obfuscation !== 'string') return frame
  return { ...frame, obfuscation: FILLING.repeat(obfuscation.length) }
}

/** As a digit it would make numbers, as a dash the beginning of a key. */
const FILLING = 'x'
