import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import type { ModelApi } from './provider.ts'

/** What of a request is no text. */
export interface Media {
  readonly images: number
  /** Bytes of pictures and of sound as they stand in the request. */
  readonly imageBytes: number
  readonly audioBytes: number
  readonly hasSound: boolean
  /** True when there is anything whose length in tokens nothing here says: a file, a link, a part that is not known. */
  readonly hasDocument: boolean
}

/**
 * Looks for pictures, sound and documents where the API has them and nowhere else: what stands in another place is read as
 * text, whatever it looks like. What is not known to be text may be anything, as a film behind a link.
 */
export function mediaOf(api: ModelApi, request: JsonObject): Media {
  const found = { images: 0, imageBytes: 0, audioBytes: 0, hasSound: false, hasDocument: false }
  const lists = api === 'responses' ? [request['input']] : [request['messages'], request['system']]
  for (const list of lists) for (const one of objectsIn(list)) visit({ api, found }, one, 0)
  return found
}

interface Visit {
  readonly api: ModelApi
  readonly found: { -readonly [Name in keyof Media]: Media[Name] }
}

/** A message, a result of a tool in it, a page in that, and one more. */
const MOST_DEPTH = 4

/** Members that hold parts, in a message, an item, a result of a tool, or a document made of parts. */
const HOLDERS = ['content', 'output']

function visit(walk: Visit, part: JsonObject, depth: number): void {
  take(walk, part)
  if (depth >= MOST_DEPTH) return
  const source = part['source']
  const holders = [...HOLDERS.map((name) => part[name]), isJsonObject(source) ? source['content'] : undefined]
  for (const list of holders) for (const one of objectsIn(list)) visit(walk, one, depth + 1)
}

/** Where each API has pictures; those of another one are not known. */
const IMAGES: Readonly<Record<ModelApi, readonly string[]>> = {
  chat: ['image_url'],
  responses: ['input_image', 'computer_screenshot'],
  messages: ['image'],
  count_tokens: ['image'],
  embeddings: [],
}

/** Parts and items that hold nothing but text, and such as hold parts. */
const TEXTS =
  /^(?:message|text|refusal|thinking|redacted_thinking|reasoning|compaction|tool_reference|mcp_list_tools|mcp_approval_re(?:quest|sponse)|additional_tools|search_result|(?:[a-z_]+_)?(?:text|tool_use|result|error)|(?!image_generation_)[a-z_]+_(?:call|call_output))$/

function take({ api, found }: Visit, part: JsonObject): void {
  const { type = null, source, input_audio: audio, audio: said } = part
  // An answer that was heard, by its id alone.
  if (isJsonObject(said)) found.hasSound = found.hasDocument = true
  // A message may have no type.
  if (type === null) return
  if (typeof type !== 'string') found.hasDocument = true
  else if (IMAGES[api].includes(type)) {
    found.images += 1
    found.imageBytes += dataBytes(type === 'image' ? source : part['image_url'])
  } else if (type === 'input_audio') {
    const data = isJsonObject(audio) ? audio['data'] : undefined
    found.audioBytes += bytesOf(data)
    found.hasSound = true
    if (typeof data !== 'string') found.hasDocument = true
  } else if (type === 'document') {
    const kind = isJsonObject(source) ? source['type'] : undefined
    if (kind !== 'text' && kind !== 'content') found.hasDocument = true
  } else if (!TEXTS.test(type)) {
    found.hasDocument = true
    if (type.includes('audio')) found.hasSound = true
  }
}

/** Bytes of a picture that is in the request itself. A link is counted as the text that it is. */
function dataBytes(value: JsonValue | undefined): number {
  if (typeof value === 'string') return value.startsWith('data:image/') ? Buffer.byteLength(value) : 0
  if (!isJsonObject(value)) return 0
  return value['type'] === 'base64' ? bytesOf(value['data']) : dataBytes(value['url'])
}

function bytesOf(value: JsonValue | undefined): number {
  return typeof value === 'string' ? Buffer.byteLength(value) : 0
}

function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  if (isJsonObject(value)) return [value]
  return value !== undefined && isJsonArray(value) ? value.filter(isJsonObject) : []
}
