import { SHA256_BYTES, sha256 } from '#base/crypto.ts'

/** The tree of RFC 9162 section 2.1 over SHA-256. */

// 0x00 keeps a leaf from passing as a node, 0x01 a node as a leaf (RFC 9162 section 2.1.1).
const LEAF_PREFIX = 0x00
const NODE_PREFIX = 0x01

export function leafHash(leaf: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(1 + leaf.length)
  bytes[0] = LEAF_PREFIX
  bytes.set(leaf, 1)
  return sha256(bytes)
}

export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(1 + 2 * SHA256_BYTES)
  bytes[0] = NODE_PREFIX
  bytes.set(left, 1)
  bytes.set(right, 1 + SHA256_BYTES)
  return sha256(bytes)
}

interface Peak {
  readonly level: number
  readonly hash: Uint8Array
}

/** What must be kept of a tree to append to it and know its root: one hash per set bit of its size. */
export class CompactRange {
  readonly #peaks: Peak[]
  #size: number

  constructor() {
    this.#peaks = []
    this.#size = 0
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
    let peak: Peak = { level, hash }
    for (let last = this.#peaks.at(-1); last?.level === peak.level; last = this.#peaks.at(-1)) {
      peak = { level: peak.level + 1, hash: nodeHash(last.hash, peak.hash) }
      this.#peaks.pop()
    }
    this.#peaks.push(peak)
    this.#size += leaves
  }

  /** The root at the present size; of an empty tree the hash of nothing (RFC 9162 section 2.1.1). */
  root(): Uint8Array {
    const last = this.#peaks.at(-1)
    if (last === undefined) return sha256(new Uint8Array(0))
    let root = last.hash
    for (let at = this.#peaks.length - 2; at >= 0; at--) root = nodeHash(this.#peaks[at]?.hash ?? root, root)
    return root
  }
}

/** The root of a tree given by all its leaf hashes. */
export function rootOf(leafHashes: Iterable<Uint8Array>): Uint8Array {
  const range = new CompactRange()
  for (const hash of leafHashes) range.append(hash)
  return range.root()
}
