import type { Clock, Millis } from '#base/clock.ts'
import { asFault } from '#base/fault.ts'
import { newEntryId } from '#base/ids.ts'
import type { EntryDraft, Receipt, Recorder } from '#base/recorder.ts'
import { Checkpointer, type Checkpoints } from './checkpointer.ts'
import { bytesOf, type Waiting } from './entry_queue.ts'
import { GroupCommit, NOT_OURS, unwritable } from './group_commit.ts'
import { makeLeaf } from './leaf.ts'
import { LaterDrafts, type MakeDraft } from './later_drafts.ts'
import type { LoadedLog, SegmentMark } from './load.ts'
import { LostEntries } from './lost_entries.ts'
import { openNewestLog, type LedgerOptions, type OpenedLog } from './open.ts'
import { rememberedPseudonyms } from './pseudonym.ts'
import { Sealer } from './sealer.ts'
import { Seeds } from './seeds.ts'
import { encodeRecord, SidecarBox } from './sidecar.ts'
import { Space } from './space.ts'
import { bytesPerEntry, daysLeft, type LedgerState } from './state.ts'
import { TiledLog } from './tiled_log.ts'

/** The record of one home. One process at a time may have it open; the caller holds the lock of the home. */
export interface Ledger extends Recorder {
  /** Name of the log that is appended to. */
  readonly origin: string
  /** Entries on disk in that log. */
  readonly size: number
  /** Time of the newest entry that was there when it was opened, or of one shortly before it. */
  readonly newestAt: Millis | undefined
  /** Those of the log that is appended to. */
  readonly checkpoints: Checkpoints
  /** Signs what is on disk and gives the newest checkpoint, to be kept outside. Throws `ledger.unwritable`. */
  checkpoint(): Promise<string>
  state(): LedgerState
  /** Signs what is on disk, and seals what is full without waiting for a quiet moment, for as long as `goOn` says. */
  sealNow(goOn: () => boolean): ReturnType<Sealer['sealNow']>
  /** Resolves when nothing is being sealed, measured or copied to anchors in the background. */
  settled(): Promise<void>
  /**
   * Writes what waits, signs it and closes. Later appends throw `ledger.unwritable`; so does this, after it has closed,
   * when entries of `appendLater` were lost and not even that could be recorded.
   */
  close(): Promise<void>
}

