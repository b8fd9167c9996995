import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Clock } from '#base/clock.ts'
import { equalSecrets, sha256 } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import { METRICS_CONTENT_TYPE } from '#base/metrics_text.ts'
import type { Sealed } from '#base/sealed.ts'
import { Connections, type ConnectionsParts } from './connections.ts'
import { readHeaders } from './headers.ts'
import { healthReply, type Readiness } from './health.ts'
import {
  garbageFault,
  hasLongRest,
  HTTP_LIMITS,
  httpServer,
  refuseConnection,
  type HttpLimits,
} from './http_server.ts'
import { sendAndClose } from './linger.ts'
import { Listening, type ListenAt } from './listening.ts'
import { refusalReply, send, type Reply } from './reply.ts'
import type { RunningServer } from './server.ts'
import { Sources } from './source.ts'
import { limitStall } from './stalled_reply.ts'
import type { TlsPair } from './tls.ts'

export interface MetricsServerParts {
  readonly at: ListenAt
  readonly tls: TlsPair | undefined
  /** Everything, as `printReadings` has it. */
  readonly expose: () => string | Promise<string>
  /** When given, everybody must send it. Outside loopback there is no listener without it. */
  readonly token: Sealed | undefined
  readonly readiness: () => Readiness
  /** Told of each connection that was closed to make room. */
  readonly onDrop: ConnectionsParts['onDrop']
  readonly clock: Clock
  readonly newId: () => string
  readonly limits?: HttpLimits
}

/** Opens the listener for `/metrics`, `/healthz` and `/readyz`. Throws `listener.exposed`, `listener.unavailable`. */
export async function openMetricsServer(parts: MetricsServerParts): Promise<RunningServer> {
  const limits = parts.limits ?? HTTP_LIMITS
  const expected = parts.token?.open((token) => sha256(token))
  const connections = new Connections({
    most: limits.connections,
    strangersPerBlock: limits.strangersPerBlock,
    isTrusted: () => false,
    onDrop: parts.onDrop,
  })
  const server = httpServer(
    (request, response) => void serve(request, response, { parts, limits, expected, connections }),
    (error, socket) => {
      const fault = garbageFault(error)
      if (fault === undefined || !socket.writable) socket.destroy()
      else refuseConnection(socket, fault, parts.newId())
    },
    parts.tls,
    limits,
  )
  const { at, clock } = parts
  const sources = new Sources([])
  const { expiryCheckMs } = limits
  const listening = await Listening.open(server, { at, sources, connections, clock, expiryCheckMs })
  const { address, port, rule } = listening
  return { address, port, rule, close: () => listening.close() }
}

/** Nobody has a name here: whoever may read is one caller. */
const SCRAPER = 'metrics'

interface Serving {
  readonly parts: MetricsServerParts
  readonly limits: HttpLimits
  /** SHA-256 of the token: secrets of any length are compared in constant time. */
  readonly expected: Uint8Array | undefined
  readonly connections: Connections
}

async function serve(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  const { lingerMs, stalledReplyMs } = serving.limits
  const reply = await replyTo(request, serving)
  if (hasLongRest(request)) {
    sendAndClose(request, response, reply, lingerMs)
    return
  }
  send(response, reply)
  limitStall(response, stalledReplyMs)
}

async function replyTo(request: IncomingMessage, { parts, expected, connections }: Serving): Promise<Reply> {
  const id = parts.newId()
  const health = healthReply(request, parts.readiness, id)
  if (health !== undefined) return health
  const refuse = (fault: Fault): Reply => refusalReply({ fault, stage: 'receive', id, envelope: 'problem' })
  if (request.url !== '/metrics') return refuse(new Fault('route.unknown'))
  if (request.method !== 'GET') return refuse(new Fault('method.wrong', { allow: 'GET' }))
  if (expected !== undefined && !hasToken(request, expected)) return refuse(new Fault('caller.unknown'))
  connections.prove(connections.of(request.socket), SCRAPER)
  const body = await parts.expose()
  const headers = ['content-type', METRICS_CONTENT_TYPE, 'content-length', String(Buffer.byteLength(body))]
  return { status: 200, headers: [...headers, 'cache-control', 'no-store', 'x-request-id', id], body }
}

function hasToken(request: IncomingMessage, expected: Uint8Array): boolean {
  const authorization = request.rawHeaders.flatMap((name, at) =>
    at % 2 === 0 && name.toLowerCase() === 'authorization'
      ? ['authorization', request.rawHeaders[at + 1] ?? '']
      : [],
  )
  const { credential } = readHeaders(authorization)
  return (
    credential.kind === 'bearer' && credential.token.open((token) => equalSecrets(sha256(token), expected))
  )
}
