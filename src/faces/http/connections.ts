import type { Socket } from 'node:net'
import { plainAddress, sourceBlock } from '#base/address.ts'

/** Why a connection had to go: its source block has too many strangers, or the listener is full. */
export type DropReason = 'block' | 'full'

export interface ConnectionsParts {
  /** Connections held at once. */
  readonly most: number
  /** Of these, strangers from one source block. */
  readonly strangersPerBlock: number
  /** True for a peer that speaks for many: it is no stranger, and counts for no block. */
  readonly isTrusted: (peer: string) => boolean
  readonly onDrop: (peer: string, reason: DropReason) => void
}

/** What is remembered of one connection between its requests. */
export interface Connection {
  readonly socket: Socket
  /** Address of the other end; empty for the socket of the home. */
  readonly peer: string
  /** Requests whose replies have not left yet. */
  busy: number
  /** The Host header that was found valid last; a client sends the same one each time. */
  host: string | undefined
  /** True once the head of a request was not acceptable: what comes after may be part of it, and is not looked at. */
  isBroken: boolean
}

/**
 * The connections of one listener. A stranger is one on which no request has shown a valid key yet.
 *
 * A new connection is taken in even when there is no room, and another one goes: the oldest stranger, or when there is
 * none the one whose last proven request is longest ago. So whoever only holds connections keeps nobody out.
 */
export class Connections {
  readonly #parts: ConnectionsParts
  readonly #bySocket = new WeakMap<Socket, Connection>()
  /** The socket inside TLS is another one, which comes after the handshake; both have the same ends. */
  readonly #byEnds = new Map<string, Connection>()
  /** Oldest first. */
  readonly #strangers = new Set<Connection>()
  /** The same by source block, without blocks that have none. */
  readonly #strangersOf = new Map<string, Set<Connection>>()
  /** In the order of their last proven requests. */
  readonly #known = new Set<Connection>()

  constructor(parts: ConnectionsParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#strangers.size + this.#known.size
  }

  /** Takes a new connection in, and ends another where there is no room for both. */
  admit(socket: Socket): void {
    const connection = connectionOn(socket)
    const { peer } = connection
    const ends = endsOf(socket)
    this.#bySocket.set(socket, connection)
    this.#byEnds.set(ends, connection)
    socket.once('close', () => {
      this.#byEnds.delete(ends)
      this.#forget(connection)
    })
    if (this.#parts.isTrusted(peer)) this.#known.add(connection)
    else this.#addStranger(connection)
    if (this.size > this.#parts.most) this.#drop(this.#leastDeserving(connection), 'full')
  }

  /** The connection of a socket, or of the socket inside its TLS. */
  of(socket: Socket): Connection {
    const known = this.#bySocket.get(socket)
    if (known !== undefined) return known
    const connection = this.#byEnds.get(endsOf(socket)) ?? connectionOn(socket)
    this.#bySocket.set(socket, connection)
    return connection
  }

  /** A request on the connection has shown a valid key. */
  prove(connection: Connection): void {
    // One that is closed already is not taken in again.
    if (this.#forget(connection)) this.#known.add(connection)
  }

  *[Symbol.iterator](): Generator<Socket> {
    for (const { socket } of this.#strangers) yield socket
    for (const { socket } of this.#known) yield socket
  }

  #addStranger(connection: Connection): void {
    const block = sourceBlock(connection.peer)
    const inBlock = this.#strangersOf.get(block) ?? new Set()
    this.#strangersOf.set(block, inBlock.add(connection))
    this.#strangers.add(connection)
    const [oldest] = inBlock
    if (inBlock.size > this.#parts.strangersPerBlock && oldest !== undefined) this.#drop(oldest, 'block')
  }

  /** Whether it was there. */
  #forget(connection: Connection): boolean {
    if (this.#known.delete(connection)) return true
    if (!this.#strangers.delete(connection)) return false
    const block = sourceBlock(connection.peer)
    const inBlock = this.#strangersOf.get(block)
    inBlock?.delete(connection)
    if (inBlock?.size === 0) this.#strangersOf.delete(block)
    return true
  }

  #leastDeserving(newcomer: Connection): Connection {
    for (const stranger of this.#strangers) if (stranger !== newcomer) return stranger
    for (const known of this.#known) if (known !== newcomer && known.busy === 0) return known
    return newcomer
  }

  #drop(connection: Connection, reason: DropReason): void {
    this.#forget(connection)
    connection.socket.destroy()
    this.#parts.onDrop(connection.peer, reason)
  }
}

function connectionOn(socket: Socket): Connection {
  return { socket, peer: plainAddress(socket.remoteAddress ?? ''), busy: 0, host: undefined, isBroken: false }
}

function endsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${String(remoteAddress)} ${String(remotePort)} ${String(localAddress)}`
}
