import { SHA256_BYTES } from '#base/crypto.ts'
import type { FullTile } from './tile_files.ts'
import { TILE_BYTES, TILE_HASHES, leavesPerHash } from './tile_path.ts'

/** Full tiles that wait to be written, 8 KiB each; beyond it those that came last are given up until the next start. */
const WAITING_MAX = 1_024

interface Row {
  /** Hashes that have ever stood in it. */
  count: number
  hashes: Buffer
}

/**
 * The tiles above the leaves as a tree grows: the hashes of the last tile of each level, and the full ones that are not
 * known to be on disk. The tree tells it of each full subtree of 256, 256 · 256, … leaves, so nothing is hashed for it.
 */
export class TileRows {
  readonly #rows: Row[] = []
  readonly #waiting = new Set<FullTile>()
  readonly #most: number

  constructor(most = WAITING_MAX) {
    this.#most = most
  }

  /** Takes the hash of the next full subtree of 256^level leaves; keeps a copy of it. */
  add(level: number, hash: Uint8Array): void {
    const row = (this.#rows[level] ??= { count: 0, hashes: Buffer.alloc(TILE_BYTES) })
    row.hashes.set(hash, (row.count % TILE_HASHES) * SHA256_BYTES)
    row.count += 1
    if (row.count % TILE_HASHES > 0) return
    if (this.#waiting.size < this.#most)
      this.#waiting.add({ level, index: row.count / TILE_HASHES - 1, hashes: row.hashes })
    row.hashes = Buffer.alloc(TILE_BYTES)
  }

  /** The next tile of a level cannot be known; the one before it must be full. */
  skip(level: number): void {
    const row = (this.#rows[level] ??= { count: 0, hashes: Buffer.alloc(TILE_BYTES) })
    row.count += TILE_HASHES
  }

  /** The full tiles that are not known to be on disk and consist of the first `size` leaves, lower ones first. */
  waiting(size: number): readonly FullTile[] {
    return [...this.#waiting].filter((tile) => (tile.index + 1) * leavesPerHash(tile.level + 1) <= size)
  }

  /** They are on disk. */
  drop(tiles: readonly FullTile[]): void {
    for (const tile of tiles) this.#waiting.delete(tile)
  }
}
