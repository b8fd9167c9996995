import { sameBytes } from '#base/bytes.ts'
import { SHA256_BYTES } from '#base/crypto.ts'
import type { Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { peekCheckpoint } from './checkpoint.ts'
import type { SignedHead } from './checkpointer.ts'
import { LastUsed } from './last_used.ts'
import { FILE, type OriginFolder } from './layout.ts'
import { corrupt } from './load.ts'
import { leafHash, nodeHash, rootOf } from './merkle.ts'
import { consistencyRanges, inclusionRanges, largestPowerBelow, type Range } from './proof.ts'
import { readIfThere } from './segment_reader.ts'
import { TileEdge } from './tile_edge.ts'
import { hashesIn, TileEntries } from './tile_entries.ts'
import { readTile } from './tile_files.ts'
import { TILE_HASHES, tileWidth, type TileAddress } from './tile_path.ts'

/**
 * The tree of what is signed of one log, from its files, beside whoever appends and seals. It takes no lock, and is to
 * be kept by who asks more than once. What it gives has been checked against the root of the newest checkpoint; whether
 * that is signed as it must be, those check who get it.
 *
 * All of it throws `ledger.corrupt` where files are missing or damaged, and RangeError for what is not signed.
 */
export class TiledLog {
  readonly folder: OriginFolder
  readonly #files: Files
  readonly #entries: TileEntries
  /** Full tiles that are proven. */
  readonly #tiles = new LastUsed<string, Uint8Array>(LIMITS.keptTiles)
  #edge: TileEdge
  #work: Promise<unknown> = Promise.resolve()

  constructor(files: Files, folder: OriginFolder) {
    this.#files = files
    this.folder = folder
    this.#entries = new TileEntries(files, folder)
    this.#edge = TileEdge.empty({ files, folder, entries: this.#entries })
  }

  /** The newest checkpoint, read anew. */
  async signed(): Promise<SignedHead> {
    const path = `${this.folder.path}/${FILE.checkpoint}`
    const bytes = await readIfThere(this.#files, path, LIMITS.noteBytes)
    const text = Buffer.from(bytes ?? EMPTY).toString('utf8')
    const head = peekCheckpoint(text)
    if (head?.origin !== this.folder.origin) throw corrupt(path, 'missing or damaged')
    return { head, text }
  }

  /** The hashes that prove that an entry is in the tree of `size` entries, leaf side first (RFC 9162 section 2.1.3.1). */
  async inclusionProof(index: number, size: number): Promise<readonly Uint8Array[]> {
    return await this.#rootsOf(inclusionRanges(index, size), size)
  }

  /** The hashes that prove that the tree grew from `first` to `second` entries (RFC 9162 section 2.1.4.1). */
  async consistencyProof(first: number, second: number): Promise<readonly Uint8Array[]> {
    return await this.#rootsOf(consistencyRanges(first, second), second)
  }

  /** The root of the tree of the first `size` entries. */
  async rootAt(size: number): Promise<Uint8Array> {
    const [root] = size === 0 ? [] : await this.#rootsOf([{ start: 0, end: size }], size)
    return root ?? rootOf([])
  }

  /** A tile of hashes, or a bundle of entries in the standard form; undefined when not all of it is signed. */
  async tile(address: TileAddress): Promise<Uint8Array | undefined> {
    return await this.#inTurn(async () => {
      await this.#grow(0)
      const { level, index, width } = address
      if (index < 0 || width < 1 || tileWidth(address, this.#edge.size) < width) return undefined
      if (level === 'entries') return await this.#bundle(index, width)
      return Buffer.from((await this.#tile(level, index)).subarray(0, width * SHA256_BYTES))
    })
  }

  async #rootsOf(ranges: readonly Range[], size: number): Promise<readonly Uint8Array[]> {
    return await this.#inTurn(async () => {
      await this.#grow(size)
      if (size > this.#edge.size) throw new RangeError('no checkpoint covers so many entries')
      const roots: Uint8Array[] = []
      for (const range of ranges) roots.push(await this.#rootOf(range))
      return roots
    })
  }

  /** One question at a time: they share what is read and kept. */
  async #inTurn<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#work.then(work)
    this.#work = done.catch(() => undefined)
    return await done
  }

  /** Follows the newest checkpoint, if at least `size` entries are wanted. */
  async #grow(size: number): Promise<void> {
    if (size > 0 && size <= this.#edge.size) return
    const { head } = await this.signed()
    if (head.size > this.#edge.size) this.#edge = await this.#edge.grownTo(head)
  }

  /** The root over a range of leaves as a tree has them: what is no full subtree is split as RFC 9162 section 2.1.1 does. */
  async #rootOf({ start, end }: Range): Promise<Uint8Array> {
    const count = end - start
    const below = largestPowerBelow(count)
    if (count === 1 || below * 2 === count) return await this.#nodeAt(start, count)
    const left = await this.#nodeAt(start, below)
    return nodeHash(left, await this.#rootOf({ start: start + below, end }))
  }

  /** The hash of a full subtree of `count` leaves, a power of two: over some hashes of the tile that it stands in. */
  async #nodeAt(start: number, count: number): Promise<Uint8Array> {
    let [level, first, hashes] = [0, start, count]
    for (; hashes >= TILE_HASHES; hashes /= TILE_HASHES) {
      level += 1
      first /= TILE_HASHES
    }
    const tile = await this.#tile(level, Math.floor(first / TILE_HASHES))
    const at = (first % TILE_HASHES) * SHA256_BYTES
    return rootOf(hashesIn(tile.subarray(at, at + hashes * SHA256_BYTES)))
  }

  /** All that is signed of a tile, which must not be empty. */
  async #tile(level: number, index: number): Promise<Uint8Array> {
    const row = this.#edge.row(level, index)
    if (row !== undefined) return row
    const key = `${level}/${index}`
    const tile = this.#tiles.get(key) ?? (await this.#prove(level, index))
    this.#tiles.put(key, tile)
    return tile
  }

  /** A full tile: the one on disk if it has the hash that the level above has for it, else made from what is below. */
  async #prove(level: number, index: number): Promise<Uint8Array> {
    const above = await this.#tile(level + 1, Math.floor(index / TILE_HASHES))
    const at = (index % TILE_HASHES) * SHA256_BYTES
    const wanted = above.subarray(at, at + SHA256_BYTES)
    const isRight = (tile: Uint8Array): boolean => sameBytes(rootOf(hashesIn(tile)), wanted)
    const stored = await readTile(this.#files, this.folder, { level, index })
    if (stored !== undefined && isRight(stored)) return stored
    const made = await this.#edge.tileFromEntries(level, index)
    if (isRight(made)) return made
    const first = index * TILE_HASHES ** (level + 1)
    const last = first + TILE_HASHES ** (level + 1) - 1
    throw corrupt(
      `${this.folder.path} entries ${first} to ${last}`,
      'not the entries that the checkpoint covers',
    )
  }

  /** Each entry behind its length in two bytes, big-endian (c2sp.org/tlog-tiles, "Log entries"). */
  async #bundle(index: number, width: number): Promise<Uint8Array> {
    const hashes = [...hashesIn(await this.#tile(0, index))]
    const leaves = await this.#entries.leaves(index, width)
    const parts: Uint8Array[] = []
    for (const [at, leaf] of leaves.entries()) {
      if (!sameBytes(leafHash(leaf), hashes[at] ?? EMPTY))
        throw corrupt(
          `${this.folder.path} entry ${index * TILE_HASHES + at}`,
          'not the entry that the checkpoint covers',
        )
      const length = Buffer.alloc(LENGTH_BYTES)
      length.writeUInt16BE(leaf.length)
      parts.push(length, leaf)
    }
    return Buffer.concat(parts)
  }
}

const EMPTY = new Uint8Array(0)
const LENGTH_BYTES = 2
