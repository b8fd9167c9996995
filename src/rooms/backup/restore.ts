import type { Clock } from '#base/clock.ts'
import { RunningSha256 } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import { errorCode, folderOf, type Files } from '#base/files.ts'
import type { BackupFolder } from './backup_folder.ts'
import { DamagedFiles } from './damaged_files.ts'
import type { KeptFile, Manifest } from './manifest.ts'
import { piecesOf, sha256Of, type ObjectStore } from './object_store.ts'
import { readRestoredMark, RESTORED, writeRestoredMark } from './restored_mark.ts'

export interface RestoreParts {
  readonly files: Files
  readonly folder: BackupFolder
  /** Where the home is to be. */
  readonly home: string
  readonly clock: Clock
  /** Checks the restored files where they stand, before they are a home. Throws what is wrong. */
  readonly check: (place: string) => Promise<void>
  /** Told of each file that stands in its place. */
  readonly onFile: (file: KeptFile) => void
}

export interface Restored {
  readonly manifest: Manifest
  /** Where the home that was there is now; undefined where there was none. */
  readonly aside: string | undefined
  /** What was not as it should be in the folder of the backup, and was read from its twin. */
  readonly damaged: readonly string[]
}

/**
 * Puts the home of a backup where there is none, or an empty folder; with `isForced` a home that is there is moved aside. All
 * is written and checked in a folder beside it, which takes the name of the home at once. A run that was cut goes on where it
 * stopped. Where files of the backup are damaged all others are written there still.
 *
 * Throws `home.occupied`, `backup.damaged`, which names all files that are, and what `check` throws; then no home is there that was not before.
 */
export async function restore(
  parts: RestoreParts,
  { isForced, known }: { readonly isForced: boolean; readonly known: readonly string[] },
): Promise<Restored> {
  const { files, folder, home, clock } = parts
  const there = await files.list(home)
  if (there.length > 0 && !isForced) throw new Fault('home.occupied', { home })
  const manifest = await folder.manifest()
  const place = restoringOf(home)
  // A run that was cut between the two renames was the last to see the home that was there; one that was not cut has left what
  // it saw in the home, until that is started. Of a home that cannot be read nothing is known, and it is moved aside still.
  const seen = [...(await knownBefore(files, place)), ...(await knownBefore(files, home).catch(() => []))]
  await fill(parts, place, manifest)
  await parts.check(place)
  const { madeAt, head } = manifest
  const all = [...new Set([...known, ...seen])].slice(0, MOST_KNOWN)
  const restoredAt = clock.now()
  await writeRestoredMark(files, place, { backup: folder.id, madeAt, restoredAt, head, known: all })
  const aside = there.length > 0 ? await asideOf(files, home) : undefined
  if (aside === undefined) await files.removeDirectory(home).catch(unlessMissing)
  else await files.rename(home, aside)
  await files.rename(place, home)
  await files.syncDirectory(folderOf(home))
  return { manifest, aside, damaged: folder.damaged }
}

/** Where a home is made before it is one. Nobody else may be able to write there, nor work there at the same time. */
export function restoringOf(home: string): string {
  return `${home}.restoring`
}

async function knownBefore(files: Files, place: string): Promise<readonly string[]> {
  try {
    return (await readRestoredMark(files, place))?.known ?? []
  } catch (thrown) {
    // Half of one says nothing.
    if (thrown instanceof Fault) return []
    throw thrown
  }
}

/** Checkpoints of some 4 KB, of which the mark has room for some twenty. */
const MOST_KNOWN = 8

