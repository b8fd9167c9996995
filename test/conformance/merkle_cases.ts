import { verifySubtreeConsistency, verifySubtreeInclusion } from '#trust/ledger/proof.ts'
import type { TreeChecker } from './tree_checkers.ts'

const KINDS = ['inclusion', 'consistency', 'subtreeinclusion', 'subtreeconsistency'] as const

/** One of the public vectors of proofs. */
export interface ProofCase {
  readonly name: string
  readonly kind: (typeof KINDS)[number]
  readonly mustFail: boolean
  readonly verify: (checker: TreeChecker) => boolean
}

/** Reads the vectors by the names of their files. */
export function proofCases(files: ReadonlyMap<string, Buffer>): readonly ProofCase[] {
  return [...files].map(([name, text]) => {
    const vector = readVector(name, text.toString('utf8'))
    const kind = KINDS.find((each) => name.startsWith(`${each}/`))
    if (kind === undefined) throw new TypeError(`${name} is of no known kind`)
    return { name, kind, mustFail: vector.mustFail, verify: (checker) => VERIFY[kind](vector, checker) }
  })
}

interface Vector {
  readonly number: (name: string) => number
  readonly hash: (name: string) => Uint8Array
  readonly proof: readonly Uint8Array[]
  readonly mustFail: boolean
}

const VERIFY: Readonly<Record<ProofCase['kind'], (vector: Vector, checker: TreeChecker) => boolean>> = {
  inclusion: ({ number, hash, proof }, checker) =>
    checker.includes({
      index: number('leafIdx'),
      size: number('treeSize'),
      leafHash: hash('leafHash'),
      root: hash('root'),
      proof,
    }),
  consistency: ({ number, hash, proof }, checker) =>
    checker.grows({
      first: number('size1'),
      second: number('size2'),
      firstRoot: hash('root1'),
      secondRoot: hash('root2'),
      proof,
    }),
  subtreeinclusion: ({ number, hash, proof }) =>
    verifySubtreeInclusion({
      start: number('start'),
      end: number('end'),
      index: number('leafIdx'),
      leafHash: hash('leafHash'),
      root: hash('root'),
      proof,
    }),
  subtreeconsistency: ({ number, hash, proof }) =>
    verifySubtreeConsistency({
      start: number('start'),
      end: number('end'),
      size: number('size'),
      subtreeRoot: hash('root1'),
      root: hash('root2'),
      proof,
    }),
}

function readVector(name: string, text: string): Vector {
  // Numbers beyond 2^53 become unsafe numbers here, which the verifiers refuse.
  const parsed: Readonly<Record<string, unknown>> = JSON.parse(text)
  const { proof } = parsed
  return {
    number: (field) => {
      const value = parsed[field]
      if (typeof value !== 'number') throw new TypeError(`${name} has no ${field}`)
      return value
    },
    // A missing hash is an empty one.
    hash: (field) => {
      const value = parsed[field]
      return Buffer.from(typeof value === 'string' ? value : '', 'base64')
    },
    proof: Array.isArray(proof) ? proof.map((each) => Buffer.from(String(each), 'base64')) : [],
    mustFail: parsed['wantErr'] === true,
  }
}
