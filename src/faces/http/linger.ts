import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Reply } from './reply.ts'

/**
 * Sends a reply to a request whose body is still coming, and closes the connection.
 *
 * Closing at once would make the kernel answer the rest of the body with a reset, and the caller would lose the reply
 * with it (RFC 9112 section 9.6). So the rest is read away for a while first.
 */
export function sendAndClose(
  request: IncomingMessage,
  response: ServerResponse,
  reply: Reply,
  lingerMs: number,
): void {
  reply.headers.push('connection', 'close')
  response.writeHead(reply.status, reply.headers)
  response.write(reply.body)
  const end = (): void => {
    clearTimeout(timer)
    request.off('end', end).off('close', end)
    response.end()
  }
  const timer = setTimeout(end, lingerMs)
  request.once('end', end).once('close', end).resume()
}
