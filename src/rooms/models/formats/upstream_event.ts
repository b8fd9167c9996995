import { Fault } from '#base/fault.ts'
import { readForeignJson } from '#base/foreign_json.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { ServerSentEvent } from '#base/sse.ts'

/** The object that an event carries. Throws `upstream.invalid`. */
export function readObject({ data }: ServerSentEvent): JsonObject {
  const value = readForeignJson(data, EVENT_LIMITS)
  if (value === undefined) throw malformed('event_unreadable')
  if (!isJsonObject(value)) throw malformed('event_shape')
  return value
}

const EVENT_LIMITS = { jsonDepth: LIMITS.jsonDepth, jsonNodes: LIMITS.answerJsonNodes } as const

/** The `type` of an event, which becomes its name: whoever reads the name reads the same as whoever reads the type. */
export function typeOf(event: JsonObject): string {
  const { type } = event
  if (typeof type !== 'string' || !TYPE_FORM.test(type)) throw malformed('event_type')
  return type
}

const TYPE_FORM = /^[a-z][\w.]{0,127}$/

/** An index of a list, within the limit; undefined where there is none. Throws `upstream.invalid`. */
export function indexOf(value: JsonObject, name: string, limit: number): number | undefined {
  const index = value[name]
  if (index === undefined || index === null) return undefined
  if (typeof index === 'number' && Number.isSafeInteger(index) && index >= 0 && index < limit) return index
  throw malformed('index')
}

/** As `indexOf`, for one that must be there. */
export function neededIndexOf(value: JsonObject, name: string, limit: number): number {
  const index = indexOf(value, name, limit)
  if (index === undefined) throw malformed('index')
  return index
}

/** A count of tokens under one of the names; undefined where there is none. */
export function countOf(usage: JsonValue | undefined, name: string): number | undefined {
  const count = isJsonObject(usage) ? usage[name] : undefined
  return typeof count === 'number' && Number.isSafeInteger(count) && count >= 0 ? count : undefined
}

/** The upstream broke its format. `reason` is a word of ours. */
export function malformed(reason: string): Fault {
  return new Fault('upstream.invalid', { reason })
}

/** The upstream tells of an error. Its text could repeat the request or a key, so only a word that we know is kept. */
export function toldError(error: JsonValue | undefined): Fault {
  const { type, code } = isJsonObject(error) ? error : { type: undefined, code: undefined }
  const word = ERROR_WORDS.find((known) => known === code) ?? ERROR_WORDS.find((known) => known === type)
  return new Fault('upstream.failed', {
    reason: 'error_event',
    ...(word === undefined ? {} : { upstream_error: word }),
  })
}

/** What the error objects of OpenAI and Anthropic may name. */
const ERROR_WORDS = [
  'api_error',
  'authentication_error',
  'billing_error',
  'content_filter',
  'context_length_exceeded',
  'insufficient_quota',
  'invalid_prompt',
  'invalid_request_error',
  'not_found_error',
  'overloaded_error',
  'permission_error',
  'rate_limit_error',
  'rate_limit_exceeded',
  'server_error',
  'timeout_error',
]
