import { sameBytes } from '#base/bytes.ts'
import { openNote, parseVerifierKey } from '#trust/ledger/note.ts'
import { openCheckpoint, parseHead, peekCheckpoint, type Head } from '#trust/ledger/checkpoint.ts'
import { leafHash } from '#trust/ledger/merkle.ts'
import { verifyConsistency, verifyInclusion } from '#trust/ledger/proof.ts'
import type { ConsistencyClaim, InclusionClaim } from '#trust/ledger/proof.ts'
import { verifier } from '../support/verifier.ts'

/** One of the two programs that check trees and checkpoints; they share no code. */
export interface TreeChecker {
  readonly name: 'src' | 'verifier'
  includes(claim: InclusionClaim): boolean
  grows(claim: ConsistencyClaim): boolean
  /** The head of a checkpoint that this key signed under its own name; undefined for any other. */
  opens(note: string, key: string): Head | undefined
  /** The head of a checkpoint, whoever signed it; undefined when it is none. */
  reads(note: string): Head | undefined
  leafHash(leaf: Uint8Array): Uint8Array
}

export const CHECKERS: readonly TreeChecker[] = [
  {
    name: 'src',
    includes: verifyInclusion,
    grows: verifyConsistency,
    opens: (note, key) => {
      const known = parseVerifierKey(key)
      return known === undefined ? undefined : openCheckpoint(note, known)
    },
    reads: peekCheckpoint,
    leafHash,
  },
  {
    name: 'verifier',
    includes: ({ index, size, leafHash: hash, root, proof }) =>
      holds(() => sameBytes(verifier.inclusionRoot(index, size, hash, proof), root)),
    grows: ({ first, second, firstRoot, secondRoot, proof }) =>
      holds(() => {
        const roots = verifier.consistencyRoots(first, second, firstRoot, proof)
        return sameBytes(roots[0], firstRoot) && sameBytes(roots[1], secondRoot)
      }),
    opens: (note, key) =>
      orUndefined(() => {
        const checkpoint = verifier.parseCheckpoint(note)
        const trust = { keys: [verifier.parseKey(key, 'key')], witnesses: [], quorum: 0 }
        verifier.checkSignatures(checkpoint, trust, new verifier.Report())
        return checkpoint
      }),
    reads: (note) => orUndefined(() => verifier.parseCheckpoint(note)),
    leafHash: (leaf) => verifier.leafHash(leaf),
  },
]

/** The head of a note whose key has another name than the log, which neither program takes for a checkpoint of it. */
export function openForeignName(note: string, key: string): Head | undefined {
  const known = parseVerifierKey(key)
  const text = known === undefined ? undefined : openNote(note, known)
  return text === undefined ? undefined : parseHead(text)
}

function holds(check: () => boolean): boolean {
  return orUndefined(check) === true
}

function orUndefined<Result>(make: () => Result): Result | undefined {
  try {
    return make()
  } catch (thrown) {
    if (thrown instanceof verifier.Wrong) return undefined
    throw thrown
  }
}
