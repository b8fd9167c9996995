import { SHA256_BYTES, sha256, sha256Latin1 } from '#base/crypto.ts'
import { LIMITS } from '#base/limits.ts'

/** The tree of RFC 9162 section 2.1 over SHA-256. */

// 0x00 keeps a leaf from passing as a node, 0x01 a node as a leaf (RFC 9162 section 2.1.1).
const LEAF_PREFIX = 0x00
const NODE_PREFIX = 0x01

// Both are used again by every call, none of which runs inside another.
const LEAF = Buffer.alloc(1 + LIMITS.leafBytes, LEAF_PREFIX)
/** Prefix, left and right; the hash of it is written over the right one, to become that of the node above. */
const NODE = Buffer.alloc(1 + 2 * SHA256_BYTES, NODE_PREFIX)
const RIGHT_AT = 1 + SHA256_BYTES

export function leafHash(leaf: Uint8Array): Uint8Array {
  const end = 1 + leaf.length
  const bytes = end <= LEAF.length ? LEAF : Buffer.alloc(end, LEAF_PREFIX)
  bytes.set(leaf, 1)
  return sha256(bytes.subarray(0, end))
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  NODE.set(left, 1)
  NODE.set(right, RIGHT_AT)
  return sha256(NODE)
}

/** Told of each full subtree of 256^level leaves, from level 1 on, in order; the hash is to be copied at once. */
export type OnTileHash = (level: number, hash: Uint8Array) => void

/** What must be kept of a tree to append to it and know its root: one hash per set bit of its size, the peaks. */
export class CompactRange {
  /** By level; that of a level whose bit is not set has no meaning. */
  readonly #peaks = Buffer.alloc(MOST_LEVELS * SHA256_BYTES)
  readonly #onTileHash: OnTileHash | undefined
  #size = 0

  constructor(onTileHash?: OnTileHash) {
    this.#onTileHash = onTileHash
  }

  get size(): number {
    return this.#size
  }

  append(hash: Uint8Array): void {
    this.appendSubtree(0, hash)
  }

  /** Appends a full subtree of 2^level leaves; the size must be a multiple of that, else it throws RangeError. */
  appendSubtree(level: number, hash: Uint8Array): void {
    const leaves = 2 ** level
    if (this.#size % leaves !== 0) throw new RangeError('a subtree must start at a multiple of its size')
    NODE.set(hash, RIGHT_AT)
    let top = level
    if (level > 0) this.#tell(level)
    for (let rest = this.#size / leaves; rest % 2 === 1; rest = (rest - 1) / 2) {
      this.#joinLeft(top++)
      this.#tell(top)
    }
    NODE.copy(this.#peaks, top * SHA256_BYTES, RIGHT_AT)
    this.#size += leaves
  }

  /** The root at the present size; of an empty tree the hash of nothing (RFC 9162 section 2.1.1). */
  root(): Uint8Array {
    if (this.#size === 0) return sha256(new Uint8Array(0))
    let level = 0
    let rest = this.#size
    for (; rest % 2 === 0; rest /= 2) level += 1
    this.#peaks.copy(NODE, RIGHT_AT, level * SHA256_BYTES, (level + 1) * SHA256_BYTES)
    for (rest = (rest - 1) / 2; rest > 0; rest = Math.floor(rest / 2)) {
      level += 1
      if (rest % 2 === 1) this.#joinLeft(level)
    }
    return Buffer.from(NODE.subarray(RIGHT_AT))
  }

  /** What stands at the right is the node of a full subtree of this level. */
  #tell(level: number): void {
    if (level % TILE_HEIGHT === 0) this.#onTileHash?.(level / TILE_HEIGHT, NODE.subarray(RIGHT_AT))
  }

  /** Makes what stands at the right the node of it and the peak of a level at its left. */
  #joinLeft(level: number): void {
    this.#peaks.copy(NODE, 1, level * SHA256_BYTES, (level + 1) * SHA256_BYTES)
    NODE.write(sha256Latin1(NODE), RIGHT_AT, 'latin1')
  }
}

/** Levels of the tree in one level of tiles (c2sp.org/tlog-tiles, "Merkle Tree"). */
const TILE_HEIGHT = 8
/** Sizes are whole numbers up to 2^53. */
const MOST_LEVELS = 54

/** The root of a tree given by all its leaf hashes. */
export function rootOf(leafHashes: Iterable<Uint8Array>): Uint8Array {
  const range = new CompactRange()
  for (const hash of leafHashes) range.append(hash)
  return range.root()
}
