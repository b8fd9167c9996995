import { createHash } from 'node:crypto'
import type { TreeCase } from './ledger.ts'

/**
 * Trees by the definitions of RFC 9162 section 2.1 word for word, over the eight leaves that are known from Certificate
 * Transparency, and over more of our own. They need no file of others.
 */

const KNOWN_LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
]
/** Roots of the first 0, 1, … 8 of them. */
const KNOWN_ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]
/** So that the last leaf stands alone, at the end of a full tree, and in between, on several levels. */
const OWN_SIZES = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 33]

/** Every proof of these trees must hold, and none of them for another root, index or size. */
export function ownCases(): readonly TreeCase[] {
  const known = KNOWN_LEAVES.map((hex) => Buffer.from(hex, 'hex'))
  const own = Array.from({ length: 33 }, (_, at) => Buffer.from(`leaf ${at}`))
  return [
    ...KNOWN_ROOTS.map((root, size) => ({
      name: `the root of ${size} known leaves`,
      isRight: () => treeHash(known.slice(0, size)).toString('hex') === root,
    })),
    ...[1, 2, 3, 4, 5, 6, 7, 8].flatMap((size) => treeCases(known.slice(0, size))),
    ...OWN_SIZES.flatMap((size) => treeCases(own.slice(0, size))),
  ]
}

function treeCases(leaves: readonly Buffer[]): TreeCase[] {
  const root = treeHash(leaves)
  const other = sha256(root)
  const size = leaves.length
  const inclusions = leaves.map((leaf, index): TreeCase => ({
    name: `inclusion of ${index} in ${size}`,
    isRight: (by) => {
      const claim = { index, size, leafHash: by.leafHash(leaf), root, proof: path(index, leaves) }
      const moved = { ...claim, index: (index + 1) % size }
      return (
        by.includes(claim) && !by.includes({ ...claim, root: other }) && (size === 1 || !by.includes(moved))
      )
    },
  }))
  const consistencies = leaves.map((_, at): TreeCase => ({
    name: `consistency of ${at + 1} with ${size}`,
    isRight: (by) => {
      const [first, firstRoot] = [at + 1, treeHash(leaves.slice(0, at + 1))]
      const proof = subproof(first, leaves, true)
      const claim = { first, second: size, firstRoot, secondRoot: root, proof }
      const longer = { ...claim, proof: [...proof, other] }
      return by.grows(claim) && !by.grows({ ...claim, secondRoot: other }) && !by.grows(longer)
    },
  }))
  return [...inclusions, ...consistencies]
}

/** MTH of section 2.1.1. */
function treeHash(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 0) return sha256(Buffer.alloc(0))
  if (leaves.length === 1) return sha256(Buffer.concat([Buffer.of(0), ...leaves]))
  const half = below(leaves.length)
  return sha256(Buffer.concat([Buffer.of(1), treeHash(leaves.slice(0, half)), treeHash(leaves.slice(half))]))
}

/** PATH of section 2.1.3.1. */
function path(index: number, leaves: readonly Buffer[]): Buffer[] {
  if (leaves.length === 1) return []
  const half = below(leaves.length)
  return index < half
    ? [...path(index, leaves.slice(0, half)), treeHash(leaves.slice(half))]
    : [...path(index - half, leaves.slice(half)), treeHash(leaves.slice(0, half))]
}

/** SUBPROOF of section 2.1.4.1. */
function subproof(first: number, leaves: readonly Buffer[], isWhole: boolean): Buffer[] {
  if (first === leaves.length) return isWhole ? [] : [treeHash(leaves)]
  const half = below(leaves.length)
  return first <= half
    ? [...subproof(first, leaves.slice(0, half), isWhole), treeHash(leaves.slice(half))]
    : [...subproof(first - half, leaves.slice(half), false), treeHash(leaves.slice(0, half))]
}

function below(size: number): number {
  let power = 1
  while (power * 2 < size) power *= 2
  return power
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest()
}
