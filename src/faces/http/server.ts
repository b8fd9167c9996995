import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '#base/clock.ts'
import { asFault, Fault } from '#base/fault.ts'
import type { FloodGuard } from '#door/flood_guard.ts'
import type { GuardedRoute } from '#door/guarded.ts'
import type { LogAsked } from '#rooms/log/log_paths.ts'
import type { OpenLog } from '#rooms/log/open_log.ts'
import type { Envelope } from '#door/route.ts'
import type { RequestMetrics } from '#door/request_metrics.ts'
import type { Authenticator, Credential } from '#trust/access/caller.ts'
import { credentialOf, formCredentialOf } from './credential.ts'
import { Connections, type Connection, type ConnectionsParts } from './connections.ts'
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
import type { ListenerRule } from './listener.ts'
import { Listening, type ListenAt } from './listening.ts'
import { certificateOn } from './peer_certificate.ts'
import { documentReply, isRead, openReply, type PublicDocuments } from './public_documents.ts'
import type { Refusal } from './problem.ts'
import { refusalReply, replyOf, send, streamHeaders, type Reply } from './reply.ts'
import { RouteTable, type FoundRoute } from './route_table.ts'
import { Sources } from './source.ts'
import { limitStall } from './stalled_reply.ts'
import { sendStream } from './stream_reply.ts'
import { isHost } from './target.ts'
import type { ListenerTls } from './tls.ts'
import { Visit, type Reception } from './visit.ts'

export interface ServerParts {
  readonly at: ListenAt
  readonly tls: ListenerTls | undefined
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
  /** Scheme, host and port under which callers reach this listener; without it no proof of possession holds. */
  readonly origin?: string | undefined
  /** Documents that are open to all, by path. */
  readonly documents?: PublicDocuments | undefined
  /** Checkpoints and tiles of the log, where they are to be answered. */
  readonly openLog?: Pick<OpenLog, 'find' | 'read'> | undefined
  /** The nonce that proofs of possession are to have from now on. */
  readonly proofNonce?: (() => string) | undefined
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

class HttpFace {
  readonly #parts: ServerParts
  readonly #limits: HttpLimits
  readonly #routes: RouteTable
  readonly #sources: Sources
  readonly #connections: Connections
  readonly #isSocket: boolean
  readonly #reception: Reception
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
    this.#reception = {
      limits: { bytes: parts.bodyBytes, timeoutMs: this.#limits.bodyTimeoutMs },
      onProven: (connection, caller) => connections.prove(connection, caller),
      onLeft: (visit) => this.#leave(visit),
    }
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const connection = this.#connections.of(request.socket)
    if (connection.isBroken) return
    const id = this.#parts.newId()
    const visit = new Visit(id, { request, response }, connection, this.#reception)
    if (this.#isSocket) visit.address = OWNER_ADDRESS
    this.#enter(connection)
    try {
      this.#read(visit)
      const asked = this.#parts.openLog?.find(request.url ?? '')
      if (asked !== undefined) return this.#reply(visit, await this.#readLog(visit, asked))
      const open = this.#health(request, id) ?? this.#document(visit)
      const found = open === undefined ? this.#receive(visit) : undefined
      const reply = found === undefined ? open : await this.#pass(visit, found)
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

  /** Open to all as often as each source may ask. That something is not there yet is no fault of who follows the log. */
  async #readLog({ id, connection, facts, request }: Visit, asked: LogAsked): Promise<Reply> {
    if (!isRead(request)) throw new Fault('method.wrong', { allow: 'GET, HEAD' })
    const address = this.#sources.sourceOf(connection.peer, facts.forwardedFor)
    const wait = this.#parts.guard.refusesEarly(address, false)
    if (wait !== undefined) return this.#tooMany(wait, { id, envelope: 'problem' })
    try {
      const document = await this.#parts.openLog?.read(asked, address)
      if (document === undefined) throw new Fault('log.unknown')
      return openReply(document, { id, ifNoneMatch: facts.ifNoneMatch })
    } catch (thrown) {
      const fault = asFault(thrown)
      this.#parts.metrics.refusedEarly(fault.code)
      return refusalReply({ fault, stage: 'receive', id, envelope: 'problem' })
    }
  }

  /** Open to all, but not to a source that is over its limit. */
  #document({ request, connection, facts, id }: Visit): Reply | undefined {
    const { documents, guard } = this.#parts
    const reply =
      documents === undefined
        ? undefined
        : documentReply(request, documents, { id, ifNoneMatch: facts.ifNoneMatch })
    if (reply === undefined) return undefined
    const address = this.#sources.sourceOf(connection.peer, facts.forwardedFor)
    const wait = guard.refusesEarly(address, false)
    return wait === undefined ? reply : this.#tooMany(wait, { id, envelope: 'problem' })
  }

  #tooMany(wait: number, { id, envelope }: Pick<Refusal, 'id' | 'envelope'>): Reply {
    const fault = throttled(wait)
    this.#parts.metrics.refusedEarly(fault.code)
    return refusalReply({ fault, stage: 'receive', id, envelope })
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
    const found = this.#routes.find(request.method ?? '', request.url ?? '', host)
    if (!this.#isSocket) this.#readCredential(visit, found.route.credentialAt)
    return found
  }

  #readCredential(visit: Visit, at: GuardedRoute['credentialAt']): void {
    const { request, facts, connection } = visit
    const certificate = certificateOn(connection, request.socket)
    if (at === 'headers' && certificate === undefined && facts.proof === undefined) return
    const { origin = '' } = this.#parts
    const url = origin === '' ? '' : `${origin}${pathOf(request.url ?? '')}`
    const about = { method: request.method ?? '', url, certificate }
    if (at === 'headers') visit.credential = credentialOf(facts, about)
    else Object.assign(visit, formCredentialOf(facts, about))
  }

