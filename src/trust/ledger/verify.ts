import { sameBytes } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import type { Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { openCheckpoint, peekCheckpoint, type Head } from './checkpoint.ts'
import { FILE, listOrigins, listSegments, type OriginFolder } from './layout.ts'
import { parseLeaf } from './leaf.ts'
import { noteVerifier, type NoteVerifier } from './note.ts'
import { isUnfinished, loadVerifier } from './origin.ts'
import { placeOf } from './place_of.ts'
import { readIfThere } from './segment_reader.ts'
import { SidecarBox } from './sidecar.ts'
import { lostEntries, successionOf, type Succession } from './succession.ts'
import { LogWalk } from './verify_log.ts'

export interface VerifyOptions {
  readonly files: Files
  readonly directory: string
  readonly keys?: {
    /** 32 bytes. Without it the key in the folder is taken, which proves less. */
    readonly publicKey?: Uint8Array | undefined
    /** 32 bytes. With it the sidecars are opened and checked against the leaves. */
    readonly sidecarKey?: Uint8Array | undefined
  }
  /** A checkpoint that was held outside: finds rollback and fork. */
  readonly against?: string | undefined
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

export interface VerifyReport {
  readonly ok: boolean
  /** Entries in all logs. */
  readonly entries: number
  readonly origins: readonly OriginReport[]
  readonly problems: readonly Problem[]
  /** Entries since the checkpoint held outside; all of them when none was given. */
  readonly sinceOutside: number
  /** Entries that were known to exist and are gone, as a later log states; a problem until an operator accepted it. */
  readonly lost: number
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

/** Problems beyond this are the same damage seen again. */
const MOST_PROBLEMS = 100

class Verification {
  readonly #options: VerifyOptions
  readonly #problems: Problem[] = []
  readonly #origins: OriginReport[] = []
  readonly #outside: Head | undefined
  #previous: Head | undefined
  #sinceOutside: number | undefined
  readonly #successions: { readonly folder: OriginFolder; readonly succession: Succession }[] = []

  constructor(options: VerifyOptions) {
    this.#options = options
    this.#outside = options.against === undefined ? undefined : peekCheckpoint(options.against)
  }

  async run(): Promise<VerifyReport> {
    const { files, directory, against } = this.#options
    const { folders, strange } = await listOrigins(files, directory)
    for (const name of strange) this.#report(`${directory}/${name}`, 'not a file of the ledger')
    if (folders.length === 0) this.#report(directory, 'there is no ledger')
    for (const [at, folder] of folders.entries()) {
      if (at === folders.length - 1 && (await isUnfinished(files, folder))) continue
      if (folder.number !== at + 1) this.#report(folder.path, 'the log before it is missing or doubled')
      await this.#verifyLog(folder).catch((thrown: unknown) => this.#reportFault(thrown))
    }
    if (against !== undefined && this.#outside === undefined)
      this.#report('the checkpoint held outside', 'not a checkpoint')
    else if (this.#outside !== undefined && this.#sinceOutside === undefined)
      this.#report('the checkpoint held outside', 'it is of a log that is not here')
    this.#checkLosses()
    return this.#conclude()
  }

  async #verifyLog(folder: OriginFolder): Promise<void> {
    const { files, keys } = this.#options
    // The checkpoint is read before the entries: they were on disk before it was signed.
    const verifier = await this.#verifierOf(folder)
    const checkpoint = verifier && (await this.#checkpointOf(folder, verifier))
    const outside = this.#outside?.origin === folder.origin ? this.#outside : undefined
    const wanted = [checkpoint?.size, outside?.size].filter((size) => size !== undefined)
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
    walk.finish()
    this.#origins.push({ origin: folder.origin, entries: walk.size, signed: checkpoint?.size ?? 0 })
    if (checkpoint !== undefined) this.#compare(folder, walk, checkpoint)
    if (outside !== undefined && verifier !== undefined) this.#compareOutside(folder, walk, verifier)
    this.#checkSuccession(folder, walk)
    this.#previous = walk.isWhole ? { origin: folder.origin, size: walk.size, root: walk.root } : undefined
  }

  async #verifierOf(folder: OriginFolder): Promise<NoteVerifier | undefined> {
    const { files, keys } = this.#options
    const place = `${folder.path}/${FILE.origin}`
    const found = await loadVerifier(files, folder)
    if (found === undefined) this.#report(place, 'missing, damaged or of another log')
    if (keys?.publicKey === undefined) return found
    if (found !== undefined && !sameBytes(found.publicKey, keys.publicKey))
      this.#report(place, 'not the key of this home')
    return noteVerifier(folder.origin, keys.publicKey)
  }

  async #checkpointOf(folder: OriginFolder, verifier: NoteVerifier): Promise<Head | undefined> {
    const place = `${folder.path}/${FILE.checkpoint}`
    const bytes = await readIfThere(this.#options.files, place, LIMITS.noteBytes)
    const head = bytes && openCheckpoint(Buffer.from(bytes).toString('utf8'), verifier)
    if (head === undefined) this.#report(place, 'missing, damaged or not signed by the key of the log')
    return head
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

  #compareOutside(folder: OriginFolder, walk: LogWalk, verifier: NoteVerifier): void {
    const head = openCheckpoint(this.#options.against ?? '', verifier)
    const place = 'the checkpoint held outside'
    this.#sinceOutside = Math.max(0, walk.size - (head?.size ?? 0))
    if (head === undefined) return this.#report(place, 'not signed by the key of the log')
    if (!walk.isWhole) return
    const root = walk.rootAt(head.size)
    if (walk.size < head.size)
      this.#report(
        `${folder.path} entry ${walk.size}`,
        `rolled back: ${place} covers ${head.size} entries, ${walk.size} are here`,
      )
    else if (root === undefined || !sameBytes(root, head.root))
      this.#report(`${folder.path} entries 0 to ${head.size - 1}`, `forked: ${place} covers other entries`)
  }

  #checkSuccession(folder: OriginFolder, walk: LogWalk): void {
    const succession = walk.firstLeaf && successionOf(parseLeaf(walk.firstLeaf))
    if (succession !== undefined) this.#successions.push({ folder, succession })
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

  #conclude(): VerifyReport {
    const ok = this.#problems.length === 0
    const entries = this.#origins.reduce((sum, each) => sum + each.entries, 0)
    const later = this.#origins.slice(
      this.#origins.findIndex((each) => each.origin === this.#outside?.origin) + 1,
    )
    const sinceOutside =
      this.#sinceOutside === undefined
        ? entries
        : this.#sinceOutside + later.reduce((sum, each) => sum + each.entries, 0)
    const given = this.#options.against === undefined ? ' (none was given)' : ''
    const lost = this.#successions.reduce((sum, { succession }) => sum + lostEntries(succession), 0)
    const statement = ok
      ? `internally consistent; ${sinceOutside} entries since the last checkpoint held outside${given}${this.#sayLost(lost)}`
      : `not consistent: ${this.#problems[0]?.place}: ${this.#problems[0]?.what}`
    return {
      ok,
      entries,
      origins: this.#origins,
      problems: this.#problems,
      sinceOutside,
      lost,
      statement,
    }
  }

  #sayLost(lost: number): string {
    if (lost > 0) return `; ${lost} entries were lost when the home was restored to an older state`
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
