import { setImmediate as nextTurn } from 'node:timers/promises'
import { concat, sameBytes } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { BUNDLE } from './bundle.ts'
import { parseLeaf } from './leaf.ts'
import { rootOf } from './merkle.ts'
import { packLeaves, unpackLeaves } from './packing.ts'
import { groupPlace, scanSegment, type RawSegment } from './raw_segment.ts'
import { closeSegmentSidecar, openSegmentRecords, segmentPlace } from './sealed_sidecar.ts'
import type { SidecarBox } from './sidecar.ts'

export interface PackTask {
  /** The whole raw file. */
  readonly content: Uint8Array
  /** Its path, for messages. */
  readonly place: string
  readonly origin: string
  readonly first: number
  readonly box: SidecarBox
}

/** The content of the two files of a sealed segment. */
export interface PackedSegment {
  readonly count: number
  readonly leaves: Uint8Array
  readonly sidecar: Uint8Array
}

/**
 * Makes the sealed files of a segment and reads them back. It gives other work a turn every few hundred entries.
 * Throws `ledger.corrupt` where anything does not agree.
 */
export async function packSegment(task: PackTask): Promise<PackedSegment> {
  const { content, first, place, origin, box } = task
  const raw = scanSegment(content)
  if (raw?.ending.kind !== 'clean' || raw.origin !== origin || raw.first !== first)
    throw unsealable(place, 'not whole')
  const { leaves, hashes, plain } = await openAll(raw, task)
  if (leaves.length === 0 || leaves.length % BUNDLE !== 0) throw unsealable(place, 'not whole bundles')
  const tiles = bundleRoots(hashes)
  const at = Number(parseLeaf(leaves[0] ?? content)['at'])
  const packed = await packLeaves({ first, at, leaves, tiles })
  if (!sameLeaves(await unpackLeaves(packed), leaves)) throw unsealable(place, 'does not pack')
  const boxPlace = segmentPlace(first, leaves.length, tiles)
  const sidecar = await closeSegmentSidecar(box, boxPlace, plain)
  const again = await openSegmentRecords(box, boxPlace, sidecar)
  if (again === undefined || !sameBytes(again, plain)) throw unsealable(place, 'its sidecar does not pack')
  return { count: leaves.length, leaves: packed, sidecar }
}

interface Opened {
  readonly leaves: readonly Uint8Array[]
  readonly hashes: readonly Uint8Array[]
  /** The records of all entries, one after another. */
  readonly plain: Uint8Array
}

async function openAll(raw: RawSegment, { place, box }: PackTask): Promise<Opened> {
  const leaves: Uint8Array[] = []
  const hashes: Uint8Array[] = []
  const plain: Uint8Array[] = []
  let turn = 0
  for (const group of raw.groups) {
    const at = groupPlace(raw.first, group)
    const records = box.open(group.sealed, at)
    if (records === undefined) throw unsealable(place, 'a sidecar does not open')
    plain.push(records)
    for (const leaf of group.leaves) leaves.push(leaf)
    for (const hash of at.hashes) hashes.push(hash)
    if (leaves.length - turn < BUNDLE) continue
    turn = leaves.length
    await nextTurn()
  }
  return { leaves, hashes, plain: concat(...plain) }
}

function bundleRoots(hashes: readonly Uint8Array[]): readonly Uint8Array[] {
  const roots: Uint8Array[] = []
  for (let start = 0; start < hashes.length; start += BUNDLE)
    roots.push(rootOf(hashes.slice(start, start + BUNDLE)))
  return roots
}

function sameLeaves(left: readonly Uint8Array[] | undefined, right: readonly Uint8Array[]): boolean {
  const none = new Uint8Array(0)
  return left?.length === right.length && left.every((leaf, at) => sameBytes(leaf, right[at] ?? none))
}

function unsealable(place: string, what: string): Fault {
  return new Fault('ledger.corrupt', { place, what })
}
