import { sameBytes, toHex } from '#base/bytes.ts'
import type { Millis } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import type { Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { openCheckpoint, type Head } from './checkpoint.ts'
import type { HeldNote } from './held_outside.ts'
import { FILE, listOrigins, listSegments, type OriginFolder } from './layout.ts'
import { parseLeaf } from './leaf.ts'
import { isAmong, verifiersOf, type LogKey } from './log_keys.ts'
import type { NoteVerifier } from './note.ts'
import { isSameKey, loadVerifiers, startedAmong } from './origin.ts'
import { placeOf } from './place_of.ts'
import { readIfThere } from './segment_reader.ts'
import { SidecarBox } from './sidecar.ts'
import { lostEntries, successionOf, type Succession } from './succession.ts'
import { HeldCheckpoints } from './verify_held.ts'
import { LogWalk } from './verify_log.ts'

export interface VerifyOptions {
  readonly files: Files
  readonly directory: string
  readonly keys?: {
    /** The public keys of the home, newest first. Without them those in the folder are taken, which proves less. */
    readonly logKeys?: readonly LogKey[] | undefined
    /** 32 bytes. With it the sidecars are opened and checked against the leaves. */
    readonly sidecarKey?: Uint8Array | undefined
  }
  /** What was held outside, a checkpoint or receipts: finds rollback and fork by each checkpoint in it. */
  readonly against?: string | undefined
  /** More of them, which need not be of a log that is here. */
  readonly held?: readonly HeldNote[] | undefined
}

export interface Problem {
  /** File, entry or entries. */
  readonly place: string
  readonly what: string
}

export interface OriginReport {
  readonly origin: string
  readonly entries: number
  /** Entries that the checkpoint in the folder covers. */
  readonly signed: number
}

/** A log that began because the home was restored. */
export interface Restore {
  readonly at: Millis
  /** What the copy ended with; undefined when it held no ledger. */
  readonly before: Head | undefined
  /** Entries that are known to have followed; others may have. */
  readonly lost: number
}

export interface VerifyReport {
  readonly ok: boolean
  /** True where all that is here is right, also when entries are known to be lost. */
  readonly isWhole: boolean
  /** Entries in all logs. */
  readonly entries: number
  readonly origins: readonly OriginReport[]
  readonly problems: readonly Problem[]
  /** Entries since the checkpoint held outside; all of them when none was given. */
  readonly sinceOutside: number
  /** Places of `held` whose checkpoints cover what is here. */
  readonly agreeing: readonly string[]
  /** Entries that were known to exist and are gone, as a later log states; a problem until an operator accepted it. */
  readonly lost: number
  /** Where the home was restored from a copy, as later logs state, oldest first. */
  readonly restores: readonly Restore[]
  /** One sentence that says what is known and no more. */
  readonly statement: string
}

/**
 * Checks a ledger from its files alone: every leaf, bundle hash, checkpoint, signature and sidecar. It holds one
 * segment in memory at a time, takes no lock, and may run beside the process that writes.
 *
 * It never throws for a damaged ledger; it throws the errors of the file system.
 */
export async function verifyLedger(options: VerifyOptions): Promise<VerifyReport> {
  const verification = new Verification(options)
  return verification.run()
}

interface FoundSuccession {
  readonly folder: OriginFolder
  readonly at: Millis
  readonly succession: Succession
}

/** Undefined where nothing names them. */
interface KeysOfLog {
  /** As the folder names them, newest first. */
  readonly named: readonly NoteVerifier[] | undefined
  /** Those whose checkpoints count now. */
  readonly signing: readonly NoteVerifier[] | undefined
  /** Of each kind among these one must have signed, whatever the folder names. */
  readonly wanted: readonly NoteVerifier[]
  /** Those too that have ended: what was held outside may be older. */
  readonly all: readonly NoteVerifier[] | undefined
}

const UNSIGNED = 'missing, damaged or not signed by the key of the log'
/** Whoever has the old keys could have written what it says. Until another log follows, nothing in use vouches for its end. */
const REPLACED =
  'signed by the keys that were replaced, and by none in use yet: start the door, which begins a new log that follows this one'
const ENDED = 'signed only by keys of the log that have ended'

/** Problems beyond this are the same damage seen again. */
const MOST_PROBLEMS = 100

class Verification {
  readonly #options: VerifyOptions
  readonly #problems: Problem[] = []
  readonly #origins: OriginReport[] = []
  readonly #held: HeldCheckpoints
  #previous: Head | undefined
  readonly #successions: FoundSuccession[] = []

  constructor(options: VerifyOptions) {
    this.#options = options
    const report = (place: string, what: string): void => this.#report(place, what)
    this.#held = new HeldCheckpoints(options.against, options.held ?? [], report)
  }

  async run(): Promise<VerifyReport> {
    const { files, directory } = this.#options
    const { folders, strange } = await listOrigins(files, directory)
    for (const name of strange) this.#report(`${directory}/${name}`, 'not a file of the ledger')
    if (folders.length === 0) this.#report(directory, 'there is no ledger')
    const logs = await startedAmong(files, folders).catch((thrown: unknown) => {
      // What is wrong there is reported with the log.
      if (thrown instanceof Fault) return folders
      throw thrown
    })
    for (const [at, folder] of logs.entries()) {
      if (folder.number !== at + 1) this.#report(folder.path, 'the log before it is missing or doubled')
      await this.#verifyLog(folder, at === logs.length - 1).catch((thrown: unknown) =>
        this.#reportFault(thrown),
      )
    }
    this.#held.finish(logs.map(({ origin }) => origin))
    const isWhole = this.#problems.length === 0
    this.#checkLosses()
    return this.#conclude(isWhole)
  }

  async #verifyLog(folder: OriginFolder, isNewest: boolean): Promise<void> {
    const { files, keys } = this.#options
    // The checkpoint is read before the entries: they were on disk before it was signed.
    const keysOfLog = await this.#keysOf(folder, isNewest)
    const checkpoint = await this.#checkpointOf(folder, keysOfLog)
    const wanted = [
      ...(checkpoint === undefined ? [] : [checkpoint.size]),
      ...this.#held.sizesOf(folder.origin),
    ]
    const { segments, strange } = await listSegments(files, folder)
    for (const name of strange) this.#report(`${folder.path}/${name}`, 'not a file of the ledger')
    const box = keys?.sidecarKey && new SidecarBox(keys.sidecarKey, folder.origin)
    const walk = new LogWalk({
      files,
      folder,
      box,
      wanted,
      report: (place, what) => this.#report(place, what),
    })
    for (const segment of segments) await walk.visit(segment)
    await walk.finish()
    this.#origins.push({ origin: folder.origin, entries: walk.size, signed: checkpoint?.size ?? 0 })
    if (checkpoint !== undefined) this.#compare(folder, walk, checkpoint)
    if (keysOfLog.all !== undefined)
      this.#held.compare(folder, walk, { verifiers: keysOfLog.all, checkpoint })
    this.#checkSuccession(folder, walk)
    this.#previous = walk.isWhole ? { origin: folder.origin, size: walk.size, root: walk.root } : undefined
  }

  async #keysOf(folder: OriginFolder, isNewest: boolean): Promise<KeysOfLog> {
    const { files, keys } = this.#options
    const place = `${folder.path}/${FILE.origin}`
    const named = await loadVerifiers(files, folder)
    if (named === undefined) this.#report(place, 'missing, damaged or of another log')
    const ours = keys?.logKeys
    if (ours === undefined) return { named, signing: named, wanted: [], all: named }
    if (named?.every((each) => isAmong(ours, each)) === false) this.#report(place, 'not the key of this home')
    const all = verifiersOf(ours, folder.origin)
    // Older logs are held by what the log after them says of their end.
    const counting = isNewest ? ours.filter(({ hasEnded }) => !hasEnded) : ours
    const signing = verifiersOf(counting, folder.origin)
    // An older log may be from before the home had keys of each kind.
    return { named, signing, wanted: isNewest ? signing : [], all }
  }

  async #checkpointOf(
    folder: OriginFolder,
    { named, signing, wanted, all }: KeysOfLog,
  ): Promise<Head | undefined> {
    if (signing === undefined) return undefined
    const place = `${folder.path}/${FILE.checkpoint}`
    const bytes = await readIfThere(this.#options.files, place, LIMITS.noteBytes)
    const note = bytes && Buffer.from(bytes).toString('utf8')
    const head = note && openCheckpoint(note, signing)
    if (note === undefined || !head) {
      const ended = note && all && openCheckpoint(note, all)
      const isReplaced = named?.every((key) => !signing.some((each) => isSameKey(each, key)))
      this.#report(place, ended ? (isReplaced === true ? REPLACED : ENDED) : UNSIGNED)
      // Its entries are compared with it all the same: the one who lost the keys would want to know.
      return ended || undefined
    }
    // Of each kind the newest signs. To leave one out is how the weaker one would be made to count alone.
    const newest = named?.filter(({ type }, at) => named.findIndex((each) => each.type === type) === at)
    const lacking = newest?.filter((key) => openCheckpoint(note, key) === undefined) ?? []
    for (const { keyId } of lacking) this.#report(place, `not signed by the key ${toHex(keyId)} of the log`)
    const others = wanted.filter(({ type }) => !lacking.some((each) => each.type === type))
    this.#checkKinds(note, place, others)
    return head
  }

  /** What the folder of the log does not name, whoever can write there can have left out. */
  #checkKinds(note: string, place: string, keys: readonly NoteVerifier[]): void {
    for (const kind of new Set(keys.map(({ type }) => type)))
      if (keys.every((key) => key.type !== kind || openCheckpoint(note, key) === undefined))
        this.#report(place, `not signed by any key of type ${kind} that signs for this home`)
  }

  #compare(folder: OriginFolder, walk: LogWalk, head: Head): void {
    const root = walk.rootAt(head.size)
    // A place that could not be read has been reported; nothing is known of the entries behind it.
    if (!walk.isWhole) return
    if (walk.size < head.size)
      this.#report(
        `${folder.path} entry ${walk.size}`,
        `truncated: the checkpoint covers ${head.size} entries, ${walk.size} are here`,
      )
    else if (root === undefined || !sameBytes(root, head.root))
      this.#report(
        `${folder.path} ${walk.unprovenPlace(head.size)}`,
        'not the entries that the checkpoint covers: changed, dropped, added or reordered',
      )
  }

  #checkSuccession(folder: OriginFolder, walk: LogWalk): void {
    const opening = walk.firstLeaf && parseLeaf(walk.firstLeaf)
    const succession = opening && successionOf(opening)
    if (succession !== undefined) this.#successions.push({ folder, at: Number(opening?.['at']), succession })
    if (folder.number === 1) return
    if (walk.firstLeaf === undefined) {
      if (walk.isWhole) this.#report(folder.path, 'the opening entry is missing')
      return
    }
    const previous = this.#previous
    const before = succession?.before
    const follows =
      previous === undefined ||
      (before?.origin === previous.origin &&
        before.size === previous.size &&
        sameBytes(before.root, previous.root))
    if (!follows) this.#report(`${folder.path} entry 0`, 'it does not follow the log before it')
  }

  #checkLosses(): void {
    const accepted = this.#successions.findLastIndex(({ succession }) => succession.isAccepted)
    for (const { folder, succession } of this.#successions.slice(accepted + 1)) {
      const lost = lostEntries(succession)
      if (lost > 0)
        this.#report(
          `${folder.path} entry 0`,
          `${lost} entries before it were lost, and no operator accepted that`,
        )
    }
  }

  #conclude(isWhole: boolean): VerifyReport {
    const ok = this.#problems.length === 0
    const entries = this.#origins.reduce((sum, each) => sum + each.entries, 0)
    const since = this.#held.entriesSince(this.#origins)
    const sinceOutside = since ?? entries
    const given = since === undefined ? ' (none was given)' : ''
    const lost = this.#successions.reduce((sum, { succession }) => sum + lostEntries(succession), 0)
    const statement = ok
      ? `internally consistent; ${sinceOutside} entries since the last checkpoint held outside${given}${this.#sayLost(lost)}`
      : `not consistent: ${this.#problems[0]?.place}: ${this.#problems[0]?.what}`
    return {
      ok,
      isWhole,
      entries,
      origins: this.#origins,
      problems: this.#problems,
      sinceOutside,
      agreeing: this.#held.agreeing,
      lost,
      restores: this.#successions
        .filter(({ succession }) => succession.isRestored === true)
        .map(({ at, succession }) => ({ at, before: succession.before, lost: lostEntries(succession) })),
      statement,
    }
  }

  #sayLost(lost: number): string {
    if (lost > 0) return `; ${lost} entries were lost when the home was restored to an older state`
    if (this.#successions.some(({ succession }) => succession.isRestored === true))
      return '; the home was restored from a copy, and what followed it is not known here'
    // Accepted, or the door would not have gone on; by how much is not known.
    const isStart = this.#successions.some(
      ({ succession: { before, after } }) => !before && after.length === 0,
    )
    return isStart ? '; the ledger that was here before was lost' : ''
  }

  /** A pipe or a folder in the place of a file is a finding; that the disk fails is not. */
  #reportFault(thrown: unknown): void {
    if (!(thrown instanceof Fault)) throw thrown
    const { place, what } = placeOf(thrown)
    this.#report(place, what)
  }

  #report(place: string, what: string): void {
    if (this.#problems.length < MOST_PROBLEMS) this.#problems.push({ place, what })
  }
}
