import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { TextPlace } from './typed_frame.ts'
import { indexOf, malformed } from './upstream_event.ts'

/** A text of an event to which other events add, under the name of its channel. */
export interface ResponseText {
  readonly channel: string
  readonly path: readonly (string | number)[]
  readonly text: string
  /** An event that adds to it. */
  readonly more: TextPlace
}

/** The texts that an event begins or goes on with. Throws `upstream.invalid`. */
export function textsOf(event: JsonObject, type: string): readonly ResponseText[] {
  if (type.endsWith('.delta')) return OPAQUE.has(type) ? [] : ofDelta(event, stemOf(type))
  if (!type.endsWith('.added')) return []
  const { item, part, command } = event
  if (isJsonObject(item)) return ofItem(event, item)
  if (isJsonObject(part)) return ofPart(placeOf(event), part, ['part'])
  return typeof command === 'string' ? ofCommand(placeOf(event), command, ['command']) : []
}

/** The scope that ends with an event; undefined when none does. */
export function scopeOf(event: JsonObject, type: string): string | undefined {
  if (!type.endsWith('.done')) return undefined
  const { scope } = placeOf(event)
  return WHOLE_SCOPES.has(type) ? scope : `${scope}.${stemOf(type)}`
}

/** Base 64 of sound: bytes, looked at whole. */
const OPAQUE: ReadonlySet<string> = new Set(['response.audio.delta'])

/** All other events that end in `.done` end one text. */
const WHOLE_SCOPES: ReadonlySet<string> = new Set([
  'response.output_item.done',
  'response.content_part.done',
  'response.reasoning_summary_part.done',
])

/** By the type of a part: what its deltas are called, and the member with its text. */
const PARTS: ReadonlyMap<string, readonly [stem: string, member: string]> = new Map([
  ['output_text', ['output_text', 'text']],
  ['refusal', ['refusal', 'refusal']],
  ['reasoning_text', ['reasoning_text', 'text']],
  ['summary_text', ['reasoning_summary_text', 'text']],
])

/** The same by the type of an item. */
const ITEMS: ReadonlyMap<string, readonly [stem: string, path: readonly string[]]> = new Map([
  ['function_call', ['function_call_arguments', ['arguments']]],
  ['mcp_call', ['mcp_call_arguments', ['arguments']]],
  ['custom_tool_call', ['custom_tool_call_input', ['input']]],
  ['code_interpreter_call', ['code_interpreter_call_code', ['code']]],
  ['apply_patch_call', ['apply_patch_call_operation_diff', ['operation', 'diff']]],
])

const COMMAND = 'shell_call_command'

/** Which text of an answer an event is about. */
interface Place {
  /** As in `0`, `0.content1` and `2.command0`; `-` for what belongs to no item. */
  readonly scope: string
  /** The members that say so in an event. */
  readonly members: JsonObject
}

const STEPS = [
  ['content', 'content_index'],
  ['summary', 'summary_index'],
  ['command', 'command_index'],
] as const

function placeOf(event: JsonObject): Place {
  const output = indexOf(event, 'output_index', LIMITS.streamBlocks)
  const { item_id: id } = event
  // Some clients go by the index and some by the id: without the index we could not tell two texts apart.
  if (output === undefined && typeof id === 'string') throw malformed('index')
  let place: Place = {
    scope: output === undefined ? '-' : String(output),
    members: {
      ...(typeof id === 'string' ? { item_id: id } : {}),
      ...(output === undefined ? {} : { output_index: output }),
    },
  }
  for (const [word, member] of STEPS) {
    const index = indexOf(event, member, LIMITS.streamBlocks)
    if (index !== undefined) place = inside(place, word, index)
  }
  return place
}

function inside({ scope, members }: Place, word: (typeof STEPS)[number][0], index: number): Place {
  return { scope: `${scope}.${word}${index}`, members: { ...members, [`${word}_index`]: index } }
}

/** `output_text` of `response.output_text.delta`; what is no event of a response stays as it is. */
function stemOf(type: string): string {
  return /^response\.(.+)\.(?:delta|done)$/.exec(type)?.[1] ?? type
}

function deltaTypeOf(stem: string): string {
  return stem.endsWith('.delta') ? stem : `response.${stem}.delta`
}

function ofDelta(event: JsonObject, stem: string): readonly ResponseText[] {
  const { delta = null } = event
  const place = placeOf(event)
  if (typeof delta === 'string') return [textOf(place, stem, ['delta'], delta)]
  if (!isJsonObject(delta)) throw malformed('delta')
  return Object.entries(delta).flatMap(([member, text]) => {
    if (typeof text !== 'string') return []
    const { scope, members } = place
    const name = `${scope}.${stem}.${member.replaceAll(/[.\\]/g, '\\$&')}`
    const value = { type: deltaTypeOf(stem), ...members, delta: { [member]: text } }
    return [{ channel: name, path: ['delta', member], text, more: { value, path: ['delta', member] } }]
  })
}

function ofItem(event: JsonObject, item: JsonObject): readonly ResponseText[] {
  const { id } = item
  const { scope, members } = placeOf(event)
  const place = { scope, members: { ...members, ...(typeof id === 'string' ? { item_id: id } : {}) } }
  const { action } = item
  const commands = listOf(isJsonObject(action) ? action['commands'] : undefined)
  return [
    ...ofMember(place, item),
    ...listOf(item['content']).flatMap((part, at) =>
      isJsonObject(part) ? ofPart(inside(place, 'content', at), part, ['item', 'content', at]) : [],
    ),
    ...listOf(item['summary']).flatMap((part, at) =>
      isJsonObject(part) ? ofPart(inside(place, 'summary', at), part, ['item', 'summary', at]) : [],
    ),
    ...commands.flatMap((command, at) =>
      typeof command === 'string'
        ? ofCommand(inside(place, 'command', at), command, ['item', 'action', 'commands', at])
        : [],
    ),
  ]
}

function ofMember(place: Place, item: JsonObject): readonly ResponseText[] {
  const found = known(ITEMS, item)
  if (found === undefined) return []
  const [stem, path] = found
  const text = path.reduce<JsonValue | undefined>(
    (value, step) => (isJsonObject(value) ? value[step] : undefined),
    item,
  )
  return typeof text === 'string' ? [textOf(place, stem, ['item', ...path], text)] : []
}

function ofPart(
  place: Place,
  part: JsonObject,
  before: readonly (string | number)[],
): readonly ResponseText[] {
  const found = known(PARTS, part)
  if (found === undefined) return []
  const [stem, member] = found
  const text = part[member]
  return typeof text === 'string' ? [textOf(place, stem, [...before, member], text)] : []
}

function known<T>(kinds: ReadonlyMap<string, T>, { type }: JsonObject): T | undefined {
  return typeof type === 'string' ? kinds.get(type) : undefined
}

function ofCommand(
  place: Place,
  command: string,
  path: readonly (string | number)[],
): readonly ResponseText[] {
  return [textOf(place, COMMAND, path, command)]
}

function textOf(
  { scope, members }: Place,
  stem: string,
  path: readonly (string | number)[],
  text: string,
): ResponseText {
  const value = { type: deltaTypeOf(stem), ...members, delta: '', ...FILLING.get(stem) }
  return { channel: `${scope}.${stem}`, path, text, more: { value, path: ['delta'] } }
}

/** What clients expect in such an event besides. */
const FILLING: ReadonlyMap<string, JsonObject> = new Map([['output_text', { logprobs: [] }]])

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return value !== undefined && isJsonArray(value) ? value : []
}
