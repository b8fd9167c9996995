import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerOptions,
} from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import { refusalReply } from './reply.ts'
import type { ListenerTls } from './tls.ts'

/** Times and sizes of one listener. Tests make them small; nothing else changes them. */
export interface HttpLimits {
  readonly headersTimeoutMs: number
  readonly bodyTimeoutMs: number
  readonly checkMs: number
  readonly lingerMs: number
  readonly drainMs: number
  readonly stalledReplyMs: number
  readonly connections: number
  readonly strangersPerBlock: number
  /** How often the end of an exception is looked for: no timer runs for months, or follows a corrected clock. */
  readonly expiryCheckMs: number
}

export const HTTP_LIMITS: HttpLimits = {
  headersTimeoutMs: LIMITS.headersTimeoutMs,
  bodyTimeoutMs: LIMITS.requestTimeoutMs,
  checkMs: LIMITS.connectionCheckMs,
  lingerMs: LIMITS.lingerMs,
  drainMs: LIMITS.drainMs,
  stalledReplyMs: LIMITS.stalledReplyMs,
  connections: LIMITS.connections,
  strangersPerBlock: LIMITS.strangersPerBlock,
  expiryCheckMs: 60_000,
}

/** Ours fires first, so that the caller gets a reply; Node's own timer cuts what is left. */
const NODE_TIMEOUT_FACTOR = 2

/** A Node server with every limit set. What cannot be parsed as HTTP goes to `onGarbage`. */
export function httpServer(
  onRequest: RequestListener,
  onGarbage: (error: NodeJS.ErrnoException, socket: Socket) => void,
  tls: ListenerTls | undefined,
  limits: HttpLimits,
): Server | TlsServer {
  const options: ServerOptions = {
    maxHeaderSize: LIMITS.headerBytes,
    headersTimeout: limits.headersTimeoutMs,
    requestTimeout: limits.bodyTimeoutMs * NODE_TIMEOUT_FACTOR,
    connectionsCheckingInterval: limits.checkMs,
    keepAliveTimeout: LIMITS.keepAliveMs,
    noDelay: true,
    insecureHTTPParser: false,
    // Asked for by ourselves, so that the refusal is a problem like all others.
    requireHostHeader: false,
  }
  const server = tls === undefined ? createServer(options, onRequest) : tlsServer(options, onRequest, tls)
  // Node drops lines beyond this count without a word, so none is dropped: they are counted where they are read.
  server.maxHeadersCount = 0
  server.timeout = LIMITS.stillConnectionMs
  server.on('checkContinue', onRequest)
  // Node would answer with a bare 417, which nobody counts.
  server.on('checkExpectation', onRequest)
  server.on('clientError', onGarbage)
  return server
}

function tlsServer(options: ServerOptions, onRequest: RequestListener, tls: ListenerTls): TlsServer {
  const handshakeTimeout = options.headersTimeout
  const server = createTlsServer({ ...options, ...tls.options, handshakeTimeout }, onRequest)
  tls.attach(server)
  return server
}

/** The fault of what Node's parser or timers refused; undefined for a connection that is simply gone. */
export function garbageFault(error: NodeJS.ErrnoException): Fault | undefined {
  const { code = '' } = error
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return new Fault('input.slow')
  if (code === 'HPE_HEADER_OVERFLOW')
    return new Fault('input.too_large', {}, { say: `The headers may have ${LIMITS.headerBytes} bytes.` })
  return code.startsWith('HPE_')
    ? new Fault('input.invalid', {}, { say: 'This is not HTTP/1.1.' })
    : undefined
}

/** Writes a refusal on a connection that has no request, and closes it. */
export function refuseConnection(socket: Socket, fault: Fault, id: string): void {
  const { status, headers, body } = refusalReply({ fault, stage: 'receive', id, envelope: 'problem' })
  const lines = headers.map((part, at) => (at % 2 === 0 ? `\r\n${part}: ` : part)).join('')
  socket.end(`HTTP/1.1 ${status} Refused${lines}\r\nconnection: close\r\n\r\n${body}`)
}

/** True while more of the body may come than is read away without closing the connection. */
export function hasLongRest(request: IncomingMessage): boolean {
  if (request.complete) return false
  const { 'content-length': length, 'transfer-encoding': encoding, expect } = request.headers
  if (encoding !== undefined) return true
  const bytes = Number(length ?? 0)
  return bytes > LIMITS.lingerBytes || (bytes > 0 && expect !== undefined)
}
