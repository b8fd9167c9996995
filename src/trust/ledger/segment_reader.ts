import { errorCode, type Files } from '#base/files.ts'
import { segmentPath, type OriginFolder, type Part } from './layout.ts'
import { parsePackedHead, unpackLeaves, type PackedHead } from './packing.ts'
import { groupPlace, scanSegment, type RawSegment } from './raw_segment.ts'
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

/** The content of a file, or undefined when there is no such file. */
export async function readIfThere(files: Files, path: string): Promise<Uint8Array | undefined> {
  try {
    return await files.read(path)
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return undefined
    throw thrown
  }
}

/** The whole groups of an active segment. A group that is just being written is read again a few times. */
export async function scanLive(
  files: Files,
  folder: OriginFolder,
  first: number,
  content: Uint8Array,
): Promise<RawSegment | undefined> {
  let scanned = scanSegment(content)
  for (let again = 0; again < REREADS && scanned?.ending.kind === 'torn'; again++) {
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
  return raw.groups.map((group) => {
    const plain = box.open(group.sealed, groupPlace(raw.first, group))
    return plain === undefined ? undefined : decodeRecords(plain, group.leaves.length)
  })
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
