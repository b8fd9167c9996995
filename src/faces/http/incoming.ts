import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Incoming } from '#door/route.ts'
import type { Credential } from '#trust/access/caller.ts'
import { readBody, type BodyLimits } from './body.ts'
import type { HeaderFacts } from './headers.ts'
import type { FoundRoute } from './route_table.ts'
import type { QueryPair } from './target.ts'

export interface IncomingParts {
  readonly id: string
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly facts: HeaderFacts
  readonly found: FoundRoute
  readonly credential: Credential
  readonly address: string
  readonly limits: BodyLimits
}

/** One HTTP request as the door takes it. */
export class HttpIncoming implements Incoming {
  readonly id: string
  readonly credential: Credential
  readonly address: string
  readonly params: Readonly<Record<string, string>>
  readonly query: readonly QueryPair[]
  readonly body: () => Promise<Uint8Array>
  readonly onAbort: (listener: () => void) => void

  constructor(parts: IncomingParts) {
    const { request, response, facts } = parts
    this.id = parts.id
    this.credential = parts.credential
    this.address = parts.address
    this.params = parts.found.params
    this.query = parts.found.query
    this.body = () => {
      // Only a request that got this far is told to send its body (RFC 9110 section 10.1.1).
      if (facts.awaitsContinue) response.writeContinue()
      return readBody(request, facts, parts.limits)
    }
    this.onAbort = (listener) => {
      if (response.destroyed) listener()
      else response.once('close', () => response.writableEnded || listener())
    }
  }
}
