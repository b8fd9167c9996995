import { sameBytes } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { BUNDLE } from './bundle.ts'
import { parseLeaf } from './leaf.ts'
import { packLeaves } from './packing.ts'
import { scanSegment } from './raw_segment.ts'
import { closeSegmentSidecar, segmentPlace } from './sealed_sidecar.ts'
import { openGroups, openSealed, openSealedSecrets } from './segment_reader.ts'
import { SidecarBox, type SecretRecord } from './sidecar.ts'

/** What is needed to seal a segment: plain values, so that a worker can take it. */
export interface PackTask {
  /** The whole raw file. */
  readonly content: Uint8Array
  /** Its path, for messages. */
  readonly place: string
  readonly origin: string
  readonly first: number
  readonly sidecarKey: Uint8Array
}

/** The content of the two files of a sealed segment. */
export interface PackedSegment {
  readonly count: number
  readonly leaves: Uint8Array
  readonly sidecar: Uint8Array
}

/** Makes the sealed files of a segment and reads them back. Throws `ledger.corrupt` where anything does not agree. */
export async function packSegment(task: PackTask): Promise<PackedSegment> {
  const { first, place, origin, sidecarKey } = task
  const box = new SidecarBox(sidecarKey, origin)
  const { leaves, records } = openRaw(task, box)
  const packed = await packLeaves(first, Number(parseLeaf(leaves[0] ?? task.content)['at']), leaves)
  const again = await openSealed(packed)
  if (again === undefined || !sameLeaves(again.leaves, leaves)) throw unsealable(place, 'does not pack')
  const boxPlace = segmentPlace(first, leaves.length, again.head.tiles)
  const sidecar = await closeSegmentSidecar(box, boxPlace, records)
  if ((await openSealedSecrets(again.head, sidecar, box)) === undefined)
    throw unsealable(place, 'its sidecar does not pack')
  return { count: leaves.length, leaves: packed, sidecar }
}

interface OpenRaw {
  readonly leaves: readonly Uint8Array[]
  readonly records: readonly SecretRecord[]
}

function openRaw(task: PackTask, box: SidecarBox): OpenRaw {
  const { content, place, origin, first } = task
  const raw = scanSegment(content)
  if (raw?.ending.kind !== 'clean' || raw.origin !== origin || raw.first !== first)
    throw unsealable(place, 'not whole')
  const leaves = raw.groups.flatMap((group) => group.leaves)
  if (leaves.length === 0 || leaves.length % BUNDLE !== 0) throw unsealable(place, 'not whole bundles')
  const records = openGroups(raw, box).flatMap((group) => {
    if (group === undefined) throw unsealable(place, 'a sidecar does not open')
    return group
  })
  return { leaves, records }
}

function sameLeaves(left: readonly Uint8Array[], right: readonly Uint8Array[]): boolean {
  const none = new Uint8Array(0)
  return left.length === right.length && left.every((leaf, at) => sameBytes(leaf, right[at] ?? none))
}

function unsealable(place: string, what: string): Fault {
  return new Fault('ledger.corrupt', { place, what })
}
