import { setInterval } from 'node:timers'
import { utf8 } from '#base/bytes.ts'
import type { Clock } from '#base/clock.ts'
import { CLOCK_TOLERANCE_MS, ClockWatch } from '#base/clock_watch.ts'
import { Fault } from '#base/fault.ts'
import { writeAtomic, type Files } from '#base/files.ts'
import { newEntryId } from '#base/ids.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import type { Recorder } from '#base/recorder.ts'
import type { Callers } from '#trust/access/callers.ts'
import { NARROWING } from '#trust/access/directory_replay.ts'
import type { RecordedChange } from '#trust/access/recorded_change.ts'
import type { StateMark } from '#trust/access/state_mark.ts'
import { changesSince, type LedgerChange } from '#trust/ledger/changes.ts'
import type { Ledger } from '#trust/ledger/ledger.ts'

/** Checkpoints are kept beside the ledger folder this often, so that an older folder put back is noticed. */
const KEEP_HEADS_MS = 60_000
const LOOK_AT_CLOCK_MS = 5_000
const SECOND_MS = 1_000

export interface MendParts {
  readonly files: Files
  /** The ledger folder. */
  readonly directory: string
  readonly sidecarKey: Uint8Array
  readonly ledger: Recorder & Pick<Ledger, 'newestAt'>
  readonly callers: Pick<Callers, 'replay'>
  readonly mark: Pick<StateMark, 'read'>
  readonly clock: Clock
  /** What is wrong with the head that was kept beside the ledger; an invalid one is told by who sets it aside. */
  readonly headFault: 'missing' | 'invalid' | undefined
}

/**
 * Makes callers and keys agree with the ledger: a database that is older than it, because a copy was put back or the
 * process ended in between, must not bring back what was revoked. Says what an operator should know of it.
 */
export async function mendState(parts: MendParts): Promise<readonly string[]> {
  const { files, directory, sidecarKey, ledger, callers, mark, clock } = parts
  const problems: string[] = []
  const changes = await changesSince({ files, directory, sidecarKey, since: mark.read() })
  const { made, missing } = callers.replay(changes.map(toRecorded))
  if (made + missing > 0) {
    await note(parts, { what: 'state.behind', count: made, missing })
    problems.push(
      `state.db was older than the ledger: ${made} changes of keys and callers were made again, ${missing} keys that were made since are unknown`,
    )
  }
  const behind = (ledger.newestAt ?? 0) - clock.now()
  if (behind > CLOCK_TOLERANCE_MS) {
    await note(parts, { what: 'clock.behind', ms: behind })
    problems.push(
      `the clock stands ${Math.round(behind / SECOND_MS)} s before the newest entry: set it, or keys that have ended hold again`,
    )
  }
  if (parts.headFault !== undefined) await note(parts, { what: `head.${parts.headFault}` })
  if (parts.headFault === 'missing')
    problems.push('HOME/head was gone: only state.db and anchors could tell whether the ledger is the newest')
  return problems
}

async function note(
  { ledger, clock }: { readonly ledger: Recorder; readonly clock: Clock },
  fields: JsonObject,
): Promise<void> {
  await ledger.append({ kind: 'note', id: newEntryId(), at: clock.now(), fields, reserved: true })
}

/** Looks at the wall clock every few seconds, or when it is told to. */
export interface WatchedClock {
  look(): void
  close(): void
}

/** Puts a note into the ledger whenever the wall clock is set: times of entries and ends of keys hang on it. */
export function watchClock(parts: { readonly ledger: Recorder; readonly clock: Clock }): WatchedClock {
  const watch = new ClockWatch(parts.clock)
  const look = (): void => {
    const ms = watch.step()
    if (ms !== 0) void note(parts, { what: 'clock.stepped', ms }).catch(() => undefined)
  }
  const timer = setInterval(look, LOOK_AT_CLOCK_MS)
  timer.unref()
  return { look, close: () => clearInterval(timer) }
}

function toRecorded({ leaf, place, values, outcome }: LedgerChange): RecordedChange {
  const what = textOf(leaf['what']) ?? ''
  // Who is still let in, and in which groups, cannot be told any more.
  if (NARROWING.has(what) && values === undefined)
    throw new Fault('ledger.corrupt', { place, what: 'a change that takes something away cannot be read' })
  return {
    what,
    at: Number(leaf['at']),
    kid: textOf(leaf['kid']) ?? textOf(outcome?.['kid']),
    values: values ?? {},
    isMade: outcome !== undefined && outcome['code'] === undefined,
  }
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined
}

export interface HeadKeeperParts {
  readonly files: Files
  /** `HOME/head`. */
  readonly path: string
  readonly ledger: Pick<Ledger, 'checkpoint'>
  readonly mark: Pick<StateMark, 'write'>
  /** False once the home may be another process's. */
  readonly isOurs: () => boolean
}

/** Keeps the newest checkpoint in two places beside the ledger folder: a file of the home, and the database of callers. */
export class HeadKeeper {
  readonly #parts: HeadKeeperParts
  /** Every change recorded before it has been made. */
  #settled: string | undefined
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> = Promise.resolve()

  constructor(parts: HeadKeeperParts) {
    this.#parts = parts
  }

  /** Keeps what is on disk now, of which every change must have been made, and then again every minute. */
  async start(): Promise<void> {
    await this.#keepAll()
    this.#timer = setInterval(() => void this.#inTurn(async () => await this.#keepSettled()), KEEP_HEADS_MS)
    this.#timer.unref()
  }

  /** Keeps the last state. Every request must have ended. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#inTurn(async () => await this.#keepAll())
  }

  async #keepAll(): Promise<void> {
    await this.#keepHead()
    this.#keepMark()
  }

  /** A change that was recorded a minute ago has been made, or will never be. Of newer ones that is not certain. */
  async #keepSettled(): Promise<void> {
    this.#keepMark()
    await this.#keepHead()
  }

  async #keepHead(): Promise<void> {
    const { files, path, ledger, isOurs } = this.#parts
    if (!isOurs()) return
    const text = await ledger.checkpoint()
    await writeAtomic(files, path, utf8(text))
    this.#settled = text
  }

  #keepMark(): void {
    if (this.#settled !== undefined && this.#parts.isOurs()) this.#parts.mark.write(this.#settled)
  }

  /** A head that cannot be kept is no reason to stop: it only makes an older folder harder to notice. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(work).catch(() => undefined)
    return this.#work
  }
}
