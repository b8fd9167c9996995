import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import type { ModelApi } from './provider.ts'

/** What of a request is no text. */
export interface Media {
  readonly images: number
  /** Bytes of pictures and of sound as they stand in the request. */
  readonly imageBytes: number
  readonly audioBytes: number
  /** True when there is a file or a link whose length in tokens nothing here says. */
  readonly hasDocument: boolean
}

/**
 * Looks for pictures, sound and documents where the API has them and nowhere else: what stands in another place is read as
 * text, whatever it looks like.
 */
export function mediaOf(api: ModelApi, request: JsonObject): Media {
  const found = { images: 0, imageBytes: 0, audioBytes: 0, hasDocument: false }
  const lists = api === 'responses' ? [request['input']] : [request['messages'], request['system']]
  for (const list of lists) for (const one of objectsIn(list)) visit(one, found, 0)
  return found
}

type Found = { -readonly [Name in keyof Media]: Media[Name] }

/** A message, a result of a tool in it, a page in that, and one more. */
const MOST_DEPTH = 4

/** Members that hold parts, in a message, an item, a result of a tool, or a document made of parts. */
const HOLDERS = ['content', 'output']

function visit(part: JsonObject, found: Found, depth: number): void {
  take(part, found)
  if (depth >= MOST_DEPTH) return
  const source = part['source']
  const holders = [...HOLDERS.map((name) => part[name]), isJsonObject(source) ? source['content'] : undefined]
  for (const list of holders) for (const one of objectsIn(list)) visit(one, found, depth + 1)
}

function take(part: JsonObject, found: Found): void {
  switch (part['type']) {
    case 'image_url':
    case 'input_image':
    case 'computer_screenshot':
      found.images += 1
      found.imageBytes += dataBytes(part['image_url'])
      break
    case 'image':
      found.images += 1
      found.imageBytes += dataBytes(part['source'])
      break
    case 'input_audio': {
      const { input_audio: audio } = part
      if (isJsonObject(audio)) found.audioBytes += bytesOf(audio['data'])
      break
    }
    case 'document': {
      const { source } = part
      const kind = isJsonObject(source) ? source['type'] : undefined
      if (kind !== 'text' && kind !== 'content') found.hasDocument = true
      break
    }
    case 'file':
    case 'input_file':
    case 'container_upload':
      found.hasDocument = true
      break
    default:
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
