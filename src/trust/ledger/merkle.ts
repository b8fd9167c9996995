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
const LEFT = NODE.subarray(1, RIGHT_AT)
const RIGHT = NODE.subarray(RIGHT_AT)

export function leafHash(leaf: Uint8Array): Uint8Array {
  const end = 1 + leaf.length
  const bytes = end <= LEAF.length ? LEAF : Buffer.alloc(end, LEAF_PREFIX)
  bytes.set(leaf, 1)
  return sha256(bytes.subarray(0, end))
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  LEFT.set(left)
  RIGHT.set(right)
  return sha256(NODE)
}

/** Told of each full subtree of 256^level leaves, from level 1 on, in order; the hash is to be copied at once. */
export type OnTileHash = (level: number, hash: Uint8Array) => void

/** What must be kept of a tree to append to it and know its root: one hash per set bit of its size, the peaks. */
export class CompactRange {
  /**
   * By level; that of a level whose bit is not set has no meaning. Bytes of their own, because to set all of one array is
   * a third of the time of copying a part of another.
   */
  readonly #peaks: Uint8Array[] = []
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
    RIGHT.set(hash)
    let top = level
    if (level > 0) this.#tell(level)
    for (let rest = this.#size / leaves; rest % 2 === 1; rest = (rest - 1) / 2) {
      this.#joinLeft(top++)
      this.#tell(top)
    }
    this.#peak(top).set(RIGHT)
    this.#size += leaves
  }

  /** The root at the present size; of an empty tree the hash of nothing (RFC 9162 section 2.1.1). */
  root(): Uint8Array {
    if (this.#size === 0) return sha256(new Uint8Array(0))
    let level = 0
    let rest = this.#size
    for (; rest % 2 === 0; rest /= 2) level += 1
    RIGHT.set(this.#peak(level))
    for (rest = (rest - 1) / 2; rest > 0; rest = Math.floor(rest / 2)) {
      level += 1
      if (rest % 2 === 1) this.#joinLeft(level)
    }
    return Buffer.from(RIGHT)
  }

  /** What stands at the right is the node of a full subtree of this level. */
  #tell(level: number): void {
    if (level % TILE_HEIGHT === 0) this.#onTileHash?.(level / TILE_HEIGHT, RIGHT)
  }

  /** Makes what stands at the right the node of it and the peak of a level at its left. */
  #joinLeft(level: number): void {
    LEFT.set(this.#peak(level))
    NODE.write(sha256Latin1(NODE), RIGHT_AT, 'latin1')
  }

  #peak(level: number): Uint8Array {
    return (this.#peaks[level] ??= new Uint8Array(SHA256_BYTES))
  }
}

/** Levels of the tree in one level of tiles (c2sp.org/tlog-tiles, "Merkle Tree"). */
const TILE_HEIGHT = 8

/** The root of a tree given by all its leaf hashes. */
export function rootOf(leafHashes: Iterable<Uint8Array>): Uint8Array {
  const range = new CompactRange()
  for (const hash of leafHashes) range.append(hash)
  return range.root()
}
