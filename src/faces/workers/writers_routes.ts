import type { CallerMemory, StrangerMemory } from '#base/memory.ts'
import type { GuardedRoute } from '#door/guarded.ts'
import type { Meter } from '#door/meter.ts'
import type { Outcome } from '#door/outcome.ts'
import type { Incoming } from '#door/route.ts'
import { routeKey, type BodyAsked, type SentIncoming, type SentRoute } from './messages.ts'
import type { WorkerLink } from './remote_recorder.ts'
import { receiveFault } from './sent_fault.ts'
import { sendCredential, sendPossession } from './sent_credential.ts'

/**
 * Routes of the door that belong to the writer, as those that change who may do what, or sign: a worker reads their requests
 * and sends their replies, and all between is done there.
 */
export class WritersRoutes {
  readonly #link: Pick<WorkerLink, 'ask' | 'tell'>
  readonly #meter: Meter
  readonly #passing = new Map<string, Incoming>()

  constructor(link: Pick<WorkerLink, 'ask' | 'tell'>, meter: Meter) {
    this.#link = link
    this.#meter = meter
  }

  /** A route whose requests the writer answers. */
  guarded(route: SentRoute): GuardedRoute {
    return { ...route, handle: (incoming) => this.#pass(routeKey(route), incoming) }
  }

  /** The body of a request that was passed on, in base 64. Throws what reading it does. */
  async body({ id, caller }: BodyAsked): Promise<string> {
    const incoming = this.#passing.get(id)
    if (incoming === undefined) return ''
    const bytes = await incoming.body(caller === undefined ? STRANGER : this.#memoryOf(caller, incoming))
    return Buffer.from(bytes).toString('base64')
  }

  async #pass(route: string, incoming: Incoming): Promise<Outcome> {
    const { id } = incoming
    this.#passing.set(id, incoming)
    incoming.onAbort(() => this.#link.tell('passAborted', id))
    incoming.onEnd(() => this.#link.tell('passEnded', id))
    try {
      const outcome = await this.#link.ask('pass', sendIncoming(route, incoming))
      if (outcome.kind === 'bytes') return { ...outcome, bytes: Buffer.from(outcome.bytes, 'base64') }
      return outcome.kind === 'refusal' ? { ...outcome, fault: receiveFault(outcome.fault) } : outcome
    } finally {
      this.#passing.delete(id)
    }
  }

  #memoryOf(caller: string, incoming: Incoming): CallerMemory {
    const holding = this.#meter.open(caller, 'strict')
    incoming.onEnd(() => {
      holding.release()
      this.#link.tell('passEnded', incoming.id)
    })
    return holding
  }
}

/** The writer has counted it already, with those of all workers. */
const STRANGER: StrangerMemory = { caller: undefined, claim: () => undefined }

function sendIncoming(route: string, incoming: Incoming): SentIncoming {
  const { id, credential, possession, address, params, query, trace, preconditions } = incoming
  return {
    route,
    id,
    credential: sendCredential(credential),
    possession: possession && sendPossession(possession),
    address,
    params,
    query,
    trace,
    preconditions: preconditions && {
      ifMatch: preconditions.ifMatch,
      ifNoneMatch: preconditions.ifNoneMatch,
    },
  }
}
