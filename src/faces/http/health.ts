import type { IncomingMessage } from 'node:http'
import type { Reply } from './reply.ts'

/** Whether the door can decide and record. Reasons are our own words, such as `ledger.unwritable`. */
export interface Readiness {
  readonly isReady: boolean
  /** What is wrong or degraded; may hold something although the door is ready. */
  readonly reasons: readonly string[]
}

/** The reply to `/healthz` (200 while the process lives) and `/readyz`; undefined for everything else. Open to all. */
export function healthReply(
  request: IncomingMessage,
  readiness: () => Readiness,
  id: string,
): Reply | undefined {
  const { url, method } = request
  if ((url !== '/healthz' && url !== '/readyz') || (method !== 'GET' && method !== 'HEAD')) return undefined
  if (url === '/healthz') return jsonReply(200, '{"status":"ok"}', id)
  const { isReady, reasons } = readiness()
  const status = isReady ? 'ready' : 'not ready'
  return jsonReply(isReady ? 200 : 503, JSON.stringify({ status, reasons }), id)
}

function jsonReply(status: number, body: string, id: string): Reply {
  const headers = [
    'content-type',
    'application/json',
    'content-length',
    String(Buffer.byteLength(body)),
    'cache-control',
    'no-store',
    'x-request-id',
    id,
  ]
  return { status, headers, body }
}
