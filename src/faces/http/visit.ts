import type { IncomingMessage, ServerResponse } from 'node:http'
import { LIMITS } from '#base/limits.ts'
import type { CallerMemory, StrangerMemory } from '#base/memory.ts'
import { parseTraceContext, type TraceContext } from '#base/trace_context.ts'
import type { Incoming, Media, Preconditions } from '#door/route.ts'
import type { Credential, Possession } from '#trust/access/caller.ts'
import { readBody, type BodyLimits, type Unread } from './body.ts'
import type { Connection } from './connections.ts'
import { readHeaders, type HeaderFacts } from './headers.ts'
import type { FoundRoute } from './route_table.ts'

/** What all visits of one listener share. */
export interface Reception {
  readonly limits: BodyLimits
  /** Told when the door asks for the body of a visit: then its caller is proven. */
  readonly onProven: (connection: Connection, caller: string) => void
  /** Told once: when the reply has left or the caller is gone. */
  readonly onLeft: (visit: Visit) => void
}

const STRANGER_LIMITS: BodyLimits = { bytes: LIMITS.formBytes, timeoutMs: LIMITS.strangerFormMs }
const NO_FACTS: HeaderFacts = Object.freeze(readHeaders([]))
const NOTHING_FOUND = Object.freeze({ params: Object.freeze({}), query: Object.freeze([]) })

/** One HTTP request from its head to the end of its reply, as the door takes it; filled as far as it is understood. */
export class Visit implements Incoming, Unread {
  readonly id: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly connection: Connection
  address: string
  facts: HeaderFacts = NO_FACTS
  credential: Credential = NO_FACTS.credential
  possession: Possession | undefined
  limits: BodyLimits
  media: Media = 'json'
  /** True once its body has arrived with a proven caller. */
  isWork = false
  readonly #reception: Reception
  #found: Pick<FoundRoute, 'params' | 'query'> = NOTHING_FOUND
  #whenAborted: (() => void) | undefined
  #whenEnded: (() => void) | undefined

  constructor(
    id: string,
    { request, response }: Pick<Unread, 'request' | 'response'>,
    connection: Connection,
    reception: Reception,
  ) {
    this.id = id
    this.request = request
    this.response = response
    this.connection = connection
    this.address = connection.peer
    this.limits = reception.limits
    this.#reception = reception
    // One listener for all that waits for the end: each of its own costs more than what it does.
    response.on('close', () => this.#close())
  }

  get params(): Incoming['params'] {
    return this.#found.params
  }

  get query(): Incoming['query'] {
    return this.#found.query
  }

  get trace(): TraceContext | undefined {
    return parseTraceContext(this.facts.traceparent, this.facts.tracestate)
  }

  get preconditions(): Preconditions {
    return this.facts
  }

  /** From now on it has the parameters of its route. */
  goesTo(found: FoundRoute): void {
    this.#found = found
    this.media = found.route.media
  }

  async body(memory: CallerMemory | StrangerMemory): Promise<Uint8Array> {
    if (memory.caller === undefined) {
      this.limits = STRANGER_LIMITS
      return await readBody(this, memory)
    }
    this.#reception.onProven(this.connection, memory.caller)
    const body = await readBody(this, memory)
    this.isWork = true
    this.connection.working += 1
    return body
  }

  onAbort(listener: () => void): void {
    if (this.response.destroyed) listener()
    else this.#whenAborted = listener
  }

  onEnd(listener: () => void): void {
    if (this.response.destroyed) listener()
    else this.#whenEnded = listener
  }

  #close(): void {
    this.#reception.onLeft(this)
    if (!this.response.writableEnded) this.#whenAborted?.()
    this.#whenEnded?.()
  }
}
