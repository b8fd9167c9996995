import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { utf8 } from '#base/bytes.ts'
import { leafHash, nodeHash, rootOf } from './merkle.ts'
import {
  consistencyRanges,
  inclusionRanges,
  rangeRoot,
  verifyConsistency,
  verifyInclusion,
  verifySubtreeConsistency,
  verifySubtreeInclusion,
  type ConsistencyClaim,
  type InclusionClaim,
  type Range,
  type SubtreeConsistencyClaim,
} from './proof.ts'

const LEAVES = Array.from({ length: 140 }, (_, at) => leafHash(utf8(`leaf ${at}`)))

test('verifyInclusion accepts every leaf of every tree, and no proof with a flipped bit', () => {
  for (let size = 1; size <= 70; size++)
    for (let index = 0; index < size; index++) {
      const claim = inclusion(index, size)
      assert.ok(verifyInclusion(claim), `${index} in ${size}`)
      for (const [at, hash] of claim.proof.entries())
        assert.ok(!verifyInclusion({ ...claim, proof: claim.proof.with(at, flipped(hash)) }))
      assert.ok(!verifyInclusion({ ...claim, leafHash: flipped(claim.leafHash) }))
      assert.ok(!verifyInclusion({ ...claim, root: flipped(claim.root) }))
    }
})

test('verifyConsistency accepts every growth, and no proof with a flipped bit', () => {
  for (let second = 1; second <= 70; second++)
    for (let first = 1; first <= second; first++) {
      const claim = consistency(first, second)
      assert.ok(verifyConsistency(claim), `${first} to ${second}`)
      for (const [at, hash] of claim.proof.entries())
        assert.ok(!verifyConsistency({ ...claim, proof: claim.proof.with(at, flipped(hash)) }))
      assert.ok(!verifyConsistency({ ...claim, firstRoot: flipped(claim.firstRoot) }))
      assert.ok(!verifyConsistency({ ...claim, secondRoot: flipped(claim.secondRoot) }))
    }
})

const BAD_INCLUSION: readonly [why: string, change: Partial<InclusionClaim>][] = [
  ['the index is outside', { index: 100 }],
  ['the index is negative', { index: -1 }],
  ['the index is not whole', { index: 2.5 }],
  ['the index is beyond 2^53', { index: 2 ** 60 }],
  ['the size is 0', { size: 0 }],
  ['the size is beyond 2^53', { size: 2 ** 60 }],
  ['the proof is too short', { proof: inclusion(3, 100).proof.slice(1) }],
  ['the proof is too long', { proof: [...inclusion(3, 100).proof, LEAVES[0] ?? assert.fail()] }],
  ['a hash is short', { leafHash: new Uint8Array(31) }],
  ['another leaf', { index: 4 }],
]

for (const [why, change] of BAD_INCLUSION)
  test(`verifyInclusion refuses: ${why}`, () => {
    assert.ok(!verifyInclusion({ ...inclusion(3, 100), ...change }))
  })

const BAD_CONSISTENCY: readonly [why: string, change: Partial<ConsistencyClaim>][] = [
  ['the first tree is empty', { first: 0 }],
  ['the first tree is larger', { first: 101 }],
  ['the proof is empty', { proof: [] }],
  ['the proof is too long', { proof: [...consistency(37, 100).proof, LEAVES[0] ?? assert.fail()] }],
  ['the size is beyond 2^53', { second: 2 ** 60 }],
  [
    'the roots are swapped',
    { firstRoot: rootOf(LEAVES.slice(0, 100)), secondRoot: rootOf(LEAVES.slice(0, 37)) },
  ],
]

for (const [why, change] of BAD_CONSISTENCY)
  test(`verifyConsistency refuses: ${why}`, () => {
    assert.ok(!verifyConsistency({ ...consistency(37, 100), ...change }))
  })

