import type { IncomingMessage } from 'node:http'
import { utf8 } from '#base/bytes.ts'
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
  id: string,
): Reply | undefined {
  const document = isRead({ method }) ? documents.get(url) : undefined
  if (document === undefined) return undefined
  const cache = `public, max-age=${KEPT_SECONDS}`
  return openReply({ type: 'application/json', cache, bytes: utf8(document()) }, id)
}

/** True for a request that may ask for what is open to all. */
export function isRead({ method }: Pick<IncomingMessage, 'method'>): boolean {
  return method === 'GET' || method === 'HEAD'
}

/** The reply with something that is open to all. */
export function openReply({ type, cache, bytes }: LogDocument, id: string): Reply {
  const reply = bytesReply({ status: 200, bytes, cache }, id, type)
  // Clients in browsers read them too (RFC 8414 section 3).
  reply.headers.push('access-control-allow-origin', '*')
  return reply
}
