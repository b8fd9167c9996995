import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { utf8 } from '#base/bytes.ts'
import { leafHash, rootOf } from './merkle.ts'
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

test('the subtree verifiers refuse: a range that no tree has', () => {
  const [leaf] = LEAVES
  assert.ok(leaf !== undefined)
  assert.ok(
    !verifySubtreeInclusion({ start: 1, end: 3, index: 1, leafHash: leaf, root: leaf, proof: [leaf] }),
  )
  assert.ok(
    !verifySubtreeConsistency({ start: 2, end: 5, size: 9, subtreeRoot: leaf, root: leaf, proof: [leaf] }),
  )
  assert.ok(
    !verifySubtreeConsistency({ start: 4, end: 8, size: 7, subtreeRoot: leaf, root: leaf, proof: [leaf] }),
  )
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

function flipped(hash: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(hash)
  copy[7] = (copy[7] ?? 0) ^ 0x10
  return copy
}
