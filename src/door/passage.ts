import type { Clock } from '#base/clock.ts'
import { sha256Hex } from '#base/crypto.ts'
import { printRef, type Decision } from '#base/decider.ts'
import { asFault, FAULTS, Fault, type FaultCode } from '#base/fault.ts'
import { printJson, type JsonObject, type JsonValue } from '#base/json.ts'
import type { EntryDraft, EntryKind, Recorder } from '#base/recorder.ts'
import type { Caller, Proven } from '#trust/access/caller.ts'
import type { FloodGuard } from './flood_guard.ts'
import type { Holding, Meter } from './meter.ts'
import type { Outcome, Stage } from './outcome.ts'
import type { ActedWhole, Incoming, Route, Target } from './route.ts'
import { GuardedStream, type StreamEnd, type StreamParts } from './stream.ts'
import type { StreamedAnswer } from './stream_frame.ts'

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
    Object.assign(this.#fields, caller.evidence)
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
    const fields: Fields = { ...this.#fields, policies, set, entities }
    if (errors.length > 0) fields['errors'] = errors
    return this.#draft('intent', this.#withFindings(fields))
  }

  /** Records the outcome and gives the answer whose exact bytes it committed to. */
  async answer(acted: ActedWhole, body: JsonValue): Promise<Outcome> {
    const json = printJson(body)
    this.#holding?.keep(json.length)
    const { status } = acted
    await this.#close({ ...acted.facts, status, content: sha256Hex(json) })
    this.#observe(status, 'ok', 'done')
    return { kind: 'answer', status, json }
  }

  /** Gives the answer that is still coming; its outcome is recorded when it ends, however it does. */
  streams(
    answer: StreamedAnswer,
    guards: Pick<StreamParts, 'newGuard' | 'inspectRest' | 'recheck'>,
  ): Outcome {
    const settle = async (end: StreamEnd): Promise<Fault | undefined> => this.#settleStream(answer, end)
    return {
      kind: 'stream',
      stream: new GuardedStream({ id: this.#incoming.id, answer, ...guards, settle }),
    }
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

  async #settleStream(
    answer: StreamedAnswer,
    { fault, findings, content }: StreamEnd,
  ): Promise<Fault | undefined> {
    this.#findings = findings
    const code = fault?.code ?? 'ok'
    const status = fault === undefined ? 200 : FAULTS[fault.code].status
    const failed = fault === undefined ? {} : { ...fault.detail, stage: STREAM_STAGE, code }
    this.#observe(status, code, fault === undefined ? 'done' : STREAM_STAGE)
    try {
      await this.#close({ ...answer.facts(), ...failed, status, content })
      return undefined
    } catch (thrown) {
      return asFault(thrown)
    }
  }

  async #recordRefusal(fault: Fault, stage: Stage): Promise<Fault> {
    if (fault.code === 'ledger.unwritable') return fault
    const throttled = this.#hasIntent ? undefined : this.#throttled(fault)
    if (throttled !== undefined) return throttled
    const ended: Fields = { ...fault.detail, stage, code: fault.code }
    try {
      if (this.#hasIntent) await this.#close({ ...ended, status: FAULTS[fault.code].status })
      else await this.#parts.recorder.append(this.#refusal(ended))
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

  #refusal(ended: Fields): EntryDraft {
    return this.#draft('refusal', { ...this.#withFindings(ended), ...this.#fields })
  }

  async #close(fields: Fields): Promise<void> {
    fields['ms'] = Math.round(this.#parts.clock.monotonic() - this.#startedAt)
    const draft = this.#draft('outcome', this.#withFindings(fields))
    if (this.#route.record === 'strict') await this.#parts.recorder.append(draft)
    else this.#parts.recorder.appendLater(draft)
  }

  #draft(kind: EntryKind, fields: Fields): EntryDraft {
    const reserved = this.#route.record === 'strict' && this.#caller !== undefined
    return { kind, id: this.#incoming.id, at: this.#parts.clock.now(), fields, reserved }
  }

  /** The same fields, which have findings from now on if there are any. */
  #withFindings(fields: Fields): Fields {
    if (this.#findings.length > 0) fields['findings'] = this.#findings
    return fields
  }

  #observe(status: number, code: string, stage: Stage | 'done'): void {
    const seconds = (this.#parts.clock.monotonic() - this.#startedAt) / 1_000
    this.#parts.observe({ route: this.#route.name, model: this.#model, status, code, stage, seconds })
  }
}

/** What happens to a stream happens while it is being looked at. */
const STREAM_STAGE: Stage = 'inspect_response'

function over(code: FaultCode, wait: number | undefined): Fault | undefined {
  return wait === undefined ? undefined : new Fault(code, {}, { retryAfterSeconds: wait })
}
