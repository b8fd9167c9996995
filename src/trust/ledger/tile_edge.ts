import { sameBytes } from '#base/bytes.ts'
import type { Files } from '#base/files.ts'
import type { Head } from './checkpoint.ts'
import type { OriginFolder } from './layout.ts'
import { corrupt } from './load.ts'
import { CompactRange, rootOf } from './merkle.ts'
import { hashesIn, type TileEntries } from './tile_entries.ts'
import { readTile } from './tile_files.ts'
import { leavesPerHash, TILE_HASHES, tileWidth } from './tile_path.ts'

export interface EdgeParts {
  readonly files: Files
  readonly folder: OriginFolder
  readonly entries: TileEntries
}

/** The last tile of one level, which is not full. */
interface Row {
  readonly index: number
  readonly hashes: readonly Uint8Array[]
}

/** The partial tiles of a tree, one of each level, which are never on disk. Together they have its root, and so prove all. */
export class TileEdge {
  /** Entries of the tree. */
  readonly size: number
  readonly #parts: EdgeParts
  readonly #rows: readonly Row[]

  private constructor(parts: EdgeParts, size: number, rows: readonly Row[]) {
    this.#parts = parts
    this.size = size
    this.#rows = rows
  }

  static empty(parts: EdgeParts): TileEdge {
    return new TileEdge(parts, 0, [])
  }

  /** The hashes of a partial tile; undefined for a full one. */
  row(level: number, index: number): Uint8Array | undefined {
    const row = this.#rows[level]
    return row?.index === index ? Buffer.concat(row.hashes) : undefined
  }

  /**
   * The edge of the tree when it has grown to a head; only what is new is read. Throws `ledger.corrupt` when what is there
   * does not come to the root of that head.
   */
  async grownTo(head: Head): Promise<TileEdge> {
    this.#parts.entries.grow(head.size)
    const { folder } = this.#parts
    for (const source of ['tiles', 'entries'] as const) {
      const rows = await this.#rowsAt(head.size, source)
      if (sameBytes(rootOfRows(rows), head.root)) return new TileEdge(this.#parts, head.size, rows)
    }
    throw corrupt(
      `${folder.path} entries 0 to ${head.size - 1}`,
      'not the entries that the checkpoint covers',
    )
  }

  /** A full tile made of the entries, or of the hashes of bundles that stand beside them. */
  async tileFromEntries(level: number, index: number): Promise<Uint8Array> {
    const { entries } = this.#parts
    if (level === 0) return await entries.hashes(index, TILE_HASHES)
    const hashes: Uint8Array[] = []
    for (let at = 0; at < TILE_HASHES; at++)
      hashes.push(await this.#rootOf(level, index * TILE_HASHES + at, 'entries'))
    return Buffer.concat(hashes)
  }

  async #rowsAt(size: number, source: Source): Promise<readonly Row[]> {
    const rows: Row[] = []
    for (let level = 0; leavesPerHash(level) <= size; level++) {
      const index = Math.floor(size / leavesPerHash(level + 1))
      const width = tileWidth({ level, index }, size)
      const hashes =
        level === 0
          ? await this.#leafHashes(index, width)
          : await this.#roots({ level, index, width }, source)
      rows.push({ index, hashes })
    }
    return rows
  }

  async #leafHashes(index: number, width: number): Promise<readonly Uint8Array[]> {
    return width === 0 ? [] : [...hashesIn(await this.#parts.entries.hashes(index, width))]
  }

  async #roots(
    { level, index, width }: { readonly level: number; readonly index: number; readonly width: number },
    source: Source,
  ): Promise<readonly Uint8Array[]> {
    const old = this.#rows[level]
    // A full subtree stays what it is, so those that are proven are not asked for again.
    const hashes = old?.index === index ? [...old.hashes] : []
    for (let at = hashes.length; at < width; at++)
      hashes.push(await this.#rootOf(level, index * TILE_HASHES + at, source))
    return hashes
  }

  /** One hash of a level above the leaves: of a bundle, or over a full tile of the level below. */
  async #rootOf(level: number, index: number, source: Source): Promise<Uint8Array> {
    const { files, folder, entries } = this.#parts
    if (level === 1) return await entries.root(index)
    const place = { level: level - 1, index }
    const stored = source === 'tiles' ? await readTile(files, folder, place) : undefined
    return rootOf(hashesIn(stored ?? (await this.tileFromEntries(level - 1, index))))
  }
}

/** What hashes of full subtrees are made of: tiles where there are any, or the entries alone. */
type Source = 'tiles' | 'entries'

/** The root of the tree of which these are the partial tiles: the highest holds what is first. */
function rootOfRows(rows: readonly Row[]): Uint8Array {
  const range = new CompactRange()
  for (const [level, { hashes }] of [...rows.entries()].toReversed())
    for (const hash of hashes) range.appendSubtree(level * TILE_HEIGHT, hash)
  return range.root()
}

/** Levels of the tree in one level of tiles. */
const TILE_HEIGHT = 8
