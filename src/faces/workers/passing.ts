import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import type { CallerMemory, StrangerMemory } from '#base/memory.ts'
import type { GuardedRoute } from '#door/guarded.ts'
import type { Incoming } from '#door/route.ts'
import type { Link } from './link.ts'
import type { SentIncoming, SentOutcome, WorkerAnswers, WriterAnswers } from './messages.ts'
import { receiveCredential, receivePossession } from './sent_credential.ts'
import { sendFault } from './sent_fault.ts'

type ToWorker = Pick<Link<WorkerAnswers, WriterAnswers>, 'ask'>

/** Requests that one worker passed on, on their way through the door of the writer. */
export class Passing {
  readonly #routes: ReadonlyMap<string, GuardedRoute>
  readonly #link: () => ToWorker
  readonly #passing = new Map<string, PassedRequest>()

  constructor(routes: ReadonlyMap<string, GuardedRoute>, link: () => ToWorker) {
    this.#routes = routes
    this.#link = link
  }

  async pass(sent: SentIncoming): Promise<SentOutcome> {
    const route = this.#routes.get(sent.route)
    if (route === undefined) throw new Fault('route.unknown')
    // Of the first nobody would be told any more that it is over.
    if (this.#passing.has(sent.id)) throw new Fault('internal.bug', { error: 'passed on twice' })
    if (this.#passing.size >= LIMITS.workerAsks)
      throw new Fault('load.exceeded', { passing: this.#passing.size }, { retryAfterSeconds: 1 })
    const request = new PassedRequest(sent, this.#link())
    this.#passing.set(sent.id, request)
    const outcome = await route.handle(request)
    if (outcome.kind === 'stream')
      throw new Fault('internal.bug', { error: 'no route of the writer streams' })
    if (outcome.kind === 'bytes') return { ...outcome, bytes: Buffer.from(outcome.bytes).toString('base64') }
    return outcome.kind === 'refusal' ? { ...outcome, fault: sendFault(outcome.fault) } : outcome
  }

  abort(id: string): void {
    this.#passing.get(id)?.abort()
  }

  end(id: string): void {
    this.#passing.get(id)?.end()
    this.#passing.delete(id)
  }

  endAll(): void {
    for (const id of this.#passing.keys()) {
      this.abort(id)
      this.end(id)
    }
  }
}

class PassedRequest implements Incoming {
  readonly id: string
  readonly credential: Incoming['credential']
  readonly possession: Incoming['possession']
  readonly address: string
  readonly params: Incoming['params']
  readonly query: Incoming['query']
  readonly trace: Incoming['trace']
  readonly preconditions: Incoming['preconditions']
  readonly #link: ToWorker
  #isAborted = false
  #isOver = false
  #whenAborted: (() => void) | undefined
  #whenOver: (() => void) | undefined

  constructor(sent: SentIncoming, link: ToWorker) {
    this.id = sent.id
    this.credential = receiveCredential(sent.credential)
    this.possession = sent.possession && receivePossession(sent.possession)
    this.address = sent.address
    this.params = sent.params
    this.query = sent.query
    this.trace = sent.trace
    // What was undefined did not come along.
    this.preconditions = sent.preconditions && { ...NO_PRECONDITIONS, ...sent.preconditions }
    this.#link = link
  }

  async body(memory: CallerMemory | StrangerMemory): Promise<Uint8Array> {
    const text = await this.#link.ask('body', { id: this.id, caller: memory.caller })
    const bytes = Buffer.from(text, 'base64')
    memory.claim(bytes.length)
    return bytes
  }

  onAbort(listener: () => void): void {
    if (this.#isAborted) listener()
    else this.#whenAborted = listener
  }

  onEnd(listener: () => void): void {
    if (this.#isOver) listener()
    else this.#whenOver = listener
  }

  abort(): void {
    this.#isAborted = true
    this.#whenAborted?.()
  }

  end(): void {
    this.#isOver = true
    this.#whenOver?.()
  }
}

const NO_PRECONDITIONS = { ifMatch: undefined, ifNoneMatch: undefined }
