import { utf8 } from '#base/bytes.ts'
import type { Clock } from '#base/clock.ts'
import { deriveKey, seal, unseal } from '#base/crypto.ts'
import { asFault, Fault } from '#base/fault.ts'
import { writeAtomic, type Files } from '#base/files.ts'
import { isJsonObject, type JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { Recorder } from '#base/recorder.ts'
import { findOpenIntents, type FoundOpenIntents, type LogPlace } from './find_open_intents.ts'
import { readIntents, unknownOutcome, type OpenIntent, type OpenIntents } from './open_intents.ts'
import { placeOf } from './place_of.ts'

export interface SweeperParts {
  readonly files: Files
  /** The ledger folder. */
  readonly directory: string
  /** Where it remembers how far it has looked. */
  readonly path: string
  readonly sidecarKey: Uint8Array
  readonly ledger: Recorder & { readonly origin: string; readonly size: number }
  readonly clock: Clock
  /** Told of every entry that becomes durable, from the opening of the ledger on. */
  readonly intents: OpenIntents
  /** False once the home may be another process's. */
  readonly isOurs: () => boolean
  /** Intents of earlier processes that are held at once. Default `LIMITS.openIntents`. */
  readonly most?: number | undefined
}

/**
 * Gives every intent an outcome: one that is left of an earlier process gets `status: "unknown"` when it is found, and
 * one of this process when it has none after a time that no request takes.
 *
 * Exactly one, whatever crashes: what is found open is settled by entries behind the place up to which was looked, and
 * that place moves on only with what is still open written down beside it.
 */
export class Sweeper {
  readonly #parts: SweeperParts
  readonly #key: Uint8Array
  readonly #to: LogPlace
  #from: LogPlace | undefined
  #before: readonly OpenIntent[] = []
  /** `stuck`: what earlier processes left cannot be read, and to try again would only read it all again. */
  #state: 'new' | 'behind' | 'caught up' | 'stuck' | 'closed' = 'new'
  #problem: string | undefined
  #unknown = 0
  #work: Promise<void> = Promise.resolve()

  constructor(parts: SweeperParts) {
    this.#parts = parts
    this.#key = deriveKey(parts.sidecarKey, SEALED_FOR)
    const { origin, size } = parts.ledger
    this.#to = { origin, entry: size }
  }

  /** Outcomes that it had to record as unknown. */
  get unknown(): number {
    return this.#unknown
  }

  /** What an operator should know. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Looks after what earlier processes left, if that is not done, and writes down how far it has come. Never rejects. */
  catchUp(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#settleLeft()
      await this.#save()
    })
  }

  /** To be called every `LIMITS.openIntentMs`: settles what was open at the call before it. Never rejects. */
  sweep(): Promise<void> {
    return this.#inTurn(async () => {
      await this.#settle(this.#parts.intents.takeOld())
      await this.#settleLeft()
      await this.#save()
    })
  }

  /** Ends at the next pause, and remembers. The ledger must still be open; every request must have ended. */
  async close(): Promise<void> {
    const isCaughtUp = this.#state === 'caught up'
    this.#state = 'closed'
    await this.#work
    if (isCaughtUp) await this.#save().catch(() => undefined)
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(async () => {
      if (this.#isClosed) return
      try {
        await work()
        if (this.#state !== 'stuck') this.#problem = undefined
      } catch (thrown) {
        this.#problem = `requests without an outcome cannot be settled: ${reasonOf(thrown)}`
      }
    })
    return this.#work
  }

  async #settleLeft(): Promise<void> {
    const { intents } = this.#parts
    if (this.#state === 'new') await this.#remember()
    await this.#settle(intents.left)
    while (this.#state === 'behind') {
      const { open, next } = await this.#find()
      if (this.#isClosed) return
      intents.leave(open)
      this.#from = next ?? this.#to
      this.#before = []
      if (next === undefined) this.#state = 'caught up'
      await this.#settle(intents.left)
    }
  }

  async #find(): Promise<FoundOpenIntents> {
    const { files, directory, most = LIMITS.openIntents } = this.#parts
    const where = { from: this.#from, to: this.#to, before: this.#before, isStopped: () => this.#isClosed }
    try {
      return await findOpenIntents({ files, directory, most, ...where })
    } catch (thrown) {
      if (thrown instanceof Fault && !this.#isClosed) this.#state = 'stuck'
      throw thrown
    }
  }

  get #isClosed(): boolean {
    return this.#state === 'closed'
  }

  async #settle(open: readonly OpenIntent[]): Promise<void> {
    const { ledger, clock } = this.#parts
    for (let at = 0; at < open.length; at += AT_ONCE) {
      if (this.#isClosed) return
      const some = open.slice(at, at + AT_ONCE)
      // All are waited for: one that is still on its way must not be taken for one that failed, and tried again.
      const ended = await Promise.allSettled(
        some.map(async (intent) => await ledger.append(unknownOutcome(intent, clock.now()))),
      )
      this.#unknown += ended.filter(({ status }) => status === 'fulfilled').length
      const failed = ended.find((each) => each.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    }
  }

  /** All in one turn but the write itself: entries are counted in the turn in which they become durable. */
  async #save(): Promise<void> {
    const { files, path, ledger, intents, isOurs } = this.#parts
    if ((this.#state !== 'caught up' && !this.#isClosed) || !isOurs()) return
    const { origin, size } = ledger
    const text = JSON.stringify({ form: FORM, origin, size, open: intents.print() })
    await writeAtomic(files, path, seal(this.#key, utf8(text), utf8(SEALED_FOR)))
  }

  async #remember(): Promise<void> {
    const saved = await this.#read()
    const { origin, size } = saved ?? {}
    const open = readIntents(saved?.['open'])
    // Beside another ledger, or an older one, than it was written beside it says nothing.
    if (
      origin === this.#to.origin &&
      typeof size === 'number' &&
      size <= this.#to.entry &&
      open !== undefined
    ) {
      this.#from = { origin, entry: size }
      this.#before = open
    }
    if (this.#state === 'new') this.#state = 'behind'
  }

  async #read(): Promise<JsonObject | undefined> {
    try {
      const sealed = await this.#parts.files.read(this.#parts.path, LIMITS.homeFileBytes)
      const plain = unseal(this.#key, sealed, utf8(SEALED_FOR))
      const value: unknown = plain && JSON.parse(Buffer.from(plain).toString('utf8'))
      return isJsonObject(value) && value['form'] === FORM ? value : undefined
    } catch {
      // Missing, damaged or of another time: the ledger has it all.
      return undefined
    }
  }
}

const SEALED_FOR = 'gatehouse intents without outcome v1'
/** Of one version of the form of the file; another one is left aside, and the ledger read. */
const FORM = 1
/** Outcomes that wait for their place in a group together. */
const AT_ONCE = 64

function reasonOf(thrown: unknown): string {
  if (thrown instanceof Fault && thrown.code === 'ledger.corrupt') {
    const { place, what } = placeOf(thrown)
    return `${place}: ${what}`
  }
  return asFault(thrown).code
}
