import type { Server, Socket } from 'node:net'
import { plainAddress, printListenAddress, type ListenAddress } from '#base/address.ts'
import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import type { PrivateSocket } from '#base/private_socket.ts'
import type { Connections } from './connections.ts'
import { ruleFor, type ListenerAsk, type ListenerRule } from './listener.ts'
import type { Sources } from './source.ts'

/** Where to listen: on a TCP address under a rule, or on the socket of the home. */
export type ListenAt =
  | { readonly kind: 'tcp'; readonly address: ListenAddress; readonly ask: ListenerAsk }
  | { readonly kind: 'socket'; readonly path: string; readonly socket: PrivateSocket }

/** After a drain, how long bytes already written may take to leave. */
const FLUSH_MS = 1_000

export interface ListeningParts {
  readonly at: ListenAt
  readonly sources: Sources
  readonly connections: Connections
  readonly clock: Clock
  readonly expiryCheckMs: number
}

/** An open listener under its rule, with the connections it holds. */
export class Listening {
  readonly address: string
  readonly port: number
  readonly rule: ListenerRule
  readonly #server: Server
  readonly #at: ListenAt
  readonly #connections: Connections
  #expiry: NodeJS.Timeout | undefined

  private constructor(server: Server, { at, connections }: ListeningParts, bound: Bound) {
    this.#server = server
    this.#at = at
    this.#connections = connections
    this.address = bound.address
    this.port = bound.port
    this.rule = bound.rule
  }

  /**
   * Binds a server and holds it to the rule of the address that it is bound at: nothing is accepted before.
   *
   * Throws `listener.exposed` and `listener.unavailable`.
   */
  static async open(server: Server, parts: ListeningParts): Promise<Listening> {
    const { at, sources, connections, clock } = parts
    let rule: ListenerRule | undefined
    // Registered before the server is bound, so that no connection comes in without its question.
    server.on('connection', (socket: Socket) => {
      const peer = plainAddress(socket.remoteAddress ?? '')
      const isOver = rule?.kind === 'insecure' && rule.expiresAt <= clock.now()
      const isStranger = rule?.kind === 'insecure' && !sources.isTrustedProxy(peer)
      const mayStay = rule !== undefined && !isOver && !isStranger
      if (mayStay) connections.admit(socket)
      else socket.destroy()
    })
    await bind(server, at)
    try {
      const bound = boundAt(server, at, clock)
      rule = bound.rule
      const listening = new Listening(server, parts, bound)
      listening.#watchExpiry(parts)
      return listening
    } catch (thrown) {
      server.close()
      throw thrown
    }
  }

  /** Accepts nothing more; what is open goes on. */
  stop(): void {
    clearInterval(this.#expiry)
    if (!this.#server.listening) return
    this.#server.close()
    if (this.#at.kind === 'socket') this.#at.socket.remove()
  }

  /** Ends every connection once what was written has left, and resolves when all are closed. */
  async close(): Promise<void> {
    this.stop()
    if (this.#connections.size === 0) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(() => {
      for (const socket of this.#connections) socket.destroy()
    }, FLUSH_MS)
    for (const socket of this.#connections) {
      socket.once('close', () => this.#connections.size === 0 && resolve())
      socket.destroySoon()
    }
    await promise
    clearTimeout(timer)
  }

  #watchExpiry({ clock, expiryCheckMs }: ListeningParts): void {
    const { rule } = this
    if (rule.kind !== 'insecure') return
    this.#expiry = setInterval(() => {
      if (rule.expiresAt <= clock.now()) void this.close()
    }, expiryCheckMs)
    this.#expiry.unref()
  }
}

interface Bound {
  readonly address: string
  readonly port: number
  readonly rule: ListenerRule
}

function boundAt(server: Server, at: ListenAt, clock: Clock): Bound {
  if (at.kind === 'socket') {
    at.socket.publish()
    return { address: at.path, port: 0, rule: { kind: 'socket' } }
  }
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new TypeError('a TCP server has an address')
  const { port } = bound
  // Decided by what the system bound, never by the name that was asked for.
  const rule = ruleFor(at.ask, { host: bound.address, port }, clock.now())
  return { address: printListenAddress({ host: bound.address, port }), port, rule }
}

function bind(server: Server, at: ListenAt): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const onError = (error: NodeJS.ErrnoException): void => {
    const address = at.kind === 'tcp' ? printListenAddress(at.address) : at.path
    reject(
      new Fault(
        'listener.unavailable',
        { address, reason: error.code ?? 'unknown' },
        { say: `${address} cannot be listened on (${error.code ?? 'unknown'}).`, cause: error },
      ),
    )
  }
  server.once('error', onError)
  server.once('listening', () => {
    // What goes wrong from now on is the accepting of one connection, and no reason to end the process.
    server.off('error', onError).on('error', () => undefined)
    resolve()
  })
  if (at.kind === 'socket') server.listen({ path: at.socket.bindAt })
  else server.listen({ host: at.address.host, port: at.address.port })
  return promise
}
