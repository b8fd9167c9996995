import { Fault } from '#base/fault.ts'
import { errorCode, folderOf, type Files } from '#base/files.ts'
import { NOT_PLAIN } from '#base/plain_file.ts'
import { notAFolder, segmentPath, type OriginFolder, type Part } from './layout.ts'
import {
  packedHeadBytes,
  PACKED_HEAD_BYTES,
  parsePackedHead,
  unpackLeaves,
  type PackedHead,
} from './packing.ts'
import { groupPlace, scanSegment, type Group, type RawSegment } from './raw_segment.ts'
import { openSegmentSidecar, segmentPlace } from './sealed_sidecar.ts'
import { decodeRecords, type SecretRecord, type SidecarBox } from './sidecar.ts'

/** The bytes of a segment as one reader found them: it may be sealed while it is being read. */
export type SegmentBytes =
  | { readonly kind: 'raw'; readonly raw: Uint8Array }
  | { readonly kind: 'sealed'; readonly leaves: Uint8Array; readonly sidecar: Uint8Array | undefined }
  | { readonly kind: 'missing' }

/** Reads the files of a segment. The raw file counts as long as it is there, because sealing removes it last. */
export async function readSegment(files: Files, folder: OriginFolder, first: number): Promise<SegmentBytes> {
  const raw = await readIfThere(files, segmentPath(folder, first, 'raw'))
  if (raw !== undefined) return { kind: 'raw', raw }
  const [leaves, sidecar] = await Promise.all([part('leaves'), part('sidecar')])
  return leaves === undefined ? { kind: 'missing' } : { kind: 'sealed', leaves, sidecar }

  function part(name: Part): Promise<Uint8Array | undefined> {
    return readIfThere(files, segmentPath(folder, first, name))
  }
}

/**
 * The content of a file, or undefined when there is no such file. Throws `ledger.corrupt` when it is no plain file, larger
 * than `maxBytes`, or below what is no folder.
 */
export async function readIfThere(
  files: Files,
  path: string,
  maxBytes?: number,
): Promise<Uint8Array | undefined> {
  try {
    return await files.read(path, maxBytes)
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return undefined
    throw notPlainFault(thrown, path) ?? thrown
  }
}

/** `ledger.corrupt` for an error that says that something else stands in the place of a plain file, or of its folder. */
function notPlainFault(thrown: unknown, place: string): Fault | undefined {
  if (errorCode(thrown) === 'ENOTDIR') return notAFolder(folderOf(place), thrown)
  return NOT_PLAIN.has(errorCode(thrown) ?? '')
    ? new Fault('ledger.corrupt', { place, what: 'not a plain file of a ledger' }, { cause: thrown })
    : undefined
}

/**
 * The whole groups of an active segment. It is read again a few times where a group may just be being written, or was
 * written while those behind it were read already: that looks like damage, which stays.
 */
export async function scanLive(
  files: Files,
  folder: OriginFolder,
  first: number,
  content: Uint8Array,
): Promise<RawSegment | undefined> {
  let scanned = scanSegment(content)
  for (let again = 0; again < REREADS && scanned !== undefined; again++) {
    if (scanned.ending.kind === 'clean') return scanned
    const now = await readIfThere(files, segmentPath(folder, first, 'raw'))
    if (now === undefined) return scanned
    scanned = scanSegment(now)
  }
  return scanned
}

/** A write of one group lasts microseconds, a read of the file longer. */
const REREADS = 3

/** The secrets of an active segment, one per entry; undefined for a group whose box does not open. */
export function openGroups(
  raw: RawSegment,
  box: SidecarBox,
): readonly (readonly SecretRecord[] | undefined)[] {
  return raw.groups.map((group) => openGroup(raw.first, group, box))
}

/** The secrets of one group of the active segment that starts at `first`; undefined when its box does not open. */
export function openGroup(first: number, group: Group, box: SidecarBox): readonly SecretRecord[] | undefined {
  const plain = box.open(group.sealed, groupPlace(first, group))
  return plain === undefined ? undefined : decodeRecords(plain, group.leaves.length)
}

/** The head of the leaves of a sealed segment, read without the rest; undefined when it is missing or damaged. */
export async function readPackedHead(files: Files, path: string): Promise<PackedHead | undefined> {
  try {
    const bytes = packedHeadBytes(await files.readRange(path, 0, PACKED_HEAD_BYTES))
    return bytes === undefined ? undefined : parsePackedHead(await files.readRange(path, 0, bytes))
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return undefined
    throw notPlainFault(thrown, path) ?? thrown
  }
}

export interface SealedSegment {
  readonly head: PackedHead
  readonly leaves: readonly Uint8Array[]
}

/** The leaves of a sealed segment; undefined when the file cannot be read. */
export async function openSealed(bytes: Uint8Array): Promise<SealedSegment | undefined> {
  const head = parsePackedHead(bytes)
  const leaves = head === undefined ? undefined : await unpackLeaves(bytes)
  return head === undefined || leaves === undefined ? undefined : { head, leaves }
}

/** The secrets of a sealed segment, one per entry; undefined when its box does not open. */
export async function openSealedSecrets(
  head: PackedHead,
  sidecar: Uint8Array,
  box: SidecarBox,
): Promise<readonly SecretRecord[] | undefined> {
  return openSegmentSidecar(box, segmentPlace(head.first, head.count, head.tiles), sidecar)
}
