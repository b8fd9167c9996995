import { sameBytes } from '#base/bytes.ts'
import { isTemporary, type Files } from '#base/files.ts'
import type { OriginFolder } from './layout.ts'
import type { OnTileHash } from './merkle.ts'
import { readPlace, tileFiles, type FullTile } from './tile_files.ts'
import { endOf, parseTilePath, TILE_HASHES, tilePath } from './tile_path.ts'
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
    for (let from = 0; from < tiles.length; from += READ_AT_ONCE) {
      const some = tiles.slice(from, from + READ_AT_ONCE)
      const areRight = await Promise.all(some.map((tile) => this.#isRight(tile)))
      for (const [at, tile] of some.entries()) if (areRight[at] === false) this.#report(tile)
    }
    this.#rows.drop(tiles)
  }

  /** Looks for files that are no tiles of the log, of which the first `size` entries were read. */
  async finish(size: number): Promise<void> {
    const { files, folder, report } = this.#parts
    for await (const path of tileFiles(files, folder)) {
      if (isTemporary(path)) continue
      const tile = parseTilePath(path)
      if (tile === undefined) report(path, 'not a file of the ledger')
      else if (endOf(tile) > size && endOf(tile) > (await this.#signed()))
        report(path, 'a tile of entries that are not there')
    }
  }

  async #isRight(tile: FullTile): Promise<boolean> {
    const { files, folder } = this.#parts
    const stored = await readPlace(files, folder, tile)
    return stored === undefined || sameBytes(stored, tile.hashes)
  }

  /** Entries that are signed now: the log may have grown, with its tiles, since its entries were read. */
  async #signed(): Promise<number> {
    const { files, folder } = this.#parts
    const { head } = await new TiledLog(files, folder).signed().catch(() => NOTHING_SIGNED)
    return head.size
  }

  #report({ level, index }: FullTile): void {
    const first = endOf({ level, index: index - 1 })
    const last = endOf({ level, index }) - 1
    const path = tilePath({ level, index, width: TILE_HASHES })
    this.#parts.report(path, `not the hashes of the entries ${first} to ${last}`)
  }
}

/** Tiles, of 8 KiB: to wait for each by itself costs half as much again as to read it. */
const READ_AT_ONCE = 32
const NOTHING_SIGNED = { head: { size: 0 } }
