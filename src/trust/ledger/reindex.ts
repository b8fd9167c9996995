import { concat, sameBytes } from '#base/bytes.ts'
import type { Files } from '#base/files.ts'
import { bundleHashes } from './bundle.ts'
import { FILE, listOrigins, listSegments, namesIn, segmentPath, type OriginFolder } from './layout.ts'
import { corrupt } from './load.ts'
import { idsIn, joinLines } from './packed_text.ts'
import { hasRightDigest, hasRightFilter, packLeaves } from './packing.ts'
import { openSealed, readIfThere } from './segment_reader.ts'
import { expectedTiles, removeStrayTiles } from './tile_mender.ts'
import { readTile, tileFile, writeBelow, type FullTile } from './tile_files.ts'
import { TILE_HASHES } from './tile_path.ts'
import { TiledLog } from './tiled_log.ts'
import { nameOf } from './tiled_logs.ts'

export interface ReindexParts {
  readonly files: Files
  /** The ledger folder. */
  readonly directory: string
}

/** Where a call stopped and the next one goes on. */
export interface ReindexPlace {
  /** The name of the folder of a log. */
  readonly log: string
  readonly step: number
}

export interface Reindexed {
  /** Tiles and segments that were looked at. */
  readonly checked: number
  /** Tiles that were written. */
  readonly tiles: number
  /** Segments whose filter of ids was made anew. */
  readonly filters: number
  /** Tiles that are none of their log and were removed, as `0001-…/tile/…`. */
  readonly removed: readonly string[]
  /** Undefined when all is done. */
  readonly next: ReindexPlace | undefined
}

/**
 * Looks at all that is made of the entries and only helps to find and prove them, in every log: tiles of hashes, and the
 * filters of ids in sealed segments. What is missing or wrong is made anew, and tiles of entries that are not there are
 * removed; entries, checkpoints and sidecars are only read.
 * It may run beside whoever appends and seals, stops when `goOn` says so, and goes on at a place that it gave.
 *
 * Throws `ledger.corrupt` with the place where entries are not what was signed: nothing is made of those; and where a file
 * or a folder stands in the place of the other.
 */
export async function reindex(
  parts: ReindexParts,
  from: ReindexPlace | undefined,
  goOn: () => boolean,
): Promise<Reindexed> {
  const { files, directory } = parts
  const counts = { checked: 0, tiles: 0, filters: 0 }
  const removed: string[] = []
  const { folders } = await listOrigins(files, directory)
  const start = folders.findIndex((folder) => nameOf(folder) === from?.log)
  for (const folder of folders.slice(Math.max(0, start))) {
    const log = nameOf(folder)
    let step = 0
    for await (const work of stepsOf(files, folder)) {
      step += 1
      if (log === from?.log && step <= from.step) continue
      if (counts.checked > 0 && !goOn()) return { ...counts, removed, next: { log, step: step - 1 } }
      counts.checked += 1
      const made = await work()
      if (made !== 'nothing') counts[made] += 1
    }
    const strays = await removeStrayTiles(files, new TiledLog(files, folder))
    removed.push(...strays.map((path) => `${log}/${path}`))
  }
  return { ...counts, removed, next: undefined }
}

type Step = () => Promise<'tiles' | 'filters' | 'nothing'>

/** A name that no other writer of these files has. */
const WRITER = '.reindex'

/** The steps for one log; what is signed meanwhile is at their end. */
async function* stepsOf(files: Files, folder: OriginFolder): AsyncGenerator<Step, void, undefined> {
  await namesIn(files, `${folder.path}/${FILE.tile}`)
  const { segments } = await listSegments(files, folder)
  for (const { first, parts } of segments)
    if (!parts.has('raw')) yield async () => await mendFilter(files, folder, first)
  const log = new TiledLog(files, folder)
  for await (const place of expectedTiles(files, log)) yield async () => await mendTile(files, log, place)
}

async function mendTile(files: Files, log: TiledLog, place: Omit<FullTile, 'hashes'>): ReturnType<Step> {
  const hashes = await log.tile({ ...place, width: TILE_HASHES })
  const stored = await readTile(files, log.folder, place)
  if (hashes === undefined || (stored !== undefined && sameBytes(stored, hashes))) return 'nothing'
  const path = tileFile(log.folder, place)
  await writeBelow(files, log.folder.path, [{ path, bytes: hashes }], WRITER)
  return 'tiles'
}

async function mendFilter(files: Files, folder: OriginFolder, first: number): ReturnType<Step> {
  const path = segmentPath(folder, first, 'leaves')
  const bytes = await readIfThere(files, path)
  const sealed = bytes && (await openSealed(bytes))
  if (bytes === undefined || sealed === undefined) throw corrupt(path, 'cannot be read')
  const { head, leaves } = sealed
  if (hasRightDigest(bytes) && hasRightFilter(head, leaves)) return 'nothing'
  const hashes = await bundleHashes(leaves)
  if (!sameBytes(concat(...hashes), concat(...head.tiles)))
    throw corrupt(path, 'the entries do not match the hashes of their bundles')
  const text = joinLines(leaves)
  const { at, count, tiles } = head
  const packed = await packLeaves({ first, at, count, text, ids: idsIn(text), tiles })
  await writeBelow(files, folder.path, [{ path, bytes: packed }], WRITER)
  return 'filters'
}
