import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import type { EntryDraft, EntryKind, Recorder } from '#base/recorder.ts'
import type { GuardedRoute } from '#door/guarded.ts'
import type { Charge } from '#door/limits/charge.ts'
import type { Limiter } from '#door/limits/limiter.ts'
import { knownTarget, type Target } from '#door/route.ts'
import { unknownOutcome } from '#trust/ledger/open_intents.ts'
import type { Answers, Link } from './link.ts'
import type { SentAsked, SentCharge, SentEnd, SentReceipt, WorkerAnswers, WriterAnswers } from './messages.ts'
import { Passing } from './passing.ts'
import { ProofDesk, type ProofDeskParts } from './proof_desk.ts'

export interface DeskParts extends ProofDeskParts {
  readonly recorder: Recorder
  readonly limits: Pick<Limiter, 'reserve'>
  readonly clock: Clock
  /** Those of the door, by `routeKey`. */
  readonly routes: ReadonlyMap<string, GuardedRoute>
}

/** What a worker holds in the writer: a reservation, and how often it was made again. */
interface Held {
  readonly charge: Charge
  tries: number
}

/** The side of the writer of one worker: it answers what that worker asks, and clears up after its end. */
export class Desk {
  readonly #parts: DeskParts
  readonly #proofs: ProofDesk
  readonly #passing: Passing
  readonly #charges = new Map<string, Held>()
  /** Intents on disk without an outcome. */
  readonly #open = new Map<string, EntryDraft>()
  readonly #writing = new Set<string>()
  readonly #targets = new Map<string, Target>()
  #isOver = false

  constructor(parts: DeskParts, link: () => Pick<Link<WorkerAnswers, WriterAnswers>, 'ask'>) {
    this.#parts = parts
    this.#proofs = new ProofDesk(parts)
    this.#passing = new Passing(parts.routes, link)
  }

  get answers(): Answers<WriterAnswers> {
    return {
      append: (draft) => this.#append(draft),
      appendLater: (draft) => this.#appendLater(draft),
      prove: (proof) => this.#proofs.prove(proof),
      recheck: (kept) => this.#proofs.recheck(kept),
      proofEnded: (kept) => this.#proofs.forget(kept),
      reserve: (asked) => this.#reserve(asked),
      reserveAgain: (id) => this.#reserveAgain(id),
      settle: (end) => this.#settle(end),
      release: (id) => this.#release(id),
      pass: (incoming) => this.#passing.pass(incoming),
      passAborted: (id) => this.#passing.abort(id),
      passEnded: (id) => this.#passing.end(id),
    }
  }

  /**
   * The worker is gone. What it was doing has no other end any more: of intents nobody knows the outcome, and what was reserved
   * for them counts.
   */
  async end(): Promise<void> {
    this.#isOver = true
    this.#passing.endAll()
    // What is on its way to the disk follows when it is there.
    for (const id of this.#charges.keys()) if (!this.#writing.has(id)) this.#giveUp(id)
    const open = [...this.#open.values()]
    this.#open.clear()
    await Promise.all(open.map(async (intent) => this.#sweep(intent)))
  }

  async #append(draft: EntryDraft): Promise<SentReceipt> {
    this.#check(draft)
    if (draft.kind === 'intent') this.#writing.add(draft.id)
    try {
      const { index, leafHash } = await this.#parts.recorder.append(draft)
      this.#recorded(draft)
      return { index, hash: Buffer.from(leafHash).toString('hex') }
    } finally {
      this.#writing.delete(draft.id)
      if (this.#isOver) this.#giveUp(draft.id)
    }
  }

  #appendLater(draft: EntryDraft): void {
    this.#check(draft)
    this.#recorded(draft)
    this.#parts.recorder.appendLater(() => draft)
  }

  /** A request ends once, and by the worker that began it. */
  #check({ kind, id }: EntryDraft): void {
    if (!OF_REQUESTS.has(kind)) throw new Fault('internal.bug', { error: `a worker records no ${kind}` })
    if (kind === 'intent') checkRoom(this.#open.size + this.#writing.size)
    if (kind === 'outcome' && !this.#open.has(id))
      throw new Fault('internal.bug', { error: 'an outcome of what this worker has not begun' })
  }

  #recorded(draft: EntryDraft): void {
    if (draft.kind === 'outcome') this.#open.delete(draft.id)
    if (draft.kind !== 'intent') return
    this.#charges.get(draft.id)?.charge.record()
    if (this.#isOver) void this.#sweep(draft)
    else this.#open.set(draft.id, draft)
  }

  /** Nobody will say any more what was taken. */
  #giveUp(id: string): void {
    const { charge, tries } = this.#charges.get(id) ?? {}
    this.#charges.delete(id)
    if (charge?.isRecorded === true)
      charge.settle({ facts: { tries_unknown: tries ?? 0 }, isWhole: false, isTaken: true })
    else charge?.release()
  }

  async #sweep({ id, fields }: EntryDraft): Promise<void> {
    // Where the ledger cannot write, those who look for intents without outcomes find it later.
    await this.#parts.recorder
      .append(unknownOutcome({ id, fields }, this.#parts.clock.now()))
      .catch(() => undefined)
  }

  #reserve({ id, caller, model, members, demand }: SentAsked): SentCharge | null {
    // It would be held for ever.
    if (this.#charges.has(id)) throw new Fault('internal.bug', { error: 'reserved twice' })
    checkRoom(this.#charges.size)
    const target = this.#targetOf(model, members)
    const charge = this.#parts.limits.reserve({ id, caller, target, demand: () => demand })
    if (charge === undefined) return null
    this.#charges.set(id, { charge, tries: 0 })
    const { moment, space, model: asked, accounts, tokensIn, tokensOut, amount, prices, cost } = charge.parts
    return {
      moment,
      space,
      model: asked,
      tokensIn,
      tokensOut,
      amount,
      cost,
      accounts: accounts.map(({ account, members: counted }) => ({
        name: account.name,
        members: counted && [...counted],
      })),
      prices: [...prices],
    }
  }

  #reserveAgain(id: string): boolean {
    const held = this.#charges.get(id)
    if (held?.charge.again() !== true) return false
    held.tries += 1
    return true
  }

  #settle({ id, end }: SentEnd): void {
    this.#charges.get(id)?.charge.settle(end)
    this.#charges.delete(id)
  }

  #release(id: string): void {
    const charge = this.#charges.get(id)?.charge
    // What is on record counts, whatever a worker says.
    if (charge?.isRecorded === true || this.#writing.has(id)) return
    charge?.release()
    this.#charges.delete(id)
  }

  /** The same object for the same model: what is worked out for it is kept with it. */
  #targetOf(model: string, members: readonly string[] | undefined): Target {
    const name = [model, ...(members ?? [])].join('\n')
    let target = this.#targets.get(name)
    if (target === undefined) {
      const via = members?.map((id) => knownTarget({ type: 'Model', id }))
      target = { ...knownTarget({ type: 'Model', id: model }), ...(via === undefined ? {} : { via }) }
      if (this.#targets.size >= LIMITS.workerTargets) this.#targets.clear()
      this.#targets.set(name, target)
    }
    return target
  }
}

/** Each belongs to a request that is under way, and a worker has no more of those. */
function checkRoom(held: number): void {
  if (held >= LIMITS.workerAsks) throw new Fault('load.exceeded', { held }, { retryAfterSeconds: 1 })
}

/** What requests leave on record. Changes and notes are the writer's own: callers and keys are made from them again. */
const OF_REQUESTS: ReadonlySet<EntryKind> = new Set(['intent', 'outcome', 'refusal', 'digest'])
