import type { Socket } from 'node:net'
import { plainAddress, sourceBlock } from '#base/address.ts'
import type { ClientCertificate } from '#trust/access/caller.ts'

/** Why a connection had to go: too many strangers in its block, too many of its caller, or the listener is full. */
export type DropReason = 'block' | 'share' | 'full'

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
  /** Of these, the ones of proven callers whose bodies have arrived. */
  working: number
  /** Whose valid key was shown last; undefined for a stranger. */
  caller: string | undefined
  /** The Host header that was found valid last; a client sends the same one each time. */
  host: string | undefined
  /** Of the client, once it has been looked for; `untrusted` when there is one that says nothing that may be believed. */
  certificate: ClientCertificate | 'untrusted' | 'none' | undefined
  /** True once the head of a request was not acceptable: what comes after may be part of it, and is not looked at. */
  isBroken: boolean
}

/**
 * The connections of one listener. A stranger is one on which no request has shown a valid key yet.
 *
 * A caller may hold as many as stay free for the others, as with memory: alone half of all, with a second one a third
 * each. So there is room for the next one whatever those before it do. Beyond that one goes, of the caller that holds
 * most: the one whose last proven request is longest ago. One whose request has arrived is at work and stays, which the
 * door bounds; one whose request is still on its way is not, for it may be on its way for ever.
 *
 * A new connection is taken in even when there is no room, and the oldest stranger goes. Whoever only holds connections
 * keeps nobody out.
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
  /** By caller, in the order of their last proven requests, without callers that have none. */
  readonly #knownOf = new Map<string, Set<Connection>>()
  #known = 0

  constructor(parts: ConnectionsParts) {
    this.#parts = parts
  }

  get size(): number {
    return this.#strangers.size + this.#known
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
    if (this.#parts.isTrusted(peer)) this.#addKnown(connection, TRUSTED)
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

  /** A request on the connection has shown a valid key of the caller. */
  prove(connection: Connection, caller: string): void {
    const known = this.#knownOf.get(caller)
    // Nearly always the same caller as before: only the order changes.
    if (known?.delete(connection) === true) {
      known.add(connection)
      return
    }
    // One that is closed already is not taken in again.
    if (!this.#forget(connection)) return
    const own = this.#addKnown(connection, caller)
    const free = this.#parts.most - this.#known
    // A trusted peer is only one of the ways of a caller, and its connections pass from one to another.
    if (own.size <= free || this.#parts.isTrusted(connection.peer)) return
    const spare = this.#spareOfLargest(own.size) ?? firstSpare(own)
    if (spare !== undefined) this.#drop(spare, 'share')
  }

  *[Symbol.iterator](): Generator<Socket> {
    for (const { socket } of this.#strangers) yield socket
    for (const known of this.#knownOf.values()) for (const { socket } of known) yield socket
  }

  #addStranger(connection: Connection): void {
    const block = sourceBlock(connection.peer)
    const inBlock = this.#strangersOf.get(block) ?? new Set()
    this.#strangersOf.set(block, inBlock.add(connection))
    this.#strangers.add(connection)
    const [oldest] = inBlock
    if (inBlock.size > this.#parts.strangersPerBlock && oldest !== undefined) this.#drop(oldest, 'block')
  }

  /** Gives all that the caller has now. */
  #addKnown(connection: Connection, caller: string): ReadonlySet<Connection> {
    const known = this.#knownOf.get(caller) ?? new Set()
    this.#knownOf.set(caller, known.add(connection))
    connection.caller = caller
    this.#known += 1
    return known
  }

  /** Whether it was there. */
  #forget(connection: Connection): boolean {
    if (this.#forgetKnown(connection)) return true
    if (!this.#strangers.delete(connection)) return false
    const block = sourceBlock(connection.peer)
    const inBlock = this.#strangersOf.get(block)
    inBlock?.delete(connection)
    if (inBlock?.size === 0) this.#strangersOf.delete(block)
    return true
  }

  #forgetKnown(connection: Connection): boolean {
    const { caller } = connection
    if (caller === undefined) return false
    const known = this.#knownOf.get(caller)
    if (known?.delete(connection) !== true) return false
    if (known.size === 0) this.#knownOf.delete(caller)
    this.#known -= 1
    return true
  }

  #leastDeserving(newcomer: Connection): Connection {
    for (const stranger of this.#strangers) if (stranger !== newcomer) return stranger
    // Every caller has its share, so there is another stranger, or room; but those of trusted peers have no bound.
    return this.#spareOfLargest(1) ?? newcomer
  }

  /** One that can go, of the caller that has most, if that is more than so many. */
  #spareOfLargest(than: number): Connection | undefined {
    let most = than
    let spare: Connection | undefined
    for (const known of this.#knownOf.values()) {
      const found = known.size > most ? firstSpare(known) : undefined
      if (found === undefined) continue
      most = known.size
      spare = found
    }
    return spare
  }

  #drop(connection: Connection, reason: DropReason): void {
    this.#forget(connection)
    connection.socket.destroy()
    this.#parts.onDrop(connection.peer, reason)
  }
}

/** Stands for the caller on a connection of a trusted peer, until one is proven there. */
const TRUSTED = ''

function firstSpare(known: ReadonlySet<Connection>): Connection | undefined {
  for (const connection of known) if (connection.working === 0) return connection
  return undefined
}

function connectionOn(socket: Socket): Connection {
  const peer = plainAddress(socket.remoteAddress ?? '')
  return {
    socket,
    peer,
    busy: 0,
    working: 0,
    caller: undefined,
    host: undefined,
    certificate: undefined,
    isBroken: false,
  }
}

function endsOf({ remoteAddress, remotePort, localAddress }: Socket): string {
  return `${String(remoteAddress)} ${String(remotePort)} ${String(localAddress)}`
}
