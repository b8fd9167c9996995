import type { JsonObject } from '#base/json.ts'

/** Says the events of one API's streamed answer in another API. Keeps what it knows of the answer, so there is one for each. */
export interface StreamTranslator {
  /** The events that one event comes to. Throws `api.unsupported` for content without an equal, and `upstream.invalid`. */
  push(event: JsonObject): readonly JsonObject[]
  /** The answer is complete: its last events. Throws `upstream.invalid` when it cannot be. */
  end(): readonly JsonObject[]
}
