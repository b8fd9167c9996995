import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { indexOf, malformed } from './upstream_event.ts'

export type Path = readonly (string | number)[]

/** A string of a delta, under one name for all deltas of its choice. */
export interface DeltaText {
  readonly name: string
  readonly path: Path
  readonly text: string
  /** `piece`: clients put it behind the one before. `whole`: a later one takes the place of an earlier one. */
  readonly kind: 'piece' | 'whole'
}

/**
 * The strings of the `delta` of a choice that come in pieces: those that clients are known to put together, wherever they
 * stand, and all that stand right in the delta, since there are clients that put any of these together. And the names of
 * called functions, which some clients put together and others replace. Throws `upstream.invalid`.
 */
export function textsOf(delta: JsonObject): readonly DeltaText[] {
  const found: DeltaText[] = []
  gather(delta, { name: '', path: [] }, found)
  return found
}

/** A delta with nothing but one text, and beside the path to it what tells clients where the text belongs. */
export function onlyText(delta: JsonValue, path: Path, text: string): JsonValue {
  const [step, ...rest] = path
  if (step === undefined) return text
  if (isJsonArray(delta)) return [onlyText(delta[Number(step)] ?? null, rest, text)]
  const object = isJsonObject(delta) ? delta : {}
  const kept = PLACING.flatMap((name) => {
    const { [name]: placing } = object
    return placing === undefined || name === step ? [] : [[name, placing] as const]
  })
  return { ...Object.fromEntries(kept), [step]: onlyText(object[step] ?? null, rest, text) }
}

/** The path to the text of `onlyText`. */
export function pathOfOnly(path: Path): Path {
  return path.map((step) => (typeof step === 'number' ? 0 : step))
}

/** What tells the elements of a list apart. */
const PLACING = ['index', 'type'] as const

/** In a delta these name something, and are said whole. */
const LABELS: ReadonlySet<string> = new Set(['id', 'name', 'role', 'type'])

/**
 * Inside the lists and objects of a delta these are pieces: of tool calls, of audio, of the parts in which others send
 * content, thinking and reasoning. Not so `data` of audio and signatures: these are bytes, and looked at whole.
 */
const PIECES: ReadonlySet<string> = new Set([
  'arguments',
  'content',
  'input',
  'reasoning',
  'refusal',
  'summary',
  'text',
  'thinking',
  'transcript',
])

const CALLS: ReadonlySet<string> = new Set(['function_call', 'tool_calls'])

interface Place {
  readonly name: string
  readonly path: Path
}

function gather(object: JsonObject, place: Place, found: DeltaText[]): void {
  const isTop = place.path.length === 0
  for (const member of Object.keys(object)) {
    const value = object[member] ?? null
    if (value === null) continue
    if (typeof value === 'string') {
      const isPiece = isTop ? !LABELS.has(member) : PIECES.has(member)
      if (!isPiece && !isNameOfCall(place, member)) continue
      const { name, path } = inside(place, member, escaped(member))
      found.push({ name, path, text: value, kind: isPiece ? 'piece' : 'whole' })
    } else if (isJsonArray(value)) gatherElements(value, inside(place, member, escaped(member)), found)
    else if (isJsonObject(value)) gather(value, inside(place, member, escaped(member)), found)
    // A client would put the digits of numbers together, too.
    else if (PIECES.has(member)) throw malformed('text')
  }
}

function gatherElements(elements: readonly JsonValue[], place: Place, found: DeltaText[]): void {
  for (const [at, element] of elements.entries()) {
    if (!isJsonObject(element)) continue
    const index = indexOf(element, 'index', LIMITS.streamCalls) ?? at
    if (index >= LIMITS.streamCalls) throw malformed('index')
    gather(element, inside(place, at, String(index)), found)
  }
}

function inside({ name, path }: Place, step: string | number, part: string): Place {
  return { name: name === '' ? part : `${name}.${part}`, path: [...path, step] }
}

/** Two names of members never become one name of a channel. */
function escaped(member: string): string {
  return NEEDS_ESCAPE.test(member) ? member.replaceAll(/[.\\]/g, '\\$&') : member
}

const NEEDS_ESCAPE = /[.\\]/

function isNameOfCall({ path }: Place, member: string): boolean {
  return member === 'name' && CALLS.has(String(path[0]))
}
