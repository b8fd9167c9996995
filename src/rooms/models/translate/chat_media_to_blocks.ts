import type { JsonObject } from '#base/json.ts'
import { readDataUrl, type DataUrl } from './data_url.ts'
import { defined, type Given } from './given.ts'

/** The kinds of pictures that both take. */
export const PICTURES: readonly string[] = ['image/gif', 'image/jpeg', 'image/png', 'image/webp']
export const DOCUMENT = 'application/pdf'

/** A picture as its bytes or its address. How closely to look at it can be asked of OpenAI only. */
export function blockOfPicture(part: Given): JsonObject {
  part.any('type')
  const url = urlOf(part)
  part.done()
  const bytes = readDataUrl(url)
  if (bytes !== undefined && PICTURES.includes(bytes.mediaType))
    return { type: 'image', source: sourceOf(bytes) }
  if (!/^https?:\/\//.test(url)) part.refuse('image_url')
  return { type: 'image', source: { type: 'url', url } }
}

function urlOf(part: Given): string {
  const bare = part.any('image_url')
  if (typeof bare === 'string') return bare
  const picture = part.object('image_url') ?? part.refuse('image_url')
  const url = picture.neededText('url')
  picture.onlyAt('detail', 'auto')
  picture.done()
  return url
}

/** A PDF as its bytes, the name of the file as its title: models are shown both. */
export function blockOfFile(part: Given): JsonObject {
  part.any('type')
  const file = part.object('file') ?? part.refuse('file')
  const bytes = readDataUrl(file.neededText('file_data'))
  const title = file.text('filename')
  file.done()
  part.done()
  if (bytes?.mediaType !== DOCUMENT) return file.refuse('file_data')
  return defined({ type: 'document', source: sourceOf(bytes), title })
}

function sourceOf({ mediaType, data }: DataUrl): JsonObject {
  return { type: 'base64', media_type: mediaType, data }
}
