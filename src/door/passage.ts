import type { Clock } from '#base/clock.ts'
import { sha256Hex } from '#base/crypto.ts'
import { printRef, type Decision } from '#base/decider.ts'
import { asFault, FAULTS, Fault, type FaultCode } from '#base/fault.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import type { EntryDraft, EntryKind, Recorder } from '#base/recorder.ts'
import type { Caller, Proven } from '#trust/access/caller.ts'
import type { FloodGuard } from './flood_guard.ts'
import type { Holding, Meter } from './meter.ts'
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
  readonly meter: Meter
  readonly guard: Pick<FloodGuard, 'charge' | 'chargeKey'>
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
  #holding: Holding | undefined
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

  /** Gives what the request is going to hold; nothing is held for strangers. */
  sentBy(caller: Caller): Holding {
    const name = printRef(caller.ref)
    this.#caller = caller
    this.#fields['caller'] = name
    if (caller.kid !== undefined) this.#fields['kid'] = caller.kid
    return (this.#holding = this.#parts.meter.open(name, this.#route.record))
  }

  /** The caller was proven when its request began; one that no longer holds is refused as if it came only now. */
  recheck(proven: Proven): void {
    const stage = this.#stage
    this.enter('authenticate')
    proven.recheck()
    this.enter(stage)
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

  found<T extends { readonly findings: readonly string[] }>(inspected: T): T {
    this.#findings = inspected.findings
    return inspected
  }

  intent(decision: Decision): EntryDraft {
    this.#hasIntent = true
    const { policies, errors, set, entities } = decision
    const erred = errors.length > 0 ? { errors: [...errors] } : {}
    return this.#draft('intent', {
      ...this.#fields,
      policies: [...policies],
      set,
      entities,
      ...erred,
      ...this.#foundFields(),
    })
  }

  /** Records the outcome and gives the answer whose exact bytes it committed to. */
  async answer(acted: Acted, body: JsonValue): Promise<Outcome> {
    const json = JSON.stringify(body)
    this.#holding?.keep(json.length)
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

  /** What it holds is held until its reply has left: a caller that does not read pays for it, not the door. */
  leave(): void {
    const holding = this.#holding
    if (holding !== undefined) this.#incoming.onEnd(() => holding.release())
  }

  async #recordRefusal(fault: Fault, stage: Stage): Promise<Fault> {
    if (fault.code === 'ledger.unwritable') return fault
    const throttled = this.#hasIntent ? undefined : this.#throttled(fault)
    if (throttled !== undefined) return throttled
    const ended = { ...fault.detail, stage, code: fault.code, ...this.#foundFields() }
    try {
      if (this.#hasIntent) await this.#close({ ...ended, status: FAULTS[fault.code].status })
      else await this.#parts.recorder.append(this.#draft('refusal', { ...ended, ...this.#fields }))
      return fault
    } catch (thrown) {
      return asFault(thrown)
    }
  }

  /** Over a limit nothing is written but a counted digest, so that neither strangers nor a key can fill the ledger. */
  #throttled({ code }: Fault): Fault | undefined {
    const { guard } = this.#parts
    const kid = this.#caller?.kid
    if (code === 'caller.unknown') return over('source.throttled', guard.charge(this.#incoming.address))
    return kid === undefined ? undefined : over('caller.throttled', guard.chargeKey(kid))
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

function over(code: FaultCode, wait: number | undefined): Fault | undefined {
  return wait === undefined ? undefined : new Fault(code, {}, { retryAfterSeconds: wait })
}
