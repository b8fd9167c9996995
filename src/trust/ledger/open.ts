import type { Clock, Millis } from '#base/clock.ts'
import { randomBytes } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import { folderOf, type Files } from '#base/files.ts'
import { newEntryId } from '#base/ids.ts'
import { LIMITS } from '#base/limits.ts'
import { outsideFilesOf, type OutsideFiles } from '#base/outside_files.ts'
import type { EntryDraft } from '#base/recorder.ts'
import { ActiveSegment } from './active_segment.ts'
import { AnchorPlaces } from './anchor_places.ts'
import { openCheckpoint, peekCheckpoint, type Head } from './checkpoint.ts'
import type { SignedHead } from './checkpointer.ts'
import { SEED_BYTES } from './commitment.ts'
import { loadKnownHeads, unreachedHeads } from './known_heads.ts'
import { FILE, listSegments, type OriginFolder } from './layout.ts'
import { makeLeaf, type MadeLeaf } from './leaf.ts'
import { loadLog, type LoadedLog } from './load.ts'
import { isAmong, logKeysOf, LogSigners, verifiersOf, type LogKey } from './log_keys.ts'
import {
  createOrigin,
  loadVerifiers,
  nameKeys,
  removeUnfinished,
  sortOrigins,
  type FinishedOrigin,
  type OriginKeys,
} from './origin.ts'
import { readFirstLeaf } from './read.ts'
import { readIfThere } from './segment_reader.ts'
import { usedBytes } from './space.ts'
import { lostEntries, successionFields, successionOf, type Succession } from './succession.ts'

export interface LedgerKeys extends OriginKeys {
  /** 32 bytes: turns callers into pseudonyms. */
  readonly pseudonymKey: Uint8Array
}

export interface LedgerOptions {
  readonly files: Files
  /** The ledger folder; made when missing. */
  readonly directory: string
  readonly keys: LedgerKeys
  readonly clock: Clock
  /** Most bytes of the ledger folder; without it only the disk is the limit. */
  readonly maxBytes?: number | undefined
  /** The last bytes of that, and of the disk, are for reserved entries. Default 16 MiB. */
  readonly reserveBytes?: number | undefined
  /** Beyond this a segment ends at the next 256 entries. Default 4 MiB. */
  readonly segmentBytes?: number | undefined
  /** A segment that must grow grows by so many bytes more, where there is space. Default 256 KiB. */
  readonly roomBytes?: number | undefined
  /** Default 1,000. */
  readonly checkpointEveryMs?: number | undefined
  /** Files outside the ledger folder, best on another disk, that get a copy of each checkpoint. */
  readonly anchors?: readonly string[] | undefined
  /** How these are reached, until the ledger is closed. Default: in this process, for as long as it takes. */
  readonly outside?: OutsideFiles | undefined
  /** The file in the home that says on which disks they are. Default: none. */
  readonly anchorPlaces?: string | undefined
  /** Checkpoints that the caller kept outside the ledger folder. */
  readonly knownHeads?: readonly string[] | undefined
  /** False once the folder may be another process's: nothing is written any more. Asked at every write. */
  readonly isOurs?: (() => boolean) | undefined
  /** True while what can wait should wait, as sealing can. Default: never. */
  readonly isBusy?: (() => boolean) | undefined
  /** Default `state`. */
  readonly onLoss?: OnLoss | undefined
  /** The head that a home was restored with: the log that ends with it is not appended to, as others may know what followed. */
  readonly restored?: Head | undefined
  /** Told of each entry once it is on disk, in the turn in which it counts as one. Must not throw. */
  readonly onRecorded?: ((draft: EntryDraft) => void) | undefined
}

/**
 * What to do where entries are gone: `state` it in a new log, where it stays a problem; `refuse` to start when the whole
 * ledger is gone; `accept` what is lost, on the word of an operator.
 */
export type OnLoss = 'state' | 'refuse' | 'accept'

