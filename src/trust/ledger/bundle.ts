import { setImmediate as nextTurn } from 'node:timers/promises'
import { leafHash, rootOf } from './merkle.ts'

/** Entries of one bundle and leaves below one tile of height 8 (c2sp.org/tlog-tiles). */
export const BUNDLE = 256
/** Level of the root of a whole bundle in the tree. */
export const BUNDLE_LEVEL = 8

/** The root of each whole bundle of leaves, in order. Gives other work a turn between bundles. */
export async function bundleHashes(leaves: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
  const roots: Uint8Array[] = []
  for (let start = 0; start + BUNDLE <= leaves.length; start += BUNDLE) {
    roots.push(rootOf(leaves.slice(start, start + BUNDLE).map(leafHash)))
    await nextTurn()
  }
  return roots
}
