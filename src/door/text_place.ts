import { isJsonArray, isJsonObject, type JsonValue } from '#base/json.ts'
import type { ChannelText } from './stream_frame.ts'

export type Path = ChannelText['path']

/** The text at a path; empty where there is none. */
export function textAt(value: JsonValue, path: Path): string {
  let found: JsonValue | undefined = value
  for (const step of path) found = found === undefined ? undefined : memberOf(found, step)
  return typeof found === 'string' ? found : ''
}

/** A copy along the path only, with the text at its end; the value itself where nothing changes. */
export function withText<T extends JsonValue>(value: T, path: Path, text: string, depth?: number): T
export function withText(value: JsonValue, path: Path, text: string, depth = 0): JsonValue {
  const step = path[depth]
  if (step === undefined) return text
  const inside = memberOf(value, step)
  if (inside === undefined) return value
  const inner = withText(inside, path, text, depth + 1)
  if (inner === inside) return value
  if (isJsonArray(value)) return value.with(Number(step), inner)
  return { ...(isJsonObject(value) ? value : {}), [step]: inner }
}

interface PlacedText {
  readonly path: Path
  readonly text: string
}

/** As `withText` for many. Each object is copied once, however many texts are in it: a frame may hold thousands. */
export function withTexts<T extends JsonValue>(value: T, texts: readonly PlacedText[], depth?: number): T
export function withTexts(value: JsonValue, texts: readonly PlacedText[], depth = 0): JsonValue {
  const [first] = texts
  if (first !== undefined && texts.length === 1) return withText(value, first.path, first.text, depth)
  const last = texts.findLast(({ path }) => path.length === depth)
  if (last !== undefined) return last.text
  const inner = new Map<string | number, JsonValue>()
  for (const [step = '', below] of Map.groupBy(texts, ({ path }) => path[depth])) {
    const inside = memberOf(value, step)
    if (inside !== undefined) inner.set(step, withTexts(inside, below, depth + 1))
  }
  if (inner.size === 0) return value
  if (isJsonArray(value)) return value.map((element, at) => inner.get(at) ?? element)
  return { ...(isJsonObject(value) ? value : {}), ...Object.fromEntries(inner) }
}

function memberOf(value: JsonValue, step: string | number): JsonValue | undefined {
  if (isJsonArray(value)) return typeof step === 'number' ? value[step] : undefined
  return isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined
}
