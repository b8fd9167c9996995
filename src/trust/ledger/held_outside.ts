import { sameBytes } from '#base/bytes.ts'
import type { Millis } from '#base/clock.ts'
import { LIMITS } from '#base/limits.ts'
import { folderOf, type Files } from '#base/files.ts'
import type { OutsideFiles } from '#base/outside_files.ts'
import { openCheckpoint, peekCheckpoint, type Head } from './checkpoint.ts'
import { cosignaturesOf, parseLogKey } from './cosignature.ts'
import { FILE, type OriginFolder } from './layout.ts'
import { keyIdentity, printVerifierKey, type NoteVerifier } from './note.ts'

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
  /** Where older logs ended, to which its first entry commits: who holds that one holds them (`olderEnds`). */
  readonly before?: readonly Head[]
}

/** The keys of each witness, and how many of them it takes. */
export interface WitnessPolicy {
  readonly quorum: number
  readonly witnesses: readonly (readonly NoteVerifier[])[]
}

export interface HeldSources {
  /** Files that get every checkpoint. */
  readonly anchors: readonly string[]
  /** How these are reached. */
  readonly outside: OutsideFiles
  readonly policy: WitnessPolicy
  /** The keys of the log. */
  readonly verifiers: readonly NoteVerifier[]
}

/** A checkpoint that somebody holds. */
export interface HeldNote {
  /** Who or where, for people. */
  readonly place: string
  readonly note: string
  /** True on the disk of the ledger: it shows accidents, and not what whoever owns this machine has done. */
  readonly isNear?: boolean
  /** True where the keys of the log signed it under the name of another one, which must be here too. */
  readonly isOfAnother?: boolean
}

/** What one of them holds of a log. */
export interface HeldCopy extends HeldNote {
  readonly by: 'witnesses' | 'anchor'
  readonly holding: Holding
  readonly isNear: boolean
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
  { anchors, outside, policy: { quorum, witnesses }, verifiers }: HeldSources,
): Promise<readonly HeldCopy[]> {
  // The log itself is no witness of it, whoever has named it as one.
  const others = witnesses.map((keys) => keys.filter((key) => !verifiers.some((own) => isSameKey(own, key))))
  const policy = { quorum, witnesses: others }
  const cosigned = await textIn(
    async () => await files.read(`${folder.path}/${FILE.cosigned}`, LIMITS.noteBytes),
  )
  const at = cosigned === undefined ? undefined : witnessedAt(cosigned, policy)
  const head = at === undefined ? undefined : openCheckpoint(cosigned ?? '', verifiers)
  const here = anchors.length === 0 ? undefined : await deviceAt(outside, folder.path)
  const copies = await Promise.all(
    anchors.map(async (place) => {
      const note = (await textIn(async () => await outside.read(place, LIMITS.noteBytes))) ?? ''
      const device = note === '' ? undefined : await deviceAt(outside, folderOf(place))
      return { place, note, isNear: device !== undefined && device === here }
    }),
  )
  const ours = copies.flatMap((copy): HeldCopy[] => {
    const found = openCheckpoint(copy.note, verifiers)
    const isOfAnother = found === undefined && isSignedUnderAnotherName(copy.note, verifiers)
    if (found === undefined && !isOfAnother) return []
    return [{ ...copy, isOfAnother, by: 'anchor', holding: { entries: found?.size ?? 0, at: undefined } }]
  })
  if (head === undefined) return ours
  const holding = { entries: head.size, at }
  return [{ place: COSIGNED, note: cosigned ?? '', by: 'witnesses', holding, isNear: false }, ...ours]
}

const COSIGNED = 'what witnesses have cosigned'

/** What several copies hold of a log together. Of files those elsewhere count alone, where there are any. */
export function heldBy(origin: string, copies: readonly HeldCopy[]): HeldOutside {
  const own = copies.filter(({ isOfAnother }) => isOfAnother !== true)
  const of = (who: HeldCopy['by'], isNear: boolean): Holding | undefined =>
    furthest(own.filter((each) => each.by === who && each.isNear === isNear).map(({ holding }) => holding))
  const anchored = of('anchor', false) ?? of('anchor', true)
  return { origin, witnessed: of('witnesses', false), anchored }
}

/** All logs of a home have the same keys: one that is gone is known by them. */
function isSignedUnderAnotherName(note: string, verifiers: readonly NoteVerifier[]): boolean {
  const origin = peekCheckpoint(note)?.origin
  if (origin === undefined) return false
  const named = verifiers.map((key) =>
    parseLogKey(printVerifierKey(keyIdentity(origin, key.type, key.publicKey))),
  )
  return (
    openCheckpoint(
      note,
      named.filter((key) => key !== undefined),
    ) !== undefined
  )
}

function isSameKey(left: NoteVerifier, right: NoteVerifier): boolean {
  return sameBytes(left.publicKey, right.publicKey)
}

async function textIn(read: () => Promise<Uint8Array>): Promise<string | undefined> {
  try {
    return Buffer.from(await read()).toString('utf8')
  } catch {
    // One that is away or unreadable holds nothing that could be shown.
    return undefined
  }
}

async function deviceAt(outside: OutsideFiles, folder: string): Promise<string | undefined> {
  return await outside.deviceOf(folder).catch(() => undefined)
}