export interface OpenedLog {
  readonly log: LoadedLog
  readonly active: ActiveSegment
  /** The newest checkpoint that witnesses had cosigned. */
  readonly cosigned: SignedHead | undefined
  readonly usedBytes: number
  /** Bytes of an unfinished write that were cut off. */
  readonly tornBytes: number
  /** Entries that are known to be lost, which no operator has accepted. */
  readonly lost: number
  readonly problems: readonly string[]
  /** What anchors held that was compared with the logs, by path. */
  readonly copies: ReadonlyMap<string, string>
  readonly outside: OutsideFiles
  readonly places: AnchorPlaces
}

/** Finds or starts the log to append to and brings its files in order. Throws as `openLedger`. */
export async function openNewestLog(options: LedgerOptions): Promise<OpenedLog> {
  const { files, directory, keys, clock } = options
  const ours = logKeysOf(keys, clock.now())
  const { finished: found } = await sortOrigins(files, directory)
  const newest = found.at(-1)
  const cosigned = newest && (await loadCosigned(files, newest.folder))
  const knownHeads = [...(options.knownHeads ?? []), ...(cosigned === undefined ? [] : [cosigned])]
  const outside = options.outside ?? outsideFilesOf(files)
  const known = await loadKnownHeads(outside, { anchors: options.anchors ?? [], knownHeads }, ours)
  if (newest !== undefined) checkKeys(newest, ours)
  else if (options.onLoss === 'refuse') throw goneLedger(directory)
  await files.makeDirectory(directory)
  await files.syncDirectory(folderOf(directory))
  // What a folder says of its keys is not trusted, only what the home has.
  const finished = found.map(({ folder }) => ({ folder, verifiers: verifiersOf(ours, folder.origin) }))
  const { opened, losses } = await openOrSucceed(options, finished, known.heads)
  await removeUnfinished(files, (await sortOrigins(files, directory)).unfinished)
  // An earlier process may have died before its names were durable; what follows builds on them.
  await files.syncDirectory(opened.log.folder.path)
  await files.syncDirectory(directory)
  const { temporary } = await listSegments(files, opened.log.folder)
  for (const name of temporary) await files.unlink(`${opened.log.folder.path}/${name}`)
  const { folder } = opened.log
  await nameKeys(files, folder, new LogSigners(keys, folder.origin).at(clock.now()))
  const lost = losses.reduce((sum, each) => sum + lostEntries(each), 0)
  return {
    ...opened,
    cosigned: cosignedOf(opened.log, cosigned),
    usedBytes: await usedBytes(files, directory),
    lost,
    problems: known.problems,
    copies: known.copies,
    outside,
    places: await AnchorPlaces.load(files, options.anchorPlaces),
  }
}

async function loadCosigned(files: Files, folder: OriginFolder): Promise<string | undefined> {
  const bytes = await readIfThere(files, `${folder.path}/${FILE.cosigned}`, LIMITS.noteBytes)
  return bytes && Buffer.from(bytes).toString('utf8')
}

/** Its root has been compared with that of the log as all known heads have. */
function cosignedOf(log: LoadedLog, text: string | undefined): SignedHead | undefined {
  const head = text === undefined ? undefined : peekCheckpoint(text)
  return text !== undefined && head?.origin === log.folder.origin ? { head, text } : undefined
}

interface Opened {
  readonly log: LoadedLog
  readonly active: ActiveSegment
  readonly tornBytes: number
}

