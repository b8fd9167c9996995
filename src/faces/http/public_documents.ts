import type { IncomingMessage } from 'node:http'
import { toBase64Url, utf8 } from '#base/bytes.ts'
import { sha256 } from '#base/crypto.ts'
import { namesTag } from '#base/entity_tag.ts'
import type { LogDocument } from '#rooms/log/open_log.ts'
import { bytesReply, type Reply } from './reply.ts'

/** Documents that are open to all, by path: what relying parties need to check our tokens. They hold nothing of any caller. */
export type PublicDocuments = ReadonlyMap<string, () => string>

/** How long others may keep one: a key is published at least this long before it signs. */
const KEPT_SECONDS = 300

/** The reply to a request for one of them; undefined for everything else. */
export function documentReply(
  { url = '', method }: IncomingMessage,
  documents: PublicDocuments,
  to: OpenReader,
): Reply | undefined {
  const document = isRead({ method }) ? documents.get(url) : undefined
  if (document === undefined) return undefined
  const cache = `public, max-age=${KEPT_SECONDS}`
  return openReply({ type: 'application/json', cache, bytes: utf8(document()) }, to)
}

/** True for a request that may ask for what is open to all. */
export function isRead({ method }: Pick<IncomingMessage, 'method'>): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** Who asks for something that is open to all. */
export interface OpenReader {
  readonly id: string
  /** The entity tags of what it has already, or `*`. */
  readonly ifNoneMatch: string | undefined
}

/** The reply with something that is open to all, or that it is what the reader has already (RFC 9110 section 13.1.2). */
export function openReply({ type, cache, bytes }: LogDocument, { id, ifNoneMatch }: OpenReader): Reply {
  const tag = `"${toBase64Url(sha256(bytes))}"`
  const isHeld = ifNoneMatch !== undefined && namesTag(ifNoneMatch, tag)
  const reply = isHeld
    ? { status: 304, headers: ['cache-control', cache, 'x-request-id', id], body: '' }
    : bytesReply({ status: 200, bytes, cache }, id, type)
  // Clients in browsers read them too (RFC 8414 section 3).
  reply.headers.push('etag', tag, 'access-control-allow-origin', '*')
  return reply
}
