import type { Clock } from '#base/clock.ts'
import { sha256Hex } from '#base/crypto.ts'
import { printRef, type Decision } from '#base/decider.ts'
import { asFault, FAULTS, Fault } from '#base/fault.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import type { EntryDraft, EntryKind, Recorder } from '#base/recorder.ts'
import type { Caller } from '#trust/access/caller.ts'
import type { FloodGuard } from './flood_guard.ts'
import type { Reservation } from './meter.ts'
import type { Outcome, Stage } from './outcome.ts'
import type { Acted, Incoming, Route, Target } from './route.ts'

/** What happened to one request, for metrics. `model` is a configured name or empty: never a caller's text. */
export interface Observation {
  readonly route: string
  readonly model: string
  readonly status: number
  /** The fault's code, or `ok`. */
  readonly code: string
  readonly stage: Stage | 'done'
  readonly seconds: number
}

interface PassageParts {
  readonly clock: Clock
  readonly recorder: Recorder
  readonly guard: Pick<FloodGuard, 'charge'>
  readonly observe: (observation: Observation) => void
}

type Fields = Record<string, JsonValue>

/** What is known of one request on its way through the door, and the entries that this makes. Decides nothing. */
export class Passage {
  readonly #parts: PassageParts
  readonly #route: Pick<Route<never>, 'name' | 'action' | 'record'>
  readonly #incoming: Incoming
  readonly #startedAt: number
  readonly #fields: Fields
  #stage: Stage = 'authenticate'
  #caller: Caller | undefined
  #model = ''
  #reservation: Reservation | undefined
  #hasIntent = false
  #findings: readonly string[] = []

  constructor(
    parts: PassageParts,
    route: Pick<Route<JsonObject>, 'name' | 'action' | 'record'>,
    incoming: Incoming,
  ) {
    this.#parts = parts
    this.#route = route
    this.#incoming = incoming
    this.#startedAt = parts.clock.monotonic()
    this.#fields = { action: route.action, address: incoming.address }
  }

  enter(stage: Stage): void {
    this.#stage = stage
  }

  sentBy(caller: Caller): Caller {
    this.#caller = caller
    this.#fields['caller'] = printRef(caller.ref)
    if (caller.kid !== undefined) this.#fields['kid'] = caller.kid
    return caller
  }

  carries(body: Uint8Array): Uint8Array {
    if (body.length > 0) this.#fields['content'] = sha256Hex(body)
    return body
  }

  aimsAt(target: Target): Target {
    // A name that a caller made up may hold anything, a secret too: it is kept as a sensitive field.
    this.#fields[target.known ? 'resource' : 'asked'] = printRef(target.ref)
    if (target.known && target.ref.type === 'Model') this.#model = target.ref.id
    return target
  }

  holds(reservation: Reservation): void {
    this.#reservation = reservation
  }

  found<T extends { readonly findings: readonly string[] }>(inspected: T): T {
    this.#findings = inspected.findings
    return inspected
  }

  intent(decision: Decision): EntryDraft {
    this.#hasIntent = true
    const { policies, errors, set } = decision
    const erred = errors.length > 0 ? { errors: [...errors] } : {}
    return this.#draft('intent', {
      ...this.#fields,
      policies: [...policies],
      set,
      ...erred,
      ...this.#foundFields(),
    })
  }

  /** Records the outcome and gives the answer whose exact bytes it committed to. */
  async answer(acted: Acted, body: JsonValue): Promise<Outcome> {
    const json = JSON.stringify(body)
    const { status } = acted
    await this.#close({ ...acted.facts, ...this.#foundFields(), status, content: sha256Hex(json) })
    this.#observe(status, 'ok', 'done')
    return { kind: 'answer', status, json }
  }

  /** Records a refusal, or a failed outcome when the intent is already recorded, and gives what the caller may know. */
  async refuse(fault: Fault): Promise<Outcome> {
    const stage = this.#stage
    const told = await this.#recordRefusal(fault, stage)
    this.#observe(FAULTS[told.code].status, told.code, stage)
    return { kind: 'refusal', fault: told, stage }
  }

  leave(): void {
    this.#reservation?.release()
  }

  async #recordRefusal(fault: Fault, stage: Stage): Promise<Fault> {
    if (fault.code === 'ledger.unwritable') return fault
    if (fault.code === 'caller.unknown') {
      // Over the limit nothing is written but a counted digest, so that strangers cannot fill the ledger.
      const wait = this.#parts.guard.charge(this.#incoming.address)
      if (wait !== undefined) return new Fault('source.throttled', {}, { retryAfterSeconds: wait })
    }
    const ended = { ...fault.detail, stage, code: fault.code, ...this.#foundFields() }
    try {
      if (this.#hasIntent) await this.#close({ ...ended, status: FAULTS[fault.code].status })
      else await this.#parts.recorder.append(this.#draft('refusal', { ...ended, ...this.#fields }))
      return fault
    } catch (thrown) {
      return asFault(thrown)
    }
  }

  async #close(fields: Fields): Promise<void> {
    const ms = Math.round(this.#parts.clock.monotonic() - this.#startedAt)
    const draft = this.#draft('outcome', { ...fields, ms })
    if (this.#route.record === 'strict') await this.#parts.recorder.append(draft)
    else this.#parts.recorder.appendLater(draft)
  }

  #draft(kind: EntryKind, fields: Fields): EntryDraft {
    const reserved = this.#route.record === 'strict' && this.#caller !== undefined
    return { kind, id: this.#incoming.id, at: this.#parts.clock.now(), fields, reserved }
  }

  #foundFields(): Fields {
    return this.#findings.length > 0 ? { findings: [...this.#findings] } : {}
  }

  #observe(status: number, code: string, stage: Stage | 'done'): void {
    const seconds = (this.#parts.clock.monotonic() - this.#startedAt) / 1_000
    this.#parts.observe({ route: this.#route.name, model: this.#model, status, code, stage, seconds })
  }
}
