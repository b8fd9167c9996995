import { sameBytes } from '#base/bytes.ts'
import { isTemporary, type Files } from '#base/files.ts'
import type { OriginFolder } from './layout.ts'
import type { OnTileHash } from './merkle.ts'
import { leavesPerHash, parseTilePath, TILE_HASHES } from './tile_path.ts'
import { readTile, tileFile, tileFiles, type FullTile } from './tile_files.ts'
import { TileRows } from './tile_rows.ts'
import { TiledLog } from './tiled_log.ts'

interface TileCheckParts {
  readonly files: Files
  readonly folder: OriginFolder
  /** `place` is relative to the folder of the log. */
  readonly report: (place: string, what: string) => void
}

/**
 * Compares the tiles on disk with the hashes of the entries, as these are read in order. One that is missing is no fault:
 * it holds nothing that the entries do not, and is made anew.
 */
export class TileCheck {
  readonly #parts: TileCheckParts
  readonly #rows = new TileRows(Number.POSITIVE_INFINITY)

  constructor(parts: TileCheckParts) {
    this.#parts = parts
  }

  /** Takes the next hash of a level, 0 for leaves. */
  readonly add: OnTileHash = (level, hash) => this.#rows.add(level, hash)

  /** The next bundle could not be read. */
  skipBundle(): void {
    this.#rows.skip(0)
  }

  /** Looks at the tiles that are full by now. */
  async look(): Promise<void> {
    const tiles = this.#rows.waiting(Number.POSITIVE_INFINITY)
    for (const tile of tiles) if (!(await this.#isRight(tile))) this.#report(tile)
    this.#rows.drop(tiles)
  }

  /** Looks for files that are no tiles of the log, of which the first `size` entries were read. */
  async finish(size: number): Promise<void> {
    const { files, folder, report } = this.#parts
    for await (const path of tileFiles(files, folder)) {
      if (isTemporary(path)) continue
      const { level, index, width } = parseTilePath(path) ?? NO_TILE
      if (typeof level !== 'number' || width < TILE_HASHES) report(path, 'not a file of the ledger')
      else if (endOf({ level, index }) > size && endOf({ level, index }) > (await this.#signed()))
        report(path, 'a tile of entries that are not there')
    }
  }

  async #isRight(tile: FullTile): Promise<boolean> {
    const { files, folder } = this.#parts
    const stored = await readTile(files, folder, tile)
    if (stored !== undefined) return sameBytes(stored, tile.hashes)
    return (await files.facts(tileFile(folder, tile))) === undefined
  }

  /** Entries that are signed now: the log may have grown, with its tiles, since its entries were read. */
  async #signed(): Promise<number> {
    const { files, folder } = this.#parts
    const { head } = await new TiledLog(files, folder).signed().catch(() => NOTHING_SIGNED)
    return head.size
  }

  #report({ level, index }: FullTile): void {
    const { folder, report } = this.#parts
    const path = tileFile(folder, { level, index }).slice(folder.path.length + 1)
    const end = endOf({ level, index })
    const first = index * leavesPerHash(level + 1)
    report(path, `not the hashes of the entries ${first} to ${end - 1}`)
  }
}

const NO_TILE = { level: undefined, index: 0, width: 0 }
const NOTHING_SIGNED = { head: { size: 0 } }

function endOf({ level, index }: Pick<FullTile, 'level' | 'index'>): number {
  return (index + 1) * leavesPerHash(level + 1)
}
