import { sameBytes, utf8 } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { errorCode, folderOf, writeAtomic, type Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { NOT_PLAIN } from '#base/plain_file.ts'
import { peekCheckpoint, type Head } from './checkpoint.ts'
import { holdsTile, signedTile } from './exported_tile.ts'
import { FILE } from './layout.ts'
import { FileNames, writeBelow } from './tile_files.ts'
import { leavesPerHash, TILE_HASHES, tilePath, tileWidth, type TileAddress } from './tile_path.ts'
import type { TiledLog } from './tiled_log.ts'

/** Says of which log a folder is an export, before there is a checkpoint in it. */
const MARK = '.gatehouse-export'

export interface Exported {
  readonly origin: string
  /** Entries that the checkpoint covers. */
  readonly entries: number
  /** Files that were written this time. */
  readonly written: number
  /** Those of them in whose place something else was. */
  readonly mended: number
}

/** How far an export has come, in files of the tree. */
export interface ExportProgress {
  readonly done: number
  readonly all: number
}

/**
 * Writes what is signed of a log as a tree of static files below `directory` (c2sp.org/tlog-tiles): `checkpoint`, tiles and
 * bundles of entries, full ones and those that this checkpoint needs. What is there is read and compared with the log, and
 * written again only where it differs, so it goes on where it was interrupted, and a later call adds what is new. The
 * checkpoint is written last: whoever finds one finds all that it covers.
 *
 * Throws `export.foreign` where the folder holds anything else, another log, or entries that this log does not have, and
 * `ledger.corrupt` where the log itself is damaged, or is set back meanwhile.
 */
export async function exportTiles(
  files: Files,
  log: TiledLog,
  directory: string,
  tell: (progress: ExportProgress) => void = () => undefined,
): Promise<Exported> {
  const { head, text } = await log.signed()
  const before = await checkTarget(files, log, head, directory)
  await files.makeDirectory(directory)
  await files.syncDirectory(folderOf(directory))
  await writeAtomic(files, `${directory}/${MARK}`, utf8(`${head.origin}\n`))
  const all = countTiles(head.size)
  const names = new FileNames(files)
  let [done, written, mended] = [0, 0, 0]
  let batch: { readonly path: string; readonly bytes: Uint8Array }[] = []
  const write = async (): Promise<void> => {
    await writeBelow(files, directory, batch)
    written += batch.length
    batch = []
    tell({ done, all })
  }
  for (const address of tilesOf(head.size)) {
    if (done > 0 && done % BATCH === 0) await write()
    done += 1
    const path = `${directory}/${tilePath(address)}`
    const isThere = await names.has(path)
    // Whoever may write there can have changed it, and the mark of the folder proves nothing.
    if (isThere && (await holdsTile(files, log, { path, address }))) continue
    if (isThere) mended += 1
    batch.push({ path, bytes: await signedTile(log, address) })
  }
  await write()
  await writeAtomic(files, `${directory}/${FILE.checkpoint}`, utf8(text))
  if (before !== undefined) await dropPartial(files, directory, before.size, head.size)
  return { origin: head.origin, entries: head.size, written: written + 1, mended }
}

/** Files; what of them is written shares the syncs of their folders. */
const BATCH = 64

/** The head of an earlier export in the folder; undefined where there is none yet. */
async function checkTarget(
  files: Files,
  log: TiledLog,
  head: Head,
  directory: string,
): Promise<Head | undefined> {
  const names = await files.list(directory)
  // All that a call leaves that is interrupted at its very beginning.
  if (names.every((name) => name === `${MARK}.tmp`)) return undefined
  const mark = await textIn(files, directory, MARK)
  if (mark === undefined) throw foreign('The folder is not empty, and is no export of a log.')
  if (mark !== `${head.origin}\n`)
    throw foreign('The folder is an export of another log: each log needs a folder of its own.')
  const note = await textIn(files, directory, FILE.checkpoint)
  if (note === undefined) return undefined
  const before = peekCheckpoint(note)
  if (before?.origin !== head.origin) throw foreign('The checkpoint in the folder is not one of this log.')
  if (before.size > head.size)
    throw foreign(
      'The folder holds more entries than the log: the log was set back. Keep the folder, it is evidence.',
    )
  if (!sameBytes(await log.rootAt(before.size), before.root))
    throw foreign('The folder holds other entries than the log: one of them was forged. Keep both.')
  return before
}

/** Of the folder that is written into: what is wrong there says nothing of the ledger. */
async function textIn(files: Files, directory: string, name: string): Promise<string | undefined> {
  try {
    return Buffer.from(await files.read(`${directory}/${name}`, LIMITS.noteBytes)).toString('utf8')
  } catch (thrown) {
    const code = errorCode(thrown) ?? ''
    if (code === 'ENOENT') return undefined
    if (NOT_PLAIN.has(code)) throw foreign(`In the folder, ${name} is no plain file, or too large for one.`)
    throw thrown
  }
}

function foreign(say: string): Fault {
  return new Fault('export.foreign', {}, { say })
}

/** All files of a tree of this size but the checkpoint, bundles first. */
function* tilesOf(size: number): Generator<TileAddress, void, undefined> {
  yield* levelOf('entries', size)
  for (let level = 0; leavesPerHash(level) <= size; level++) yield* levelOf(level, size)
}

function* levelOf(level: TileAddress['level'], size: number): Generator<TileAddress, void, undefined> {
  for (let index = 0; ; index++) {
    const width = tileWidth({ level, index }, size)
    if (width === 0) return
    yield { level, index, width }
  }
}

function countTiles(size: number): number {
  const countAt = (perHash: number): number => Math.ceil(Math.floor(size / perHash) / TILE_HASHES)
  let count = countAt(1)
  for (let level = 0; leavesPerHash(level) <= size; level++) count += countAt(leavesPerHash(level))
  return count
}

/** The partial tiles of an earlier checkpoint, which wider ones have taken the place of. */
async function dropPartial(files: Files, directory: string, before: number, now: number): Promise<void> {
  const kept = new Set<string>()
  for (const address of lastOf(now)) kept.add(tilePath(address))
  for (const address of lastOf(before)) {
    const path = tilePath(address)
    if (address.width === TILE_HASHES || kept.has(path)) continue
    await files.unlink(`${directory}/${path}`)
    const folder = folderOf(`${directory}/${path}`)
    if ((await files.list(folder)).length === 0) await files.removeDirectory(folder)
    await files.syncDirectory(folderOf(folder))
  }
}

/** The last tile of each level, and the last bundle. */
function* lastOf(size: number): Generator<TileAddress, void, undefined> {
  const last = (level: TileAddress['level'], perHash: number): TileAddress => {
    const index = Math.max(0, Math.ceil(Math.floor(size / perHash) / TILE_HASHES) - 1)
    return { level, index, width: tileWidth({ level, index }, size) }
  }
  if (size > 0) yield last('entries', 1)
  for (let level = 0; leavesPerHash(level) <= size; level++) yield last(level, leavesPerHash(level))
}
