import type { Envelope, Incoming, Media, Method } from './route.ts'
import type { Outcome } from './outcome.ts'

/**
 * A route with the whole pipeline around it, as a face sees it: the door makes these from `Route` values. `handle`
 * never rejects; what goes wrong inside is a refusal.
 */
export interface GuardedRoute {
  /** Stable name for metrics. */
  readonly name: string
  readonly listener: 'door' | 'admin'
  readonly method: Method
  /** Literal segments and `{name}` segments. */
  readonly path: string
  readonly media: Media
  readonly envelope: Envelope
  /** Where a credential may stand; `body`: also there, and in HTTP Basic. */
  readonly credentialAt: 'headers' | 'body'
  /** The Cedar action. */
  readonly action: string
  readonly handle: (incoming: Incoming) => Promise<Outcome>
}
