import { deepFreeze, isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import type { StreamFrame } from '#door/stream_frame.ts'
import { typeOf } from './upstream_event.ts'

/** An event that adds to a text, and where in it the text goes. */
export interface TextPlace {
  readonly value: JsonObject
  readonly path: readonly string[]
}

/** A frame of a format whose events are named by their `type`. */
export function typedFrame(
  value: JsonObject,
  texts: StreamFrame['texts'] = [],
  ends: StreamFrame['ends'] = [],
): StreamFrame {
  return { event: typeOf(value), value: deepFreeze(value), texts, ends }
}

export function withText(
  value: JsonObject,
  [step = '', ...rest]: readonly string[],
  text: string,
): JsonObject {
  const inner = value[step]
  return { ...value, [step]: isJsonObject(inner) ? withText(inner, rest, text) : text }
}

/** True for none as well. */
export function isEmptyList(value: JsonValue | undefined): boolean {
  return value === undefined || (isJsonArray(value) && value.length === 0)
}
