import { sameBytes } from '#base/bytes.ts'
import type { Millis } from '#base/clock.ts'
import { LIMITS } from '#base/limits.ts'
import type { Files } from '#base/files.ts'
import { openCheckpoint } from './checkpoint.ts'
import { cosignaturesOf } from './cosignature.ts'
import { FILE, type OriginFolder } from './layout.ts'
import type { NoteVerifier } from './note.ts'

/** How far a log is held where its operator cannot change it unnoticed. */
export interface Holding {
  /** The entries before this one. */
  readonly entries: number
  /** Since when, as far as that is known. */
  readonly at: Millis | undefined
}

/** By whom one log is held. */
export interface HeldOutside {
  readonly origin: string
  /** By as many witnesses as are wanted. */
  readonly witnessed: Holding | undefined
  /** By files, repositories and storage elsewhere. */
  readonly anchored: Holding | undefined
}

/** The keys of each witness, and how many of them it takes. */
export interface WitnessPolicy {
  readonly quorum: number
  readonly witnesses: readonly (readonly NoteVerifier[])[]
}

export interface HeldSources {
  /** Files that get every checkpoint. */
  readonly anchors: readonly string[]
  readonly policy: WitnessPolicy
  /** The keys of the log. */
  readonly verifiers: readonly NoteVerifier[]
}

/** A checkpoint that somebody holds. */
export interface HeldNote {
  /** Who or where, for people. */
  readonly place: string
  readonly note: string
}

/** What one of them holds of a log. */
export interface HeldCopy extends HeldNote {
  readonly by: 'witnesses' | 'anchor'
  readonly holding: Holding
}

/** When a checkpoint came to have cosignatures of enough witnesses; undefined while it has not. */
export function witnessedAt(note: string, { quorum, witnesses }: WitnessPolicy): Millis | undefined {
  const times = witnesses.flatMap((keys) => {
    const found = cosignaturesOf(note, keys).map(({ at }) => at)
    return found.length === 0 ? [] : [Math.min(...found)]
  })
  return quorum < 1 ? undefined : times.sort((left, right) => left - right)[quorum - 1]
}

/** The furthest of several holdings; of those that reach as far, the one since longest. */
export function furthest(holdings: readonly (Holding | undefined)[]): Holding | undefined {
  const known = holdings.filter((each) => each !== undefined)
  const most = Math.max(...known.map(({ entries }) => entries))
  const times = known.flatMap(({ entries, at }) => (entries === most && at !== undefined ? [at] : []))
  if (known.length === 0) return undefined
  return { entries: most, at: times.length === 0 ? undefined : Math.min(...times) }
}

/**
 * What can be told from files of this machine alone, without asking anybody: checkpoints with cosignatures of enough
 * witnesses, and the files that get copies. Whether they are of the very entries that are here, verification says.
 */
export async function readHeldOutside(
  files: Files,
  folder: OriginFolder,
  { anchors, policy: { quorum, witnesses }, verifiers }: HeldSources,
): Promise<readonly HeldCopy[]> {
  // The log itself is no witness of it, whoever has named it as one.
  const others = witnesses.map((keys) => keys.filter((key) => !verifiers.some((own) => isSameKey(own, key))))
  const policy = { quorum, witnesses: others }
  const cosigned = await textAt(files, `${folder.path}/${FILE.cosigned}`)
  const at = cosigned === undefined ? undefined : witnessedAt(cosigned, policy)
  const head = at === undefined ? undefined : openCheckpoint(cosigned ?? '', verifiers)
  const copies = await Promise.all(
    anchors.map(async (place) => ({ place, note: (await textAt(files, place)) ?? '' })),
  )
  const ours = copies.flatMap((copy): HeldCopy[] => {
    const found = openCheckpoint(copy.note, verifiers)
    return found === undefined
      ? []
      : [{ ...copy, by: 'anchor', holding: { entries: found.size, at: undefined } }]
  })
  if (head === undefined) return ours
  const holding = { entries: head.size, at }
  return [{ place: COSIGNED, note: cosigned ?? '', by: 'witnesses', holding }, ...ours]
}

const COSIGNED = 'what witnesses have cosigned'

/** What several copies hold of a log together. */
export function heldBy(origin: string, copies: readonly HeldCopy[]): HeldOutside {
  const of = (who: HeldCopy['by']): Holding | undefined =>
    furthest(copies.filter(({ by }) => by === who).map(({ holding }) => holding))
  return { origin, witnessed: of('witnesses'), anchored: of('anchor') }
}

function isSameKey(left: NoteVerifier, right: NoteVerifier): boolean {
  return sameBytes(left.publicKey, right.publicKey)
}

async function textAt(files: Files, path: string): Promise<string | undefined> {
  try {
    return Buffer.from(await files.read(path, LIMITS.noteBytes)).toString('utf8')
  } catch {
    // One that is away or unreadable holds nothing that could be shown.
    return undefined
  }
}
