import { sameBytes } from '#base/bytes.ts'
import { SHA256_BYTES } from '#base/crypto.ts'
import type { Files } from '#base/files.ts'
import { BUNDLE, bundleHashes } from './bundle.ts'
import type { OriginFolder } from './layout.ts'
import { readTile } from './tile_files.ts'
import { TILE_HASHES } from './tile_path.ts'

/** Level of the tiles that hold the hashes of bundles. */
const LEVEL = 1

/** The hashes of bundles as the full tiles on disk have them, which the root of the tree has still to prove. */
export class BundleTiles {
  readonly #files: Files
  readonly #folder: OriginFolder
  /** The one that was read last: segments are asked for in order. */
  #last: { readonly index: number; readonly hashes: Uint8Array | undefined } | undefined

  constructor(files: Files, folder: OriginFolder) {
    this.#files = files
    this.#folder = folder
  }

  /** The hash of each bundle from entry `first` up to `end`, both whole bundles; undefined where a tile is missing. */
  async rootsOf(first: number, end: number): Promise<readonly Uint8Array[] | undefined> {
    const roots: Uint8Array[] = []
    if (first % BUNDLE > 0 || end % BUNDLE > 0) return undefined
    for (let bundle = first / BUNDLE; bundle < end / BUNDLE; bundle++) {
      const hashes = await this.#tile(Math.floor(bundle / TILE_HASHES))
      const at = (bundle % TILE_HASHES) * SHA256_BYTES
      if (hashes === undefined) return undefined
      roots.push(hashes.subarray(at, at + SHA256_BYTES))
    }
    return roots
  }

  /** False where a tile has another hash for a bundle of these entries, of which the first is `first`. */
  async agreesWith(first: number, leaves: readonly Uint8Array[]): Promise<boolean> {
    for (const [at, hash] of (await bundleHashes(leaves)).entries()) {
      const start = first + at * BUNDLE
      const [stored] = (await this.rootsOf(start, start + BUNDLE)) ?? []
      if (stored !== undefined && !sameBytes(stored, hash)) return false
    }
    return true
  }

  async #tile(index: number): Promise<Uint8Array | undefined> {
    if (this.#last?.index !== index) {
      const hashes = await readTile(this.#files, this.#folder, { level: LEVEL, index })
      this.#last = { index, hashes }
    }
    return this.#last.hashes
  }
}
