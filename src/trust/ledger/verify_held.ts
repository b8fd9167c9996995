import { sameBytes } from '#base/bytes.ts'
import { openCheckpoint, peekCheckpoint, type Head } from './checkpoint.ts'
import type { HeldNote } from './held_outside.ts'
import { FILE, type OriginFolder } from './layout.ts'
import type { NoteVerifier } from './note.ts'
import { checkpointsIn } from './receipt.ts'
import type { LogWalk } from './verify_log.ts'

interface Held {
  readonly place: string
  readonly note: string
  /** As it says itself. */
  readonly head: Head | undefined
  /** True when it must be of a log that is here. */
  readonly isWanted: boolean
  readonly isNear?: boolean
  /** True when it is compared with nothing: only its log must be here. */
  readonly isOfAnother?: boolean
}

type Report = (place: string, what: string) => void

/** Compares a ledger with checkpoints that somebody holds outside: finds rollback and fork. */
export class HeldCheckpoints {
  readonly #held: readonly Held[]
  readonly #report: Report
  /** Of those that the ledger was compared with. */
  readonly #found: Head[] = []
  /** Of those too that cover what is here. */
  readonly #agreeing: { readonly place: string; readonly head: Head; readonly isNear: boolean }[] = []

  constructor(against: string | undefined, others: readonly HeldNote[], report: Report) {
    // Each of them: a receipt of another history is no less so because a newer one is in the same file.
    const notes = against === undefined ? [] : checkpointsIn(against)
    const given = notes.map((note) => ({ place: GIVEN, note, isWanted: true }))
    const all = [...given, ...others.map((each) => ({ ...each, isWanted: false }))]
    this.#held = all.map((each) => ({ ...each, head: peekCheckpoint(each.note) }))
    this.#report = report
  }

  /** The sizes at which the root of a log is to be compared. */
  sizesOf(origin: string): readonly number[] {
    return this.#of(origin).flatMap(({ head }) => (head === undefined ? [] : [head.size]))
  }

  /** `checkpoint` is the one in the folder of the log. */
  compare(
    folder: OriginFolder,
    walk: LogWalk,
    keys: { readonly verifiers: readonly NoteVerifier[]; readonly checkpoint: Head | undefined },
  ): void {
    for (const each of this.#of(folder.origin)) this.#compare(each, folder, walk, keys)
  }

  #of(origin: string): readonly Held[] {
    return this.#held.filter(({ head, isOfAnother }) => head?.origin === origin && isOfAnother !== true)
  }

  /** Reports what was given and could not be compared with anything, and which logs are gone. `here` has the names of all. */
  finish(here: readonly string[]): void {
    for (const { place, head, isWanted, isOfAnother } of this.#held) {
      if (isOfAnother === true && head !== undefined && !here.includes(head.origin))
        this.#report(
          place,
          `it holds ${head.size} entries of ${head.origin}, a log of this home that is not here: the home was rolled back`,
        )
      if (!isWanted) continue
      if (head === undefined) this.#report(place, 'not a checkpoint')
      else if (!this.#found.some(({ origin }) => origin === head.origin))
        this.#report(place, 'it is of a log that is not here')
    }
  }

  /** Places whose checkpoints cover what is here; no others hold it. */
  get agreeing(): readonly string[] {
    return this.#agreeing.map(({ place }) => place)
  }

  /** How many entries come after the furthest of them that is not on the disk of the ledger; undefined when there is none. */
  entriesSince(logs: readonly { readonly origin: string; readonly entries: number }[]): number | undefined {
    const rests = this.#agreeing.flatMap(({ head, isNear }) => {
      if (isNear) return []
      const at = logs.findIndex(({ origin }) => origin === head.origin)
      if (at < 0) return []
      const all = logs.slice(at).reduce((sum, { entries }) => sum + entries, 0)
      return [Math.max(0, all - head.size)]
    })
    return rests.length === 0 ? undefined : Math.min(...rests)
  }

  #compare(
    { place, note, head: told, isNear = false }: Held,
    folder: OriginFolder,
    walk: LogWalk,
    {
      verifiers,
      checkpoint,
    }: { readonly verifiers: readonly NoteVerifier[]; readonly checkpoint: Head | undefined },
  ): void {
    const head = openCheckpoint(note, verifiers)
    this.#found.push(head ?? { origin: folder.origin, size: 0, root: told?.root ?? new Uint8Array(0) })
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
    else {
      this.#agreeing.push({ place, head, isNear })
      // It is written before any copy of it is.
      if (checkpoint !== undefined && checkpoint.size < head.size)
        this.#report(
          `${folder.path}/${FILE.checkpoint}`,
          `put back: it covers ${checkpoint.size} entries, ${place} ${head.size}`,
        )
    }
  }
}

const GIVEN = 'the checkpoint held outside'
