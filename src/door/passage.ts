import type { Clock, Millis } from '#base/clock.ts'
import { sha256Hex } from '#base/crypto.ts'
import { printRef, type Decision } from '#base/decider.ts'
import { asFault, Fault } from '#base/fault.ts'
import { FAULTS, type FaultCode } from '#base/fault_table.ts'
import { printJson, type JsonObject, type JsonValue } from '#base/json.ts'
import type { EntryDraft, EntryKind, Recorder } from '#base/recorder.ts'
import type { Caller, ProvenAnywhere } from '#trust/access/caller.ts'
import type { FloodGuard } from './flood_guard.ts'
import type { ChargeEnd, Reservation } from './limits/charge.ts'
import type { Asked, Limits } from './limits/limiter.ts'
import { mayBeTaken } from './limits/taken.ts'
import type { Holding, Meter } from './meter.ts'
import type { Observation } from './observation.ts'
import type { Outcome, Stage } from './outcome.ts'
import type { ActContext, Acted, ActedBytes, ActedWhole, Demand, Incoming, Route, Target } from './route.ts'
import { GuardedStream, type StreamEnd, type StreamParts } from './stream.ts'
import type { StreamedAnswer } from './stream_frame.ts'
import type { RequestTrace, TracedRoute, Tracer } from './tracing.ts'

interface PassageParts {
  readonly clock: Clock
  readonly recorder: Recorder
  readonly meter: Meter
  readonly limits: Limits
  readonly guard: Pick<FloodGuard, 'charge' | 'chargeKey' | 'chargeCaller'>
  readonly observe: (observation: Observation) => void
  readonly tracer?: Pick<Tracer, 'begin'> | undefined
}

/** A request that is about to take something; without `demandOf` it takes nothing of any model. */
interface Reserving<Input> extends Pick<Asked, 'caller' | 'target'> {
  readonly demandOf: ((input: Input) => Demand) | undefined
}

type Fields = Record<string, JsonValue>

/** When something was: by the wall, and on the clock that never goes back. */
interface Moment {
  readonly at: Millis
  readonly monotonic: number
}

/** What is known of one request on its way through the door, and the entries that this makes. Decides nothing. */
export class Passage {
  readonly #parts: PassageParts
  readonly #route: Pick<Route<never>, 'name' | 'action' | 'record'>
  readonly #incoming: Incoming
  readonly #startedAt: number
  readonly #fields: Fields
  /** Undefined where the request is in no trace. */
  readonly trace: RequestTrace | undefined
  #outcome: Fields = NOTHING
  #firstSeconds: number | undefined
  #stage: Stage = 'authenticate'
  #caller: Caller | undefined
  #model = ''
  #holding: Holding | undefined
  #proven: ProvenAnywhere | undefined
  #charge: Reservation | undefined
  #acted: ActedWhole | undefined
  #hasIntent = false
  #findings: readonly string[] = []

  constructor(
    parts: PassageParts,
    route: TracedRoute & Pick<Route<JsonObject>, 'record'>,
    incoming: Incoming,
  ) {
    this.#parts = parts
    this.#route = route
    this.#incoming = incoming
    this.#startedAt = parts.clock.monotonic()
    this.#fields = { action: route.action, route: route.name, address: incoming.address }
    this.trace = parts.tracer?.begin(incoming, route)
    // A caller chooses these as it likes, so they are sensitive fields.
    if (this.trace !== undefined) this.#fields['trace'] = this.trace.traceId
    if (this.trace !== undefined && this.trace.state !== '') this.#fields['trace_state'] = this.trace.state
  }

  enter(stage: Stage): void {
    this.#stage = stage
    this.trace?.enter(stage)
  }