/** Opens the newest log, or starts one behind it where that would be a fork or a loss is accepted. */
async function openOrSucceed(
  options: LedgerOptions,
  finished: readonly FinishedOrigin[],
  heads: readonly Head[],
): Promise<{ readonly opened: Opened; readonly losses: readonly Succession[] }> {
  const { files, keys } = options
  const isAccepted = options.onLoss === 'accept'
  const newest = finished.at(-1)
  if (newest === undefined) {
    const succession = { before: undefined, after: heads, isAccepted }
    const isFirst = heads.length === 0 && !isAccepted
    const opened = await openNew(options, isFirst ? undefined : succession)
    return { opened, losses: openLosses([succession]) }
  }
  const current = await openOld(options, newest, heads)
  const successions = await loadSuccessions(files, finished)
  const logs = { finished, current: current.log, successions, sidecarKey: keys.sidecarKey }
  const unreached = await unreachedHeads(files, logs, heads)
  const losses = openLosses(successions)
  // Once another log follows the one of the copy, that is done.
  const isRestored = options.restored?.origin === newest.folder.origin
  const isWhole = unreached.length === 0 && (losses.length === 0 || !isAccepted) && !isRestored
  if (isWhole && isHeldByKeyInUse(options, current.log)) return { opened: current, losses }
  await current.active.close()
  const succession = { before: headOf(current.log), after: unreached, isAccepted, isRestored }
  return { opened: await openNew(options, succession), losses: openLosses([...successions, succession]) }
}

/**
 * A log that was last signed by keys that have ended, because they were lost, is not appended to: who else may have them
 * could have written what it says.
 */
function isHeldByKeyInUse({ keys, clock }: LedgerOptions, { folder, checkpoint }: LoadedLog): boolean {
  const inUse = logKeysOf(keys, clock.now()).filter(({ hasEnded }) => !hasEnded)
  return openCheckpoint(checkpoint.text, verifiersOf(inUse, folder.origin)) !== undefined
}

async function loadSuccessions(
  files: Files,
  finished: readonly FinishedOrigin[],
): Promise<readonly Succession[]> {
  const openings = await Promise.all(finished.map(async ({ folder }) => await readFirstLeaf(files, folder)))
  return openings.flatMap((opening) => (opening && successionOf(opening)) ?? [])
}

/** The losses that no operator has accepted: those behind the last acceptance. */
function openLosses(successions: readonly Succession[]): readonly Succession[] {
  const behind = successions.slice(successions.findLastIndex((each) => each.isAccepted) + 1)
  return behind.filter((each) => lostEntries(each) > 0)
}

async function openOld(
  options: LedgerOptions,
  origin: FinishedOrigin,
  heads: readonly Head[],
): Promise<Opened> {
  const wanted = heads.filter((head) => head.origin === origin.folder.origin).map((head) => head.size)
  const log = await loadLog(options.files, origin, { sidecarKey: options.keys.sidecarKey, wanted })
  const active = await ActiveSegment.open(options.files, origin.folder, log.active)
  return { log, active, tornBytes: log.active.tornBytes }
}

async function openNew(options: LedgerOptions, succession: Succession | undefined): Promise<Opened> {
  const { files, directory, keys, clock } = options
  const opening = succession && openingLeaf(succession, clock.now())
  const folder = await createOrigin(files, directory, keys, { opening, at: clock.now() })
  const verifiers = await loadVerifiers(files, folder)
  if (verifiers === undefined)
    throw new Fault('ledger.corrupt', { place: folder.path, what: 'cannot be read' })
  return openOld(options, { folder, verifiers }, [])
}

function openingLeaf(succession: Succession, at: Millis): MadeLeaf {
  const fields = successionFields(succession)
  const draft = { kind: 'note', id: newEntryId(), at, fields, reserved: true } as const
  // It has public fields only.
  return makeLeaf(draft, randomBytes(SEED_BYTES), (value) => value)
}

function headOf(log: LoadedLog): Head {
  return { origin: log.folder.origin, size: log.range.size, root: log.range.root() }
}

function checkKeys(origin: FinishedOrigin, ours: readonly LogKey[]): void {
  if (!origin.verifiers.every((each) => isAmong(ours, each)))
    throw new Fault('home.damaged', {
      place: origin.folder.path,
      what: 'the signing key is not that of the log',
    })
}

function goneLedger(place: string): Fault {
  return new Fault(
    'home.damaged',
    { place, what: 'the ledger is gone' },
    {
      say: 'The ledger of this home is gone. Restore HOME/ledger from a copy; only when there is none, accept the loss: gatehouse up --accept-loss',
    },
  )
}