test('the subtree verifiers accept every subtree of every tree, and no proof with a flipped bit', () => {
  for (const claim of subtrees(17)) {
    const { start, end, size } = claim
    assert.ok(verifySubtreeConsistency(claim), `${start} to ${end} of ${size}`)
    for (const [at, hash] of claim.proof.entries())
      assert.ok(!verifySubtreeConsistency({ ...claim, proof: claim.proof.with(at, flipped(hash)) }))
    assert.ok(!verifySubtreeConsistency({ ...claim, subtreeRoot: flipped(claim.subtreeRoot) }))
    assert.ok(!verifySubtreeConsistency({ ...claim, root: flipped(claim.root) }))
    for (let index = start; index < end; index++)
      assert.ok(verifySubtreeInclusion(inSubtree(index, start, end)), `${index} in ${start} to ${end}`)
  }
})

const [EXTRA = assert.fail()] = LEAVES
const SHORT = new Uint8Array(31)
/** Of the first leaf in it: every step goes the same way, as it would at places outside. */
const FIRST = inSubtree(8, 8, 16)
type SubtreeInclusion = ReturnType<typeof inSubtree>

// What the hashes alone would allow.
const BAD_SUBTREE_INCLUSION: readonly [why: string, claim: SubtreeInclusion][] = [
  ['the index is before it', { ...FIRST, index: 7 }],
  ['the index is behind it', { ...FIRST, index: 16 }],
  ['the index is not whole', { ...FIRST, index: 8.5 }],
  ['it starts where no tree has one', { ...FIRST, start: 9, end: 17, index: 9 }],
  ['it starts between leaves', { ...FIRST, start: 8.5, end: 16.5, index: 9 }],
  ['it starts before the first leaf', { ...FIRST, start: -8, end: 0, index: -8 }],
  [
    'the proof goes on above the root',
    { ...FIRST, proof: [...FIRST.proof, EXTRA], root: nodeHash(EXTRA, FIRST.root) },
  ],
  ['the proof ends below the root', { ...FIRST, proof: [], root: FIRST.leafHash }],
  ['leaf and root are no hashes', { start: 5, end: 6, index: 5, leafHash: SHORT, root: SHORT, proof: [] }],
  ['a sibling is longer than a hash', longerSibling(inSubtree(9, 8, 16))],
]

for (const [why, claim] of BAD_SUBTREE_INCLUSION)
  test(`verifySubtreeInclusion refuses: ${why}`, () => {
    assert.ok(!verifySubtreeInclusion(claim))
  })

const EMPTY: SubtreeConsistencyClaim = { ...wholeTree(9), start: 5, end: 5, subtreeRoot: rootOf([]) }
const SUBTREE_CONSISTENCY: readonly [why: string, isRight: boolean, claim: SubtreeConsistencyClaim][] = [
  ['an empty subtree is in every tree', true, EMPTY],
  ['an empty one at the start too', true, { ...EMPTY, start: 0, end: 0 }],
  ['an empty one needs no proof', false, { ...EMPTY, proof: [EXTRA] }],
  ['an empty one has one root', false, { ...EMPTY, subtreeRoot: EXTRA }],
  ['an empty one before the first leaf', false, { ...EMPTY, start: -1, end: -1 }],
  ['it ends behind the tree', false, { ...wholeTree(8), size: 7 }],
  ['the size is not whole', false, { ...wholeTree(4), size: 4.5 }],
  ['it starts where no tree has one', false, { ...wholeTree(4), start: 1, end: 4 }],
  ['a tree of another size has this root', false, { ...wholeTree(4), size: 9 }],
  [
    'the proof goes on above the root',
    false,
    { ...wholeTree(4), proof: [EXTRA], root: nodeHash(EXTRA, wholeTree(4).root) },
  ],
  ['a sibling is longer than a hash', false, longerSibling(consistencyOf(8, 16, 16))],
]

for (const [why, isRight, claim] of SUBTREE_CONSISTENCY)
  test(`verifySubtreeConsistency ${isRight ? 'accepts' : 'refuses'}: ${why}`, () => {
    assert.equal(verifySubtreeConsistency(claim), isRight)
  })

test('verifyConsistency refuses an empty first tree: though its root is the right one', () => {
  assert.ok(!verifyConsistency({ ...consistency(1, 1), first: 0, firstRoot: rootOf([]) }))
})

test('inclusionRanges and consistencyRanges refuse: sizes that make no sense', () => {
  assert.throws(() => inclusionRanges(3, 3), RangeError)
  assert.throws(() => inclusionRanges(-1, 3), RangeError)
  assert.throws(() => consistencyRanges(0, 3), RangeError)
  assert.throws(() => consistencyRanges(4, 3), RangeError)
  assert.deepEqual(consistencyRanges(3, 3), [])
})

