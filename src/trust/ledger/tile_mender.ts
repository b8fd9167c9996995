import type { Files } from '#base/files.ts'
import { BUNDLE } from './bundle.ts'
import { listSegments, type OriginFolder } from './layout.ts'
import { leavesPerHash, TILE_HASHES } from './tile_path.ts'
import { FileNames, tileFile, writeTiles, type FullTile } from './tile_files.ts'
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
    if (batch.length > 0) await writeTiles(files, folder, batch)
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

type Place = Pick<FullTile, 'level' | 'index'>

/** The full tiles that should be on disk, highest level first: what they prove is then read already. */
export async function* expectedTiles(files: Files, log: TiledLog): AsyncGenerator<Place, void, undefined> {
  const { head } = await log.signed()
  const countAt = (level: number): number => Math.floor(head.size / leavesPerHash(level + 1))
  let top = 0
  while (countAt(top + 1) > 0) top += 1
  for (let level = top; level > 0; level--)
    for (let index = 0; index < countAt(level); index++) yield { level, index }
  const { segments } = await listSegments(files, log.folder)
  for (const [at, { first, parts }] of segments.entries()) {
    const end = segments[at + 1]?.first
    if (parts.has('raw') || end === undefined) continue
    for (let index = first / BUNDLE; index < end / BUNDLE; index++) yield { level: 0, index }
  }
}
