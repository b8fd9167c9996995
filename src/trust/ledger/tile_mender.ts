import { errorCode, folderOf, isTemporary, type Files } from '#base/files.ts'
import { BUNDLE } from './bundle.ts'
import { listSegments, type OriginFolder } from './layout.ts'
import { corrupt } from './load.ts'
import { endOf, leavesPerHash, parseTilePath, TILE_HASHES } from './tile_path.ts'
import { FileNames, tileFile, tileFiles, writeTiles, type FullTile } from './tile_files.ts'
import { TiledLog } from './tiled_log.ts'

/**
 * Writes the full tiles that a log should have on disk and of which no file is there: of the hashes of leaves those of
 * sealed segments, above them all that a checkpoint covers. Each is proven by the checkpoint before it is written. `goOn`
 * is asked before each piece of work, which is a millisecond or two. Gives how many were written.
 */
export async function mendTiles(
  { files, folder }: { readonly files: Files; readonly folder: OriginFolder },
  goOn: () => Promise<boolean>,
): Promise<number> {
  const log = new TiledLog(files, folder)
  const names = new FileNames(files)
  let count = 0
  let batch: FullTile[] = []
  const write = async (): Promise<void> => {
    await writeTiles(files, folder, batch)
    count += batch.length
    batch = []
  }
  for await (const place of expectedTiles(files, log)) {
    if (await names.has(tileFile(folder, place))) continue
    if (!(await goOn())) break
    const hashes = await log.tile({ ...place, width: TILE_HASHES })
    if (hashes !== undefined) batch.push({ ...place, hashes })
    if (batch.length >= BATCH) await write()
  }
  await write()
  return count
}

/** So many share the syncs of their folders. */
const BATCH = 32

/** No higher tile of a tree is ever full: sizes go to 2^53, and a tile of level 6 stands for 2^56 entries. */
const TOP_LEVEL = 5

type Place = Pick<FullTile, 'level' | 'index'>

/** The full tiles that should be on disk, highest level first: what they prove is then read already. */
export async function* expectedTiles(files: Files, log: TiledLog): AsyncGenerator<Place, void, undefined> {
  const { head } = await log.signed()
  const countAt = (level: number): number => Math.floor(head.size / leavesPerHash(level + 1))
  for (let level = TOP_LEVEL; level > 0; level--)
    for (let index = 0; index < countAt(level); index++) yield { level, index }
  const { segments } = await listSegments(files, log.folder)
  for (const [at, { first, parts }] of segments.entries()) {
    // The last one is in use.
    const end = segments[at + 1]?.first ?? 0
    if (parts.has('raw')) continue
    for (let index = first / BUNDLE; index < end / BUNDLE; index++) yield { level: 0, index }
  }
}

/**
 * Removes tiles of entries that a log does not have, as `TileCheck` reports them, and gives their paths in its folder. They
 * hold nothing; what is no tile at all stays, as whoever put it there may miss it.
 *
 * Throws `ledger.corrupt` where a folder stands in the place of a tile.
 */
export async function removeStrayTiles(files: Files, log: TiledLog): Promise<readonly string[]> {
  const removed: string[] = []
  for await (const path of tileFiles(files, log.folder)) {
    const tile = isTemporary(path) ? undefined : parseTilePath(path)
    // Asked for each: the log may grow meanwhile, with its tiles.
    if (tile === undefined || endOf(tile) <= (await log.signed()).head.size) continue
    const stray = `${log.folder.path}/${path}`
    try {
      await files.unlink(stray)
    } catch (thrown) {
      throw errorCode(thrown) === 'ERR_FS_EISDIR' ? corrupt(stray, 'a folder in the place of a tile') : thrown
    }
    await files.syncDirectory(folderOf(stray))
    removed.push(path)
  }
  return removed
}