/** Writes the files of the backup into a folder and takes everything else away. */
async function fill(parts: RestoreParts, place: string, { files: kept }: Manifest): Promise<void> {
  const { files, folder, onFile } = parts
  const folders = new Set([place, ...kept.flatMap(({ path }) => foldersAbove(place, path))])
  const wanted = new Set(
    [RESTORED, ...LOCK, ...kept.map(({ path }) => path)].map((path) => `${place}/${path}`),
  )
  await removeStrange(files, place, { wanted, folders, depth: 0 })
  for (const each of folders) await files.makeDirectory(each)
  const damaged = new DamagedFiles()
  for (const file of kept) {
    const path = `${place}/${file.path}`
    const write = async (): Promise<void> => await writeFile(files, path, { store: folder.store, file })
    if ((await isThere(files, path, file)) || (await damaged.isWhole(file, write))) onFile(file)
    // Half of a file, or one of another backup, is not what this one holds.
    else for (const each of [path, temporaryOf(path)]) await files.unlink(each)
  }
  for (const each of [...folders].sort().toReversed()) await files.syncDirectory(each)
  await files.syncDirectory(folderOf(place))
  damaged.throwIfAny(` All other files stand in ${place}.`)
}

function foldersAbove(place: string, path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1)
  return parts.map((_, at) => [place, ...parts.slice(0, at + 1)].join('/'))
}

/** True for what a run before this one has written whole. */
async function isThere(files: Files, path: string, { bytes, sha256 }: KeptFile): Promise<boolean> {
  const facts = await files.facts(path)
  if (facts?.bytes !== bytes) return false
  const read = async (from: number, length: number): Promise<Uint8Array> =>
    await files.readRange(path, from, length)
  return (await sha256Of({ bytes, read })) === sha256
}

async function writeFile(
  files: Files,
  path: string,
  { store, file }: { readonly store: ObjectStore; readonly file: KeptFile },
): Promise<void> {
  const temporary = temporaryOf(path)
  await files.unlink(temporary)
  const source = await store.open(file.object)
  const hash = new RunningSha256()
  const open = await files.openForWriting(temporary)
  try {
    for await (const { from, plain } of piecesOf(source)) {
      hash.add(plain)
      await open.write(plain, from)
    }
  } finally {
    await open.close()
  }
  if (source.bytes !== file.bytes || hash.hex() !== file.sha256)
    throw new Fault('backup.damaged', { place: file.path }, { say: `${file.path} is damaged in the backup.` })
  await files.rename(temporary, path)
}

function temporaryOf(path: string): string {
  return `${path}.tmp`
}

interface Wanted {
  readonly wanted: ReadonlySet<string>
  readonly folders: ReadonlySet<string>
  readonly depth: number
}

/** What another backup, or a check of these files, has left in the folder. A link goes, and never what it leads to. */
async function removeStrange(files: Files, folder: string, rules: Wanted): Promise<void> {
  if (rules.depth > MOST_DEPTH) throw new Fault('home.damaged', { folder })
  for (const name of await files.list(folder)) {
    const path = `${folder}/${name}`
    if (rules.wanted.has(path)) continue
    if (!(await isFolder(files, path))) continue
    await removeStrange(files, path, { ...rules, depth: rules.depth + 1 })
    if (!rules.folders.has(path)) await files.removeDirectory(path)
  }
}

const MOST_DEPTH = 16

/** What `lockHome` has in a folder while a run works in it. */
const LOCK = ['lock.db', 'lock.db-journal']

/** Removes what is none. */
async function isFolder(files: Files, path: string): Promise<boolean> {
  try {
    await files.unlink(path)
    return false
  } catch (thrown) {
    if (errorCode(thrown) === 'ERR_FS_EISDIR') return true
    throw thrown
  }
}

function unlessMissing(thrown: unknown): void {
  if (errorCode(thrown) !== 'ENOENT') throw thrown
}

/** A name beside the home that nothing has yet. */
async function asideOf(files: Files, home: string): Promise<string> {
  const names = new Set(await files.list(folderOf(home)))
  for (let number = 1; number <= MOST_ASIDE; number++) {
    const path = `${home}.before-${number}`
    if (!names.has(path.slice(folderOf(path).length + 1))) return path
  }
  throw new Fault(
    'home.occupied',
    { home },
    { say: `There are ${MOST_ASIDE} homes beside this one already.` },
  )
}

const MOST_ASIDE = 100
