import type { Clock } from '#base/clock.ts'
import { utf8 } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { errorCode, isTemporary, type Files } from '#base/files.ts'
import type { BackupFolder } from './backup_folder.ts'
import { checkCopy } from './check_backup.ts'
import { checkContinues } from './check_continues.ts'
import { copyLedger } from './copy_ledger.ts'
import { HomeCopy, type CopyProgress } from './home_copy.ts'
import type { Manifest } from './manifest.ts'

export interface BackUpParts {
  readonly files: Files
  /** The home folder. A door may run in it. */
  readonly home: string
  readonly folder: BackupFolder
  /** Where a copy of `state.db` stands that nobody writes to, made before; undefined for a home that has none. */
  readonly state: string | undefined
  readonly clock: Clock
  /** Of this program. */
  readonly version: string
  /** Whether what the backup has already is read back, and written anew where it is damaged. */
  readonly isRepair: boolean
  /** Whether a backup in the folder may go that this home does not continue. */
  readonly mayDeleteOther: boolean
  readonly onProgress: (progress: CopyProgress) => void
}

export interface BackedUp {
  readonly manifest: Manifest
  readonly progress: CopyProgress
  /** What stands in the home and was left out because it is no plain file. */
  readonly skipped: readonly string[]
  /** What was damaged in the backup, and is whole again. */
  readonly repaired: readonly string[]
}

/**
 * Copies a home into a backup, beside a door that runs. What stands in the backup already is not copied again, so a run that
 * was cut goes on where it stopped, and a later one copies what is new. The copy is consistent: `state.db` is older than the
 * ledger, which makes up for what is missing in it; the ledger is older than the keys. Memory holds one segment at most.
 *
 * Throws `backup.foreign` before anything is written, `ledger.corrupt`, `backup.damaged` when what was written does not read
 * back, `home.damaged`, `home.unwritable`.
 */
export async function backUp(parts: BackUpParts): Promise<BackedUp> {
  const { files, home, folder, state, clock, version, isRepair, mayDeleteOther, onProgress } = parts
  const before = mayDeleteOther ? undefined : await manifestBefore(folder)
  if (before !== undefined) await checkContinues(files, home, before)
  const madeAt = clock.now()
  let progress: CopyProgress = { files: 0, bytes: 0, copiedFiles: 0, copiedBytes: 0 }
  const copy = new HomeCopy({
    files,
    home,
    store: folder.store,
    isRepair,
    onProgress: (now) => onProgress((progress = now)),
  })
  if (state !== undefined) await copy.file('state.db', state)
  const newest = await copyLedger(copy)
  // That of the ledger in the copy: a newer one would say that entries of it are lost.
  if (newest !== undefined) await copy.content('head', utf8(newest.text))
  for await (const path of filesIn(files, home)) await copyIfThere(copy, path)
  const manifest = { madeAt, version, head: newest?.head, files: copy.kept }
  await checkCopy(folder.store, manifest, { fresh: copy.fresh, now: madeAt })
  await folder.finish(manifest)
  return { manifest, progress, skipped: copy.skipped, repaired: [...folder.damaged, ...copy.repaired] }
}

/** Throws `backup.damaged` for one that cannot be read: nobody knows then whose backup that is. */
async function manifestBefore(folder: BackupFolder): Promise<Manifest | undefined> {
  try {
    return await folder.finished()
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== 'backup.damaged') throw thrown
    throw new Fault(
      'backup.damaged',
      { place: 'manifest' },
      {
        say: `${thrown.say ?? ''} It says of which home the backup is. Where that is this one: --delete-other-backup, which keeps the objects that are the same.`,
        cause: thrown,
      },
    )
  }
}

/** What is of the process that runs, is copied in another way, or is made again from the ledger. */
const LEFT_OUT: ReadonlySet<string> = new Set([
  'ledger',
  'head',
  'state.db',
  'state.db-wal',
  'state.db-shm',
  'lock.db',
  'lock.db-journal',
  'running.json',
  'first-key',
  'counters',
  'swept',
  'restored',
  // Disks have other numbers on another machine, where a file that is new would be taken for one whose mount is gone.
  'anchors',
])
/** Folders inside each other; a home of ours has two. */
const MOST_DEPTH = 8

/** The files of the home beside state and ledger. A file that a later version puts there comes along. */
async function* filesIn(files: Files, home: string): AsyncGenerator<string, void, undefined> {
  for (const name of await files.list(home))
    if (!LEFT_OUT.has(name) && !isTemporary(name) && !name.endsWith('.sock')) yield* under(files, home, name)
}

async function* under(files: Files, home: string, path: string): AsyncGenerator<string, void, undefined> {
  const names = await namesIn(files, `${home}/${path}`)
  if (names === undefined) return yield path
  if (path.split('/').length >= MOST_DEPTH)
    throw new Fault('home.damaged', { path }, { say: 'Folders in the home are too deep in each other.' })
  for (const name of names) if (!isTemporary(name)) yield* under(files, home, `${path}/${name}`)
}

/** The names in a folder; undefined for a file. */
async function namesIn(files: Files, path: string): Promise<readonly string[] | undefined> {
  try {
    return await files.list(path)
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOTDIR') return undefined
    throw thrown
  }
}

/** A file that went between the list and the copy is not in the home any more. */
async function copyIfThere(copy: HomeCopy, path: string): Promise<void> {
  try {
    await copy.plainFile(path)
  } catch (thrown) {
    if (errorCode(thrown) !== 'ENOENT') throw thrown
  }
}