/**
 * Opens the ledger of a home, or starts one.
 *
 * Throws `ledger.corrupt` with the place when it is not whole or does not match a checkpoint, and `home.damaged` when
 * the key is not the one of the log, or the whole ledger is gone and that is to be refused. A log that is older than a
 * checkpoint held outside is left as it is, and a new one is started whose first entry states the gap.
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const home = await openNewestLog(options)
  const ledger = new FileLedger(options, home)
  await ledger.start(home.tornBytes)
  return ledger
}

class FileLedger implements Ledger {
  readonly origin: string
  readonly newestAt: Millis | undefined
  readonly #clock: Clock
  readonly #isOurs: () => boolean
  readonly #onRecorded: (draft: EntryDraft) => void
  readonly #log: LoadedLog
  readonly #marks: SegmentMark[]
  readonly #problems: readonly string[]
  readonly #seeds = new Seeds()
  readonly #pseudonymOf: (value: string) => string
  readonly #space: Space
  readonly #sealer: Sealer
  readonly #checkpointer: Checkpointer
  readonly #commit: GroupCommit
  readonly #lost = new LostEntries()
  readonly #later = new LaterDrafts((make) => this.#takeLater(make))
  #isClosed = false
  /** Time of the first entry of the active segment. */
  #activeAt: Millis | undefined

  constructor(options: LedgerOptions, home: Omit<OpenedLog, 'tornBytes'>) {
    const { files, directory, clock, keys, isOurs = () => true } = options
    this.#isOurs = isOurs
    this.#onRecorded = options.onRecorded ?? (() => undefined)
    const { folder, range, checkpoint, segments } = home.log
    this.origin = folder.origin
    this.newestAt = home.log.newestAt
    this.#clock = clock
    this.#log = home.log
    this.#marks = segments.slice(0, -1)
    this.#problems = home.lost > 0 ? [...home.problems, sayLost(home.lost)] : home.problems
    this.#activeAt = segments.at(-1)?.at
    this.#pseudonymOf = rememberedPseudonyms(keys.pseudonymKey)
    const box = new SidecarBox(keys.sidecarKey, folder.origin)
    const { maxBytes, reserveBytes = RESERVE_BYTES } = options
    const { segmentBytes = SEGMENT_BYTES, roomBytes = ROOM_BYTES } = options
    this.#space = new Space({ files, directory, clock, maxBytes, reserveBytes, usedBytes: home.usedBytes })
    this.#sealer = new Sealer({
      files,
      folder,
      box,
      space: this.#space,
      rows: home.log.rows,
      isBusy: options.isBusy ?? (() => false),
      onSealed: (mark) => this.#sealed(mark),
    })
    this.#checkpointer = new Checkpointer({
      files,
      folder,
      range,
      clock,
      isOurs,
      keys,
      everyMs: options.checkpointEveryMs ?? CHECKPOINT_EVERY_MS,
      anchors: options.anchors ?? [],
      copies: home.copies,
      outside: home.outside,
      places: home.places,
      rootAt: async (size) => await new TiledLog(files, folder).rootAt(size),
      newest: checkpoint,
      cosigned: home.cosigned,
      onSigned: (size) => this.#sealer.sealUpTo(size),
    })
    this.#commit = new GroupCommit({
      files,
      folder,
      active: home.active,
      range,
      box,
      space: this.#space,
      clock,
      isOurs,
      segmentBytes,
      roomBytes,
      onDurable: () => {
        this.#activeAt ??= clock.now()
        this.#checkpointer.due()
      },
      onRolled: (full) => this.#rolled(full),
    })
  }

  get size(): number {
    return this.#log.range.size
  }

  get checkpoints(): Checkpoints {
    return this.#checkpointer
  }

  async start(tornBytes: number): Promise<void> {
    for (const mark of this.#marks) if (mark.kind === 'raw') this.#sealer.add(mark)
    this.#space.measureLater()
    await this.#commit.rollIfFull()
    if (tornBytes > 0) await this.#note('ledger.mended', tornBytes)
    this.#checkpointer.due()
  }

  append(draft: EntryDraft): Promise<Receipt> {
    this.#later.makeAll()
    this.#recordLostWhenWritable()
    // Never one of those who could mend it.
    const refusal = draft.reserved ? undefined : this.#lost.takeRefusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    return new Promise((resolve, reject) => this.#take(draft, true, answerTo(resolve, reject)))
  }

  appendLater(make: MakeDraft): void {
    this.#later.add(make)
  }

  async checkpoint(): Promise<string> {
    this.#later.makeAll()
    await this.#commit.flush()
    await this.#checkpointer.sign()
    const { newest } = this.#checkpointer
    const problem = this.#isOurs() ? this.#checkpointer.problem : NOT_OURS
    if (problem !== undefined) throw unwritable(problem)
    return newest.text
  }

  state(): LedgerState {
    const { newest, anchors, problem } = this.#checkpointer
    const marks = this.#allMarks()
    const now = this.#clock.now()
    const reason = this.#stopped ?? this.#noSpaceFor(USUAL_GROUP_BYTES, false)
    const anchored = Math.max(0, ...anchors.map((anchor) => anchor.size ?? 0))
    const anchorProblems = anchors.map((each) => each.problem && `${each.path} ${each.problem}`)
    return {
      writable: reason === undefined ? { kind: 'yes' } : { kind: 'no', reason },
      origin: this.origin,
      entries: this.size,
      unsigned: this.size - newest.head.size,
      unanchored: this.size - anchored,
      anchors,
      bytes: this.#space.usedBytes,
      bytesPerEntry: bytesPerEntry(marks),
      freeBytes: this.#space.freeBytes,
      oldestAt: marks[0]?.at,
      daysLeft: daysLeft(marks, now, this.size, this.#space.leftBytes),
      problems: [
        ...this.#problems,
        this.#lost.problem,
        problem,
        this.#commit.problem,
        this.#sealer.problem,
        ...anchorProblems,
      ].filter((each) => each !== undefined),
    }
  }

  async sealNow(goOn: () => boolean): ReturnType<Sealer['sealNow']> {
    await this.checkpoint()
    return await this.#sealer.sealNow(this.#checkpointer.newest.head.size, goOn)
  }

  async settled(): Promise<void> {
    await this.#checkpointer.settled()
    await this.#sealer.settled()
    await this.#space.settled()
  }

  async close(): Promise<void> {
    if (this.#isClosed) return
    this.#later.makeAll()
    this.#isClosed = true
    await this.#commit.flush()
    await this.#recordLost()
    await this.#commit.close()
    await this.#checkpointer.sign()
    await this.#checkpointer.close()
    await this.#sealer.close()
    await this.#space.settled()
    this.#later.makeAll()
    this.#lost.throwIfAny()
  }

  /** The reserve is for acts of admins: while only that is left, a loss waits to be recorded. */
  #recordLostWhenWritable(): void {
    if (this.#lost.problem === undefined) return
    const isWritable = this.#stopped === undefined && this.#noSpaceFor(USUAL_GROUP_BYTES, false) === undefined
    if (isWritable) void this.#recordLost()
  }

  /** Puts the note of what was lost into the queue before the entry at hand, even while the ledger is being closed. */
  #recordLost(): Promise<void> {
    return this.#lost.record(async (count) => await this.#note('entries.lost', count))
  }

  #note(what: string, count: number): Promise<Receipt> {
    const fields = { what, count }
    const draft: EntryDraft = {
      kind: 'note',
      id: newEntryId(),
      at: this.#clock.now(),
      fields,
      reserved: true,
    }
    return new Promise((resolve, reject) => this.#offer(draft, true, answerTo(resolve, reject)))
  }

  #takeLater(make: MakeDraft): void {
    try {
      this.#take(make(), false, (result) => {
        if (result instanceof Error) this.#lost.add(asFault(result))
      })
    } catch (thrown) {
      this.#lost.add(asFault(thrown))
    }
  }

  #take(draft: EntryDraft, isAwaited: boolean, settle: Waiting['settle']): void {
    this.#space.measureLater()
    if (this.#isClosed) settle(unwritable('the ledger is closed'))
    else this.#offer(draft, isAwaited, settle)
  }

  #offer(draft: EntryDraft, isAwaited: boolean, settle: Waiting['settle']): void {
    try {
      const { bytes: leaf, secrets } = makeLeaf(draft, this.#seeds.take(draft), this.#pseudonymOf)
      const told: Waiting['settle'] = (result) => {
        settle(result)
        // Behind whoever waits for the entry: a request goes on before it is counted.
        if (!(result instanceof Error)) queueMicrotask(() => this.#onRecorded(draft))
      }
      const { reserved } = draft
      const entry = { leaf, record: encodeRecord(secrets), reserved, isAwaited, settle: told }
      const reason = this.#refusal(entry)
      if (reason !== undefined) settle(unwritable(reason))
    } catch (thrown) {
      settle(asFault(thrown))
    }
  }

  #refusal(entry: Waiting): string | undefined {
    const bytes = this.#commit.queuedBytes + bytesOf(entry)
    return this.#noSpaceFor(bytes, entry.reserved) ?? this.#commit.offer(entry)
  }

  /** Why so many bytes of entries may not be written. */
  #noSpaceFor(bytes: number, reserved: boolean): string | undefined {
    return this.#space.refusal(Math.max(0, bytes - this.#commit.room), reserved)
  }

  /** Why nothing is written any more. */
  get #stopped(): string | undefined {
    if (this.#isClosed) return 'the ledger is closed'
    return this.#commit.broken ?? (this.#isOurs() ? undefined : NOT_OURS)
  }

  #allMarks(): readonly SegmentMark[] {
    const { first, bytes } = this.#commit.active
    return [...this.#marks, { kind: 'raw', first, count: this.size - first, at: this.#activeAt, bytes }]
  }

  #rolled(full: { readonly first: number; readonly bytes: number }): void {
    const count = this.size - full.first
    const mark: SegmentMark = { kind: 'raw', first: full.first, count, at: this.#activeAt, bytes: full.bytes }
    this.#activeAt = undefined
    this.#marks.push(mark)
    if (this.#marks.length > KEPT_MARKS) this.#marks.splice(1, this.#marks.length - KEPT_MARKS)
    this.#sealer.add(mark)
    // Only what a checkpoint covers is sealed.
    void this.#checkpointer.sign()
  }

  #sealed(mark: SegmentMark): void {
    const at = this.#marks.findIndex((each) => each.first === mark.first)
    if (at >= 0) this.#marks[at] = mark
  }
}

const RESERVE_BYTES = 16 * 1_024 * 1_024
const SEGMENT_BYTES = 4 * 1_024 * 1_024
/** Of a few hundred entries: to write the zeros takes as long as four groups do. */
const ROOM_BYTES = 256 * 1_024
const CHECKPOINT_EVERY_MS = 200
/** A ledger that has no room for one more request is not writable, even if a shorter entry would still fit. */
const USUAL_GROUP_BYTES = 4 * 1_024
/** Segments that are kept in mind for the forecast; a week at full rate is fewer. */
const KEPT_MARKS = 10_000

function answerTo(resolve: (receipt: Receipt) => void, reject: (reason: Error) => void): Waiting['settle'] {
  return (result) => (result instanceof Error ? reject(result) : resolve(result))
}

function sayLost(lost: number): string {
  return `${lost} entries were lost when the home was restored to an older state; to accept that, start once with --accept-loss`
}
