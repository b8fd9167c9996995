import type { CallerMemory } from '#base/memory.ts'
import type { Incoming } from '#door/route.ts'
import type { Credential } from '#trust/access/caller.ts'
import { readBody, type Unread } from './body.ts'
import type { FoundRoute } from './route_table.ts'
import type { QueryPair } from './target.ts'

export interface IncomingParts extends Unread {
  readonly id: string
  readonly found: FoundRoute
  readonly credential: Credential
  readonly address: string
  /** Told when the door asks for the body: then the caller is proven. */
  readonly onProven: (caller: string) => void
  /** Told once the body is complete: from now on the request is work. */
  readonly onArrived: () => void
}

/** One HTTP request as the door takes it. */
export class HttpIncoming implements Incoming {
  readonly id: string
  readonly credential: Credential
  readonly address: string
  readonly params: Readonly<Record<string, string>>
  readonly query: readonly QueryPair[]
  readonly body: (memory: CallerMemory) => Promise<Uint8Array>
  readonly onAbort: (listener: () => void) => void
  readonly onEnd: (listener: () => void) => void

  constructor(parts: IncomingParts) {
    const { response } = parts
    this.id = parts.id
    this.credential = parts.credential
    this.address = parts.address
    this.params = parts.found.params
    this.query = parts.found.query
    this.body = async (memory) => {
      parts.onProven(memory.caller)
      const body = await readBody(parts, memory)
      parts.onArrived()
      return body
    }
    this.onAbort = (listener) => {
      if (response.destroyed) listener()
      else response.once('close', () => response.writableEnded || listener())
    }
    this.onEnd = (listener) => {
      if (response.destroyed) listener()
      else response.once('close', listener)
    }
  }
}
