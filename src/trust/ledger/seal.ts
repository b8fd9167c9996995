import { sameBytes } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { folderOf, writeAtomic, type Files } from '#base/files.ts'
import { BUNDLE } from './bundle.ts'
import { parseLeaf } from './leaf.ts'
import { segmentPath, type OriginFolder } from './layout.ts'
import { packLeaves } from './packing.ts'
import { scanSegment } from './raw_segment.ts'
import { closeSegmentSidecar, segmentPlace } from './sealed_sidecar.ts'
import { openGroups, openSealed, openSealedSecrets } from './segment_reader.ts'
import type { SecretRecord, SidecarBox } from './sidecar.ts'

export interface Sealed {
  readonly first: number
  readonly count: number
  readonly rawBytes: number
  readonly sealedBytes: number
}

/**
 * Turns the raw file of a full segment into its two sealed files. The raw file goes only when both are durable and
 * have been read back whole, so a crash at any step leaves one or the other. Repeating it after a crash is safe.
 *
 * Throws `ledger.corrupt` when the raw file does not read, and the errors of the file system.
 */
export async function sealSegment(
  files: Files,
  folder: OriginFolder,
  first: number,
  box: SidecarBox,
): Promise<Sealed> {
  const rawPath = segmentPath(folder, first, 'raw')
  const content = await files.read(rawPath)
  const { leaves, records } = await openRaw(content, rawPath, box)
  const packed = await packLeaves(first, Number(parseLeaf(leaves[0] ?? content)['at']), leaves)
  const again = await openSealed(packed)
  if (again === undefined || !sameLeaves(again.leaves, leaves)) throw unsealable(rawPath, 'does not pack')
  const { tiles } = again.head
  const sidecar = await closeSegmentSidecar(box, segmentPlace(first, leaves.length, tiles), records)
  if ((await openSealedSecrets(again.head, sidecar, box)) === undefined)
    throw unsealable(rawPath, 'sidecar does not pack')
  await writeAtomic(files, segmentPath(folder, first, 'leaves'), packed)
  await writeAtomic(files, segmentPath(folder, first, 'sidecar'), sidecar)
  await files.unlink(rawPath)
  await files.syncDirectory(folderOf(rawPath))
  return {
    first,
    count: leaves.length,
    rawBytes: content.length,
    sealedBytes: packed.length + sidecar.length,
  }
}

async function openRaw(
  content: Uint8Array,
  path: string,
  box: SidecarBox,
): Promise<{ leaves: readonly Uint8Array[]; records: readonly SecretRecord[] }> {
  const raw = scanSegment(content)
  if (raw?.ending.kind !== 'clean') throw unsealable(path, 'not whole')
  const leaves = raw.groups.flatMap((group) => group.leaves)
  if (leaves.length === 0 || leaves.length % BUNDLE !== 0) throw unsealable(path, 'not whole bundles')
  const records = openGroups(raw, box).flatMap((group) => {
    if (group === undefined) throw unsealable(path, 'a sidecar does not open')
    return group
  })
  return { leaves, records }
}

function sameLeaves(left: readonly Uint8Array[], right: readonly Uint8Array[]): boolean {
  return (
    left.length === right.length && left.every((leaf, at) => sameBytes(leaf, right[at] ?? new Uint8Array(0)))
  )
}

function unsealable(place: string, what: string): Fault {
  return new Fault('ledger.corrupt', { place, what })
}