  /** Gives what the request is going to hold; nothing is held for strangers. */
  sentBy(proven: ProvenAnywhere): Holding {
    const { caller } = proven
    this.#proven = proven
    const name = printRef(caller.ref)
    this.#caller = caller
    this.#fields['caller'] = name
    if (caller.kid !== undefined) this.#fields['kid'] = caller.kid
    Object.assign(this.#fields, caller.evidence)
    return (this.#holding = this.#parts.meter.open(name, this.#route.record))
  }

  /**
   * The caller was proven when its request began; one that no longer holds is refused as if it came only now, and one that
   * has changed is from here on what it is now.
   */
  recheck(proven: ProvenAnywhere): Caller | Promise<Caller> {
    const stage = this.#stage
    this.enter('authenticate')
    const back = (caller: Caller): Caller => {
      this.enter(stage)
      return caller
    }
    const checking = proven.recheck()
    return checking instanceof Promise ? checking.then(back) : back(checking)
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

  /** Reserves what the request may take; the second time anew. A promise only where another process counts. */
  reserves<Input>({ caller, target, demandOf }: Reserving<Input>, input: Input): Promise<void> | undefined {
    this.#charge?.release()
    this.#charge = undefined
    if (demandOf === undefined) return undefined
    const { id } = this.#incoming
    const reserving = this.#parts.limits.reserve({ id, caller, target, demand: () => demandOf(input) })
    if (reserving instanceof Promise) return reserving.then((charge) => void (this.#charge = charge))
    this.#charge = reserving
    return undefined
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
    if (this.#charge !== undefined) Object.assign(fields, this.#charge.intentFields())
    return this.#draft('intent', this.#withFindings(fields))
  }

  /** The intent is on disk: what is reserved stays so until it is settled. */
  recorded(): void {
    this.#charge?.record()
  }

  /** What calls of models are told by: a further try after one that may have to be paid is reserved too, or not made. */
  get forCalls(): Pick<ActContext, 'trace' | 'mayTryAgain'> {
    const charge = this.#charge
    return { trace: this.trace, mayTryAgain: charge && (() => charge.again()) }
  }

  /** It has been done, whatever becomes of its answer. */
  acted(acted: Acted): Acted {
    if (acted.kind === 'whole') this.#acted = acted
    return acted
  }

  /** Records the outcome and gives the answer whose exact bytes it committed to. */
  async answer(acted: ActedWhole, body: JsonValue): Promise<Outcome> {
    const { status, headers } = acted
    const json = hasContent(status) ? printJson(body) : ''
    this.#holding?.keep(json.length)
    await this.#closeAnswered(status, () => ({
      ...acted.facts,
      status,
      ...(json === '' ? {} : { content: sha256Hex(json) }),
    }))
    const answer = { kind: 'answer', status, json } as const
    return headers === undefined ? answer : { ...answer, headers }
  }

  /** The same for bytes. */
  async answerBytes({ bytes, type, cache, facts }: ActedBytes): Promise<Outcome> {
    const status = 200
    this.#holding?.keep(bytes.length)
    await this.#closeAnswered(status, () => ({ ...facts, status, content: sha256Hex(bytes) }))
    return { kind: 'bytes', status, bytes, type, cache }
  }

  /** Gives the answer that is still coming; its outcome is recorded when it ends, however it does. */
  streams(
    answer: StreamedAnswer,
    guards: Pick<StreamParts, 'newGuard' | 'inspectRest' | 'recheck'>,
  ): Outcome {
    const settle = async (end: StreamEnd): Promise<Fault | undefined> => this.#settleStream(answer, end)
    const onFirst = (): void => void (this.#firstSeconds = this.#secondsAt(this.#now()))
    return {
      kind: 'stream',
      stream: new GuardedStream({ id: this.#incoming.id, answer, ...guards, settle, onFirst }),
    }
  }

  /** Records a refusal, or a failed outcome when the intent is already recorded, and gives what the caller may know. */
  async refuse(fault: Fault): Promise<Outcome> {
    const stage = this.#stage
    if (this.#charge?.isRecorded === false) this.#charge.release()
    const told = await this.#recordRefusal(fault, stage)
    this.#observe(FAULTS[told.code].status, told.code, stage)
    return { kind: 'refusal', fault: told, stage }
  }

  /** What it holds is held until its reply has left: a caller that does not read pays for it, not the door. */
  leave(): void {
    const [holding, proven] = [this.#holding, this.#proven]
    if (holding === undefined) return
    this.#incoming.onEnd(() => {
      holding.release()
      proven?.end?.()
    })
  }

  async #settleStream(
    answer: StreamedAnswer,
    { fault, findings, content }: StreamEnd,
  ): Promise<Fault | undefined> {
    this.#findings = findings
    const code = fault?.code ?? 'ok'
    const status = fault === undefined ? 200 : FAULTS[fault.code].status
    const failed = fault === undefined ? {} : { ...fault.detail, stage: STREAM_STAGE, code }
    try {
      const isWhole = fault === undefined
      await this.#close({ ...answer.facts(), ...failed, status, content }, { isWhole, isTaken: true })
      this.#observe(status, code, fault === undefined ? 'done' : STREAM_STAGE)
      return undefined
    } catch (thrown) {
      const told = asFault(thrown)
      this.#observe(FAULTS[told.code].status, told.code, STREAM_STAGE)
      return told
    }
  }

  async #recordRefusal(fault: Fault, stage: Stage): Promise<Fault> {
    if (fault.code === 'ledger.unwritable') return fault
    const throttled = this.#hasIntent ? undefined : this.#throttled(fault)
    if (throttled !== undefined) return throttled
    const ended: Fields = { ...fault.detail, stage, code: fault.code }
    try {
      if (this.#hasIntent) await this.#closeRefused(fault, ended)
      else await this.#parts.recorder.append(this.#refusal(ended))
      return fault
    } catch (thrown) {
      return asFault(thrown)
    }
  }

  async #closeRefused(fault: Fault, ended: Fields): Promise<void> {
    const isTaken = this.#acted !== undefined || mayBeTaken(fault)
    const fields = { ...this.#acted?.facts, ...ended, status: FAULTS[fault.code].status }
    await this.#close(fields, { isWhole: true, isTaken })
  }

  /** Over a limit nothing is written but a counted digest, so that neither strangers nor a caller can fill the ledger. */
  #throttled({ code }: Fault): Fault | undefined {
    const { guard } = this.#parts
    if (code === 'caller.unknown' || this.#caller === undefined)
      return over('source.throttled', guard.charge(this.#incoming.address))
    const { kid, ref } = this.#caller
    // Whoever owns the home fills his own disk.
    if (ref.type === 'System') return undefined
    return over(
      'caller.throttled',
      kid === undefined ? guard.chargeCaller(printRef(ref)) : guard.chargeKey(kid),
    )
  }

  #refusal(ended: Fields): EntryDraft {
    return this.#draft('refusal', { ...this.#withFindings(ended), ...this.#fields })
  }

  /** What was answered is hashed and counted when the answer has left, where no one waits for its outcome. */
  async #closeAnswered(status: number, fieldsOf: () => Fields): Promise<void> {
    const now = this.#now()
    const make = (): EntryDraft => this.#outcomeOf(fieldsOf(), AS_TOLD, now)
    const observe = (): void => this.#observe(status, 'ok', 'done', now)
    if (this.#route.record === 'strict') {
      await this.#parts.recorder.append(make())
      return observe()
    }
    await this.#appendLater(() => {
      const draft = make()
      observe()
      return draft
    })
  }

  async #close(fields: Fields, end: Omit<ChargeEnd, 'facts'> = AS_TOLD): Promise<void> {
    const draft = this.#outcomeOf(fields, end, this.#now())
    if (this.#route.record === 'strict') await this.#parts.recorder.append(draft)
    else await this.#appendLater(() => draft)
  }

  async #appendLater(make: () => EntryDraft): Promise<void> {
    const { recorder } = this.#parts
    recorder.appendLater(make)
    // No turn is waited for where this process writes itself.
    if (recorder.handedOver !== undefined) await recorder.handedOver()
  }

  #outcomeOf(fields: Fields, end: Omit<ChargeEnd, 'facts'>, now: Moment): EntryDraft {
    const settled = this.#charge?.settle({ ...end, facts: fields })
    // Parts of the usage are of interest only to who charges for them.
    for (const name of PARTS_OF_USAGE) delete fields[name]
    if (settled !== undefined) Object.assign(fields, settled)
    fields['ms'] = Math.round(now.monotonic - this.#startedAt)
    this.#outcome = fields
    return this.#draft('outcome', this.#withFindings(fields), now.at)
  }

  #draft(kind: EntryKind, fields: Fields, at = this.#parts.clock.now()): EntryDraft {
    const reserved = this.#route.record === 'strict' && this.#caller !== undefined
    const countedAs = { route: this.#route.name, model: this.#model }
    return { kind, id: this.#incoming.id, at, fields, reserved, countedAs }
  }

  /** The same fields, which have findings from now on if there are any. */
  #withFindings(fields: Fields): Fields {
    if (this.#findings.length > 0) fields['findings'] = this.#findings
    return fields
  }

  #observe(status: number, code: string, stage: Stage | 'done', now = this.#now()): void {
    const { provider } = this.#outcome
    const observation = {
      route: this.#route.name,
      model: this.#model,
      status,
      code,
      stage,
      seconds: this.#secondsAt(now),
      firstSeconds: this.#firstSeconds,
      provider: typeof provider === 'string' ? provider : '',
    }
    this.#parts.observe(observation)
    this.trace?.end({
      observation,
      caller: this.#caller && printRef(this.#caller.ref),
      findings: this.#findings,
      outcome: this.#outcome,
    })
  }

  #now(): Moment {
    const { clock } = this.#parts
    return { at: clock.now(), monotonic: clock.monotonic() }
  }

  #secondsAt({ monotonic }: Moment): number {
    return (monotonic - this.#startedAt) / 1_000
  }
}

const NOTHING: Fields = Object.freeze({})
const AS_TOLD = { isWhole: true, isTaken: true } as const
const PARTS_OF_USAGE = ['tokens_cached', 'tokens_written', 'tries_unknown', 'taken']

/** What happens to a stream happens while it is being looked at. */
const STREAM_STAGE: Stage = 'inspect_response'

/** RFC 9110 sections 15.3.5 and 15.4.5. */
function hasContent(status: number): boolean {
  return status !== 204 && status !== 304
}

function over(code: FaultCode, wait: number | undefined): Fault | undefined {
  return wait === undefined ? undefined : new Fault(code, {}, { retryAfterSeconds: wait })
}
