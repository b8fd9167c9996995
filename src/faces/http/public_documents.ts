import type { IncomingMessage } from 'node:http'
import type { Reply } from './reply.ts'

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
  const document = method === 'GET' || method === 'HEAD' ? documents.get(url) : undefined
  if (document === undefined) return undefined
  const body = document()
  const headers = [
    'content-type',
    'application/json',
    'content-length',
    String(Buffer.byteLength(body)),
    'cache-control',
    `public, max-age=${KEPT_SECONDS}`,
    // Clients in browsers read them too (RFC 8414 section 3).
    'access-control-allow-origin',
    '*',
    'x-content-type-options',
    'nosniff',
    'x-request-id',
    id,
  ]
  return { status: 200, headers, body }
}