test('verifyInclusion never accepts a random proof', () => {
  const hash = fc.uint8Array({ minLength: 32, maxLength: 32 })
  fc.assert(
    fc.property(
      fc.array(hash, { maxLength: 9 }),
      fc.nat(99),
      fc.integer({ min: 2, max: 100 }),
      (proof, index, size) => {
        const root = rootOf(LEAVES.slice(0, size))
        const leaf = leafHash(utf8('not there'))
        assert.ok(!verifyInclusion({ index, size, leafHash: leaf, root, proof }))
      },
    ),
    { seed: 20_262 },
  )
})

function inclusion(index: number, size: number): InclusionClaim {
  const hashes = LEAVES.slice(0, size)
  const proof = inclusionRanges(index, size).map((range) => rangeRoot(hashes, range))
  return { index, size, leafHash: hashes[index] ?? assert.fail(), root: rootOf(hashes), proof }
}

function consistency(first: number, second: number): ConsistencyClaim {
  const proof = consistencyRanges(first, second).map((range) => rangeRoot(LEAVES, range))
  const firstRoot = rootOf(LEAVES.slice(0, first))
  return { first, second, firstRoot, secondRoot: rootOf(LEAVES.slice(0, second)), proof }
}

/** Every subtree of every tree of up to so many leaves, each with its proof. */
function* subtrees(most: number): Generator<SubtreeConsistencyClaim, void, undefined> {
  for (let size = 1; size <= most; size++)
    for (let holds = 1; holds < 2 * size; holds *= 2)
      // The smallest power of two that holds it is this one.
      for (let start = 0; start < size; start += holds) yield* endsOf(start, holds, size)
}

function* endsOf(
  start: number,
  holds: number,
  size: number,
): Generator<SubtreeConsistencyClaim, void, undefined> {
  const most = Math.min(start + holds, size)
  for (let end = start + Math.floor(holds / 2) + 1; end <= most; end++) yield consistencyOf(start, end, size)
}

function consistencyOf(start: number, end: number, size: number): SubtreeConsistencyClaim {
  const leaves = LEAVES.slice(0, size)
  const proof = subtreeProof({ start, end }, leaves, true)
  return { start, end, size, subtreeRoot: rootOf(LEAVES.slice(start, end)), root: rootOf(leaves), proof }
}

function wholeTree(size: number): SubtreeConsistencyClaim {
  return consistencyOf(0, size, size)
}

/** SUBTREE_SUBPROOF by its recursive definition (draft-ietf-plants-merkle-tree-certs). */
function subtreeProof(
  { start, end }: { readonly start: number; readonly end: number },
  leaves: readonly Uint8Array[],
  isKnown: boolean,
): Uint8Array[] {
  if (start === 0 && end === leaves.length) return isKnown ? [] : [rootOf(leaves)]
  let middle = 1
  while (middle * 2 < leaves.length) middle *= 2
  const [left, right] = [leaves.slice(0, middle), leaves.slice(middle)]
  if (end <= middle) return [...subtreeProof({ start, end }, left, isKnown), rootOf(right)]
  const rest = { start: Math.max(0, start - middle), end: end - middle }
  return [...subtreeProof(rest, right, isKnown && start >= middle), rootOf(left)]
}

function inSubtree(index: number, start: number, end: number): Omit<InclusionClaim, 'size'> & Range {
  const hashes = LEAVES.slice(start, end)
  const proof = inclusionRanges(index - start, end - start).map((range) => rangeRoot(hashes, range))
  return { start, end, index, leafHash: LEAVES[index] ?? assert.fail(), root: rootOf(hashes), proof }
}

/** A byte that the hash beside it would be written over. */
function longerSibling<Claim extends { readonly proof: readonly Uint8Array[] }>(claim: Claim): Claim {
  const [first = assert.fail(), ...rest] = claim.proof
  return { ...claim, proof: [Uint8Array.of(...first, 0), ...rest] }
}

function flipped(hash: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(hash)
  copy[7] = (copy[7] ?? 0) ^ 0x10
  return copy
}
