import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { plainAddress } from '#base/address.ts'
import type { Clock } from '#base/clock.ts'
import { asFault, Fault } from '#base/fault.ts'
import type { FloodGuard } from '#door/flood_guard.ts'
import type { GuardedRoute } from '#door/guarded.ts'
import type { RequestMetrics } from '#door/request_metrics.ts'
import type { Authenticator, Credential } from '#trust/access/caller.ts'
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
  const face = new HttpFace(parts)
  const limits = parts.limits ?? HTTP_LIMITS
  const server = httpServer(
    (request, response) => void face.serve(request, response),
    (error, socket) => face.refuseGarbage(error, socket),
    parts.tls,
    limits,
  )
  const { at, clock } = parts
  const sources = new Sources(parts.trustedProxies)
  const listening = await Listening.open(server, { at, sources, clock, expiryCheckMs: limits.expiryCheckMs })
  const { address, port, rule } = listening
  const close = async (): Promise<void> => {
    listening.stop()
    await face.drain(limits.drainMs)
    await listening.close()
  }
  return { address, port, rule, close }
}

/** What is remembered of one connection between its requests. */
interface Connection {
  readonly peer: string
  busy: number
  /** The Host header that was found valid last; a client sends the same one each time. */
  host: string | undefined
}

const OWNER: Credential = Object.freeze({ kind: 'socket' })
const OWNER_ADDRESS = 'socket'
const NO_FACTS: HeaderFacts = Object.freeze(readHeaders([]))

class HttpFace {
  readonly #parts: ServerParts
  readonly #limits: HttpLimits
  readonly #routes: RouteTable
  readonly #sources: Sources
  readonly #isSocket: boolean
  readonly #connections = new WeakMap<Socket, Connection>()
  #inFlight = 0
  #drained: (() => void) | undefined
  #isClosing = false

  constructor(parts: ServerParts) {
    this.#parts = parts
    this.#limits = parts.limits ?? HTTP_LIMITS
    this.#routes = new RouteTable(parts.routes)
    this.#sources = new Sources(parts.trustedProxies)
    this.#isSocket = parts.at.kind === 'socket'
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const id = this.#parts.newId()
    const connection = this.#connectionOf(request.socket)
    const visit: Visit = {
      id,
      request,
      response,
      facts: NO_FACTS,
      credential: undefined,
      address: connection.peer,
    }
    this.#enter(connection)
    try {
      const health = this.#health(request, id)
      const found = health === undefined ? this.#receive(visit, connection) : undefined
      const reply = found === undefined ? health : await this.#pass(visit, found)
      if (reply !== undefined) this.#reply(visit, reply)
    } catch (thrown) {
      this.#reply(visit, this.#refuse(visit, asFault(thrown)))
    } finally {
      this.#leave(connection)
    }
  }

  refuseGarbage(error: NodeJS.ErrnoException, socket: Socket): void {
    const connection = this.#connections.get(socket)
    const fault = garbageFault(error)
    // A reply here would be taken for the reply to a request that is still being worked on.
    if (fault === undefined || !socket.writable || (connection?.busy ?? 0) > 0) {
      socket.destroy()
      return
    }
    const address = this.#isSocket
      ? OWNER_ADDRESS
      : (connection?.peer ?? plainAddress(socket.remoteAddress ?? ''))
    this.#parts.guard.note(address, fault.code, false)
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

  /** Everything before the pipeline; nothing here looks at the body. */
  #receive(visit: Visit, connection: Connection): FoundRoute {
    const { request } = visit
    // Node's parser lets HTTP/0.9 pass, which has neither headers nor a status to refuse with.
    if (request.httpVersionMajor !== 1) throw new Fault('input.invalid', {}, { say: 'This is not HTTP/1.1.' })
    const facts = readHeaders(request.rawHeaders)
    visit.facts = facts
    visit.credential = this.#isSocket ? OWNER : facts.credential
    visit.address = this.#isSocket
      ? OWNER_ADDRESS
      : this.#sources.sourceOf(connection.peer, facts.forwardedFor)
    if (facts.host !== connection.host) {
      if (!isHost(facts.host)) throw new Fault('target.invalid', { reason: 'host' })
      connection.host = facts.host
    }
    return this.#routes.find(request.method ?? '', request.url ?? '', facts.host)
  }

  async #pass(visit: Visit, found: FoundRoute): Promise<Reply> {
    const { id, request, response, facts, address, credential = facts.credential } = visit
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
    const incoming = new HttpIncoming({ id, request, response, facts, found, credential, address, limits })
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

  #reply({ request, response }: Visit, reply: Reply): void {
    if (response.destroyed || response.writableEnded) return
    if (hasLongRest(request)) {
      sendAndClose(request, response, reply, this.#limits.lingerMs)
      return
    }
    if (this.#isClosing) reply.headers.push('connection', 'close')
    send(response, reply)
  }

  #connectionOf(socket: Socket): Connection {
    const known = this.#connections.get(socket)
    if (known !== undefined) return known
    const peer = this.#isSocket ? OWNER_ADDRESS : plainAddress(socket.remoteAddress ?? '')
    const connection = { peer, busy: 0, host: undefined }
    this.#connections.set(socket, connection)
    return connection
  }

  #enter(connection: Connection): void {
    connection.busy += 1
    this.#inFlight += 1
    this.#parts.metrics.entered()
  }

  #leave(connection: Connection): void {
    connection.busy -= 1
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
  facts: HeaderFacts
  credential: Credential | undefined
  address: string
}

function throttled(retryAfterSeconds: number): Fault {
  return new Fault('source.throttled', {}, { retryAfterSeconds })
}
