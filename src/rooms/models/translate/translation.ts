import type { JsonObject } from '#base/json.ts'
import type { StreamFormat } from '../formats/stream_format.ts'
import type { ModelApi } from '../provider.ts'
import type { StreamTranslator } from './stream_translator.ts'

/** How requests of one API are answered by a provider that speaks another. All throw `api.unsupported`. */
export interface Translation {
  /** What callers speak. */
  readonly from: ModelApi
  /** What the provider speaks. */
  readonly to: ModelApi
  request(request: JsonObject): JsonObject
  answer(answer: JsonObject): JsonObject
  /** For the streamed answer to one request as the caller sent it. */
  stream(request: JsonObject): {
    readonly translator: StreamTranslator
    /** Of what callers speak. */
    readonly format: StreamFormat
    /** What `format` reads once the translator has said all; undefined where that is the end already. */
    readonly last: string | undefined
  }
}
