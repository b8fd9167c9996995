import { release } from '#base/bytes.ts'
import { folderOf, writeAtomic, type Files } from '#base/files.ts'
import { segmentPath, type OriginFolder } from './layout.ts'
import { packSegment } from './pack_segment.ts'
import type { SidecarBox } from './sidecar.ts'
import { leafTiles, writeTiles } from './tile_files.ts'
import { TILE_BYTES } from './tile_path.ts'

export interface Sealed {
  readonly first: number
  readonly count: number
  readonly rawBytes: number
  readonly sealedBytes: number
  /** Bytes of the tiles of its leaves. */
  readonly tileBytes: number
}

export interface SealParts {
  readonly files: Files
  readonly folder: OriginFolder
  readonly box: SidecarBox
}

/**
 * Turns the raw file of a full segment into its two sealed files, and writes the tiles of the hashes of its leaves. The
 * raw file goes only when all are durable, so a crash at any step leaves one or the other. Repeating it after a crash is
 * safe.
 *
 * Throws `ledger.corrupt` when the raw file does not read, and the errors of the file system.
 */
export async function sealSegment(parts: SealParts, first: number): Promise<Sealed> {
  const { files, folder, box } = parts
  const place = segmentPath(folder, first, 'raw')
  const content = await files.read(place)
  const rawBytes = content.length
  const packed = await packSegment({ content, place, origin: folder.origin, first, box })
  release(content)
  await writeAtomic(files, segmentPath(folder, first, 'leaves'), packed.leaves)
  await writeAtomic(files, segmentPath(folder, first, 'sidecar'), packed.sidecar)
  await writeTiles(files, folder, leafTiles(first, packed.hashes))
  await files.unlink(place)
  // Or a crash could bring back secrets that were shredded from the sealed file.
  await files.syncDirectory(folderOf(place))
  const sealedBytes = packed.leaves.length + packed.sidecar.length
  release(packed.leaves)
  release(packed.sidecar)
  return { first, count: packed.count, rawBytes, sealedBytes, tileBytes: packed.hashes.length * TILE_BYTES }
}