  /** Gives the reply; undefined when it was a stream, which has been sent. */
  async #pass(visit: Visit, found: FoundRoute): Promise<Reply | undefined> {
    const { id, address, credential } = visit
    const { guard, looksReal } = this.#parts
    const { envelope, media, handle } = found.route
    const wait = this.#isSocket ? undefined : guard.refusesEarly(address, looksReal(credential))
    if (wait !== undefined) return this.#tooMany(wait, { id, envelope })
    visit.goesTo(found)
    const outcome = await handle(visit)
    if (outcome.kind !== 'stream') return replyOf(outcome, { id, envelope, media })
    const headers = streamHeaders(id)
    this.#addNonce(visit, headers)
    if (this.#isClosing) headers.push('connection', 'close')
    await sendStream(visit.response, headers, outcome.stream, this.#limits.stalledReplyMs)
    return undefined
  }

  /** The refusal of a request that never came to the pipeline: counted, but no entry of its own. */
  #refuse(visit: Visit, fault: Fault): Reply {
    const { id, request, address, credential } = visit
    const { guard, looksReal, metrics } = this.#parts
    const wait = guard.note(address, fault.code, looksReal(credential))
    const told = wait === undefined ? fault : throttled(wait)
    metrics.refusedEarly(told.code)
    return refusalReply({ fault: told, stage: 'receive', id, envelope: envelopeOf(request.url ?? '') })
  }

  #reply(visit: Visit, reply: Reply): void {
    const { request, response, connection } = visit
    if (response.destroyed || response.writableEnded) return
    this.#addNonce(visit, reply.headers)
    if (hasLongRest(request)) {
      sendAndClose(request, response, reply, this.#limits.lingerMs)
      return
    }
    if (this.#isClosing || connection.isBroken) reply.headers.push('connection', 'close')
    send(response, reply)
    limitStall(response, this.#limits.stalledReplyMs)
  }

  /** Who sends proofs learns the next nonce in time, and need not be refused first (RFC 9449 section 8.2). */
  #addNonce({ facts }: Visit, headers: string[]): void {
    const { proofNonce } = this.#parts
    if (facts.proof !== undefined && proofNonce !== undefined) headers.push('dpop-nonce', proofNonce())
  }

  /** A request is in flight until its reply has left. */
  #enter(connection: Connection): void {
    connection.busy += 1
    this.#inFlight += 1
    this.#parts.metrics.entered()
  }

  #leave({ connection, isWork }: Visit): void {
    connection.busy -= 1
    if (isWork) connection.working -= 1
    this.#inFlight -= 1
    this.#parts.metrics.left()
    if (this.#inFlight === 0) this.#drained?.()
  }
}

/** A client with a wrong path can only read the envelope that it knows. */
function envelopeOf(target: string): Envelope {
  if (target.startsWith('/v1/messages')) return 'anthropic'
  if (target.startsWith('/scim/')) return 'scim'
  if (target.startsWith('/oauth/')) return 'oauth'
  return target.startsWith('/v1/') ? 'openai' : 'problem'
}

/** Of a target that has been found well-formed, also one in absolute form; without its query. */
function pathOf(target: string): string {
  const [path = ''] = target.replace(/^https?:\/\/[^/]*/i, '').split('?', 1)
  return path
}

function throttled(retryAfterSeconds: number): Fault {
  return new Fault('source.throttled', {}, { retryAfterSeconds })
}
