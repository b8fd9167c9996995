import { sameBytes } from '#base/bytes.ts'
import { SHA256_BYTES } from '#base/crypto.ts'
import { nodeHash, rootOf } from './merkle.ts'

/** The leaves from `start` up to but not including `end`. */
export interface Range {
  readonly start: number
  readonly end: number
}

/** The subtrees whose roots prove that a leaf is in a tree, leaf side first (PATH, RFC 9162 section 2.1.3.1). */
export function inclusionRanges(index: number, size: number): readonly Range[] {
  if (index < 0 || index >= size) throw new RangeError('the index must be in the tree')
  const ranges: Range[] = []
  let [start, end] = [0, size]
  while (end - start > 1) {
    const middle = start + largestPowerBelow(end - start)
    const goesLeft = index < middle
    ranges.push(goesLeft ? { start: middle, end } : { start, end: middle })
    if (goesLeft) end = middle
    else start = middle
  }
  return ranges.toReversed()
}

/** The subtrees whose roots prove that a tree grew from its first `first` leaves (RFC 9162 section 2.1.4.1). */
export function consistencyRanges(first: number, second: number): readonly Range[] {
  if (first < 1 || first > second) throw new RangeError('the first size must be from 1 to the second')
  if (first === second) return []
  const ranges: Range[] = []
  let [start, end] = [0, second]
  while (end !== first) {
    const middle = start + largestPowerBelow(end - start)
    const goesLeft = first <= middle
    ranges.push(goesLeft ? { start: middle, end } : { start, end: middle })
    if (goesLeft) end = middle
    else start = middle
  }
  // The verifier has the root of the first tree; only where that is not a node of the second is its part sent.
  if (start !== 0) ranges.push({ start, end })
  return ranges.toReversed()
}

/** The root over a range of leaf hashes. */
export function rangeRoot(leafHashes: readonly Uint8Array[], range: Range): Uint8Array {
  return rootOf(leafHashes.slice(range.start, range.end))
}

export interface InclusionClaim {
  readonly index: number
  readonly size: number
  readonly leafHash: Uint8Array
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** Whether the leaf is at its index in the tree (RFC 9162 section 2.1.3.2). False for anything malformed. */
export function verifyInclusion(claim: InclusionClaim): boolean {
  const { index, size } = claim
  return verifySubtreeInclusion({ ...claim, index, start: 0, end: size })
}

/**
 * Inclusion in the subtree over `start` to `end`, which must be one that a tree can have: it starts at a multiple of
 * the smallest power of two that holds it (draft-ietf-plants-merkle-tree-certs, "Subtrees").
 */
export function verifySubtreeInclusion(claim: Omit<InclusionClaim, 'size'> & Range): boolean {
  const { start, end, index, leafHash, root, proof } = claim
  if (!isSubtree(start, end) || !Number.isSafeInteger(index)) return false
  if (index < start || index >= end || !allHashes([leafHash, root, ...proof])) return false
  let at = index - start
  let last = end - start - 1
  let hash = leafHash
  for (const sibling of proof) {
    if (last === 0) return false
    if (isOdd(at) || at === last) {
      hash = nodeHash(sibling, hash)
      while (!isOdd(at) && at !== 0) [at, last] = [half(at), half(last)]
    } else hash = nodeHash(hash, sibling)
    at = half(at)
    last = half(last)
  }
  return last === 0 && sameBytes(hash, root)
}

export interface ConsistencyClaim {
  readonly first: number
  readonly second: number
  readonly firstRoot: Uint8Array
  readonly secondRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/** Whether the second tree begins with the first (RFC 9162 section 2.1.4.2). An empty first tree proves nothing: false. */
export function verifyConsistency(claim: ConsistencyClaim): boolean {
  const { first, second, firstRoot, secondRoot, proof } = claim
  if (first < 1) return false
  return verifySubtreeConsistency({
    start: 0,
    end: first,
    size: second,
    subtreeRoot: firstRoot,
    root: secondRoot,
    proof,
  })
}

export interface SubtreeConsistencyClaim extends Range {
  readonly size: number
  readonly subtreeRoot: Uint8Array
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}

/**
 * Whether the subtree over `start` to `end` is part of the tree of `size` leaves
 * (draft-ietf-plants-merkle-tree-certs, "Verifying a Subtree Consistency Proof"); with start 0 it is RFC 9162.
 */
export function verifySubtreeConsistency(claim: SubtreeConsistencyClaim): boolean {
  const { start, end, size, subtreeRoot, root, proof } = claim
  if (!Number.isSafeInteger(size) || end > size || !allHashes(proof)) return false
  // An empty subtree is part of every tree.
  if (start === end && start >= 0) return proof.length === 0 && sameBytes(subtreeRoot, rootOf([]))
  if (!isSubtree(start, end)) return false
  let walk: Walk = { left: start, right: end - 1, last: size - 1 }
  while (walk.left !== walk.right && (walk.right === walk.last || isOdd(walk.right))) walk = up(walk)
  const rest = [...proof]
  const seed = walk.left === walk.right ? subtreeRoot : rest.shift()
  if (seed === undefined) return false
  let [small, large] = [seed, seed]
  for (const hash of rest) {
    if (walk.last === 0) return false
    if (isOdd(walk.right) || walk.right === walk.last) {
      if (walk.left < walk.right) small = nodeHash(hash, small)
      large = nodeHash(hash, large)
      while (!isOdd(walk.right) && walk.right !== 0) walk = up(walk)
    } else large = nodeHash(large, hash)
    walk = up(walk)
  }
  return walk.last === 0 && sameBytes(small, subtreeRoot) && sameBytes(large, root)
}

interface Walk {
  readonly left: number
  readonly right: number
  readonly last: number
}

function up(walk: Walk): Walk {
  return { left: half(walk.left), right: half(walk.right), last: half(walk.last) }
}

function isSubtree(start: number, end: number): boolean {
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end <= start) return false
  let holds = 1
  while (holds < end - start) holds *= 2
  return start % holds === 0
}

function allHashes(hashes: readonly Uint8Array[]): boolean {
  return hashes.every((hash) => hash.length === SHA256_BYTES)
}

// Sizes go to 2^53, where the bit operators of the language are already wrong.
function half(value: number): number {
  return Math.floor(value / 2)
}

function isOdd(value: number): boolean {
  return value % 2 === 1
}

/** The largest power of two below a count, which is at least 2; 1 for 1. */
export function largestPowerBelow(count: number): number {
  let power = 1
  while (power * 2 < count) power *= 2
  return power
}
