import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '#base/clock.ts'
import { asFault, Fault } from '#base/fault.ts'
import type { FloodGuard } from '#door/flood_guard.ts'
import type { GuardedRoute } from '#door/guarded.ts'
import type { RequestMetrics } from '#door/request_metrics.ts'
import type { Authenticator, Credential } from '#trust/access/caller.ts'
import { Connections, type Connection, type ConnectionsParts } from './connections.ts'
import { readHeaders, type HeaderFacts } from './headers.ts'
import { healthReply, type Readiness } from './health.ts'
import {
  garbageFault,
  hasLongRest,
  HTTP_LIMITS,
  httpServer,
  refuseConnection,
  type HttpLimits,
} from './http_server.ts'
import { HttpIncoming } from './incoming.ts'
import { sendAndClose } from './linger.ts'
import type { ListenerRule } from './listener.ts'
import { Listening, type ListenAt } from './listening.ts'
import { refusalReply, replyOf, send, type Reply } from './reply.ts'
import { RouteTable, type FoundRoute } from './route_table.ts'
import { Sources } from './source.ts'
import { limitStall } from './stalled_reply.ts'
import { isHost } from './target.ts'
import type { TlsPair } from './tls.ts'

export interface ServerParts {
  readonly at: ListenAt
  readonly tls: TlsPair | undefined
  readonly trustedProxies: readonly string[]
  readonly routes: readonly GuardedRoute[]
  readonly guard: Pick<FloodGuard, 'refusesEarly' | 'note'>
  readonly looksReal: Authenticator['looksReal']
  readonly clock: Clock
  readonly newId: () => string
  readonly metrics: Pick<RequestMetrics, 'entered' | 'left' | 'refusedEarly'>
  /** Told of each connection that was closed to make room. */
  readonly onDrop: ConnectionsParts['onDrop']
  /** Given where `/healthz` and `/readyz` are to be answered. */
  readonly readiness: (() => Readiness) | undefined
  readonly bodyBytes: number
  readonly limits?: HttpLimits
}

export interface RunningServer {
  /** `127.0.0.1:4400`, or the path of the socket. */
  readonly address: string
  /** 0 for a socket. */
  readonly port: number
  readonly rule: ListenerRule
  /** Accepts nothing more, lets what is in flight end within the drain limit, and closes. */
  close(): Promise<void>
}

/** Opens a listener whose requests go through the given routes. Throws `listener.exposed`, `listener.unavailable`. */
export async function openServer(parts: ServerParts): Promise<RunningServer> {
  const limits = parts.limits ?? HTTP_LIMITS
  const sources = new Sources(parts.trustedProxies)
  const connections = new Connections({
    most: limits.connections,
    strangersPerBlock: limits.strangersPerBlock,
    // Who connects to the socket of the home owns it.
    isTrusted: (peer) => parts.at.kind === 'socket' || sources.isTrustedProxy(peer),
    onDrop: parts.onDrop,
  })
  const face = new HttpFace(parts, sources, connections)
  const server = httpServer(
    (request, response) => void face.serve(request, response),
    (error, socket) => face.refuseGarbage(error, socket),
    parts.tls,
    limits,
  )
  const { at, clock } = parts
  const { expiryCheckMs } = limits
  const listening = await Listening.open(server, { at, sources, connections, clock, expiryCheckMs })
  const { address, port, rule } = listening
  const close = async (): Promise<void> => {
    listening.stop()
    await face.drain(limits.drainMs)
    await listening.close()
  }
  return { address, port, rule, close }
}

const OWNER: Credential = Object.freeze({ kind: 'socket' })
const OWNER_ADDRESS = 'socket'
const NO_FACTS: HeaderFacts = Object.freeze(readHeaders([]))

class HttpFace {
  readonly #parts: ServerParts
  readonly #limits: HttpLimits
  readonly #routes: RouteTable
  readonly #sources: Sources
  readonly #connections: Connections
  readonly #isSocket: boolean
  #inFlight = 0
  #drained: (() => void) | undefined
  #isClosing = false

  constructor(parts: ServerParts, sources: Sources, connections: Connections) {
    this.#parts = parts
    this.#limits = parts.limits ?? HTTP_LIMITS
    this.#routes = new RouteTable(parts.routes)
    this.#sources = sources
    this.#connections = connections
    this.#isSocket = parts.at.kind === 'socket'
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const connection = this.#connections.of(request.socket)
    if (connection.isBroken) return
    const id = this.#parts.newId()
    const visit: Visit = {
      id,
      request,
      response,
      connection,
      facts: NO_FACTS,
      credential: undefined,
      address: this.#isSocket ? OWNER_ADDRESS : connection.peer,
      isWork: false,
    }
    this.#enter(visit)
    try {
      this.#read(visit)
      const health = this.#health(request, id)
      const found = health === undefined ? this.#receive(visit) : undefined
      const reply = found === undefined ? health : await this.#pass(visit, found)
      if (reply !== undefined) this.#reply(visit, reply)
    } catch (thrown) {
      this.#reply(visit, this.#refuse(visit, asFault(thrown)))
    }
  }

