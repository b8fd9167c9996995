/** Bytes inside a URL (RFC 2397), in base 64. */
export interface DataUrl {
  readonly mediaType: string
  readonly data: string
}

/** Undefined for a URL that is none, holds parameters of its type, or is not in base 64 (RFC 4648 section 4). */
export function readDataUrl(url: string): DataUrl | undefined {
  const comma = url.indexOf(',')
  const [, mediaType] = HEAD.exec(url.slice(0, Math.min(comma, HEAD_LENGTH))) ?? []
  const data = url.slice(comma + 1)
  if (mediaType === undefined || data === '' || NOT_BASE64.test(data)) return undefined
  return { mediaType, data }
}

export function printDataUrl({ mediaType, data }: DataUrl): string {
  return `data:${mediaType};base64,${data}`
}

const HEAD = /^data:([a-z]+\/[a-z0-9.+-]+);base64$/
const HEAD_LENGTH = 128
const NOT_BASE64 = /[^A-Za-z0-9+/=]/