  refuseGarbage(error: NodeJS.ErrnoException, socket: Socket): void {
    const { busy, peer, isBroken } = this.#connections.of(socket)
    // It has its refusal, and closes with it.
    if (isBroken) return
    const fault = garbageFault(error)
    // A reply here would be taken for the reply to a request that is still being worked on.
    if (fault === undefined || !socket.writable || busy > 0) {
      socket.destroy()
      return
    }
    this.#parts.guard.note(this.#isSocket ? OWNER_ADDRESS : peer, fault.code, false)
    this.#parts.metrics.refusedEarly(fault.code)
    refuseConnection(socket, fault, this.#parts.newId())
  }

  /** Resolves when nothing is in flight, or after the limit. */
  async drain(limitMs: number): Promise<void> {
    this.#isClosing = true
    if (this.#inFlight === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#drained = resolve
    const timer = setTimeout(resolve, limitMs)
    await promise
    clearTimeout(timer)
  }

  #health(request: IncomingMessage, id: string): Reply | undefined {
    const { readiness } = this.#parts
    return readiness === undefined ? undefined : healthReply(request, readiness, id)
  }

  /** What every request must be, one for health too. Until this is known nobody can say where it ends. */
  #read(visit: Visit): void {
    const { request, connection } = visit
    connection.isBroken = true
    // Node's parser lets HTTP/0.9 pass, which has neither headers nor a status to refuse with.
    if (request.httpVersionMajor !== 1) throw new Fault('input.invalid', {}, { say: 'This is not HTTP/1.1.' })
    visit.facts = readHeaders(request.rawHeaders)
    const { transferCoding } = visit.facts
    const isChunked = transferCoding?.toLowerCase() === 'chunked' && request.httpVersionMinor === 1
    // RFC 9112 section 6.1: another program may see the end of any other body elsewhere.
    if (transferCoding !== undefined && !isChunked)
      throw new Fault(
        'input.invalid',
        {},
        { say: 'Transfer-Encoding may only be "chunked", once, in HTTP/1.1.' },
      )
    connection.isBroken = false
  }

  /** Everything before the pipeline; nothing here looks at the body. */
  #receive(visit: Visit): FoundRoute {
    const { request, connection, facts } = visit
    const { host = '' } = facts
    visit.credential = this.#isSocket ? OWNER : facts.credential
    if (!this.#isSocket) visit.address = this.#sources.sourceOf(connection.peer, facts.forwardedFor)
    if (host !== connection.host) {
      if (!isHost(host)) throw new Fault('target.invalid', { reason: 'host' })
      connection.host = host
    }
    return this.#routes.find(request.method ?? '', request.url ?? '', host)
  }

  async #pass(visit: Visit, found: FoundRoute): Promise<Reply> {
    const { id, request, response, connection, facts, address, credential = facts.credential } = visit
    const { guard, looksReal, metrics, bodyBytes } = this.#parts
    const { route } = found
    const { envelope } = route
    const wait = this.#isSocket ? undefined : guard.refusesEarly(address, looksReal(credential))
    if (wait !== undefined) {
      const fault = throttled(wait)
      metrics.refusedEarly(fault.code)
      return refusalReply({ fault, stage: 'receive', id, envelope })
    }
    const limits = { bytes: bodyBytes, timeoutMs: this.#limits.bodyTimeoutMs }
    const onProven = (caller: string): void => this.#connections.prove(connection, caller)
    const onArrived = (): void => beginWork(visit)
    const unread = { request, response, facts, limits }
    const incoming = new HttpIncoming({ ...unread, id, found, credential, address, onProven, onArrived })
    return replyOf(await route.handle(incoming), { id, envelope })
  }

  /** The refusal of a request that never came to the pipeline: counted, but no entry of its own. */
  #refuse(visit: Visit, fault: Fault): Reply {
    const { id, request, address, credential } = visit
    const { guard, looksReal, metrics } = this.#parts
    const wait = guard.note(address, fault.code, credential !== undefined && looksReal(credential))
    const told = wait === undefined ? fault : throttled(wait)
    metrics.refusedEarly(told.code)
    // A client of OpenAI with a wrong path can only read OpenAI's envelope.
    const envelope = request.url?.startsWith('/v1/') === true ? 'openai' : 'problem'
    return refusalReply({ fault: told, stage: 'receive', id, envelope })
  }

  #reply({ request, response, connection }: Visit, reply: Reply): void {
    if (response.destroyed || response.writableEnded) return
    if (hasLongRest(request)) {
      sendAndClose(request, response, reply, this.#limits.lingerMs)
      return
    }
    if (this.#isClosing || connection.isBroken) reply.headers.push('connection', 'close')
    send(response, reply)
    limitStall(response, this.#limits.stalledReplyMs)
  }

  /** A request is in flight until its reply has left. */
  #enter(visit: Visit): void {
    visit.connection.busy += 1
    this.#inFlight += 1
    this.#parts.metrics.entered()
    visit.response.once('close', () => this.#leave(visit))
  }

  #leave({ connection, isWork }: Visit): void {
    connection.busy -= 1
    if (isWork) connection.working -= 1
    this.#inFlight -= 1
    this.#parts.metrics.left()
    if (this.#inFlight === 0) this.#drained?.()
  }
}

/** One request on its way in; filled as far as it was understood. */
interface Visit {
  readonly id: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly connection: Connection
  facts: HeaderFacts
  credential: Credential | undefined
  address: string
  /** True once its body has arrived with a proven caller. */
  isWork: boolean
}

function beginWork(visit: Visit): void {
  visit.isWork = true
  visit.connection.working += 1
}

function throttled(retryAfterSeconds: number): Fault {
  return new Fault('source.throttled', {}, { retryAfterSeconds })
}
