import { concat } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { writeAtomic, type Files } from '#base/files.ts'
import { listSegments, segmentPath, type OriginFolder } from './layout.ts'
import { encodeGroup, encodeHead, groupPlace, scanSegment, type RawSegment } from './raw_segment.ts'
import { closeSegmentSidecar, segmentPlace } from './sealed_sidecar.ts'
import { openGroups, openSealed, openSealedSecrets, readSegment } from './segment_reader.ts'
import { encodeRecord, SidecarBox, type SecretRecord } from './sidecar.ts'

/**
 * Removes the seed and the sensitive values of the entries from `from` up to but not including `to`. The leaves stay
 * as they are, so every proof and checkpoint still holds; only what the commitments stand for can no longer be shown.
 * Gives the number of entries that were shredded.
 *
 * It must not run while a ledger is open on the folder. It rewrites files: blocks of the old ones, snapshots and
 * backups are not overwritten. Throws `ledger.corrupt` where a sidecar does not open.
 */
export async function shredEntries(
  files: Files,
  folder: OriginFolder,
  sidecarKey: Uint8Array,
  range: { readonly from: number; readonly to: number },
): Promise<number> {
  const box = new SidecarBox(sidecarKey, folder.origin)
  const { segments } = await listSegments(files, folder)
  let shredded = 0
  for (const [at, { first }] of segments.entries()) {
    const next = segments[at + 1]?.first ?? Number.MAX_SAFE_INTEGER
    if (first < range.to && next > range.from)
      shredded += await shredSegment({ files, folder, box }, first, range)
  }
  return shredded
}

interface Shredder {
  readonly files: Files
  readonly folder: OriginFolder
  readonly box: SidecarBox
}

async function shredSegment(
  shredder: Shredder,
  first: number,
  range: { readonly from: number; readonly to: number },
): Promise<number> {
  const { files, folder, box } = shredder
  let shredded = 0
  const blank = (record: SecretRecord, index: number): SecretRecord => {
    const isHit = index >= range.from && index < range.to && record !== undefined && record.fields.length > 0
    if (isHit) shredded += 1
    return isHit ? undefined : record
  }
  const bytes = await readSegment(files, folder, first)
  if (bytes.kind === 'raw') {
    const raw = scanSegment(bytes.raw)
    if (raw?.ending.kind !== 'clean') throw unopened(segmentPath(folder, first, 'raw'))
    const rewritten = blankGroups(shredder, raw, blank)
    if (shredded > 0) await writeAtomic(files, segmentPath(folder, first, 'raw'), rewritten)
    return shredded
  }
  const path = segmentPath(folder, first, 'sidecar')
  if (bytes.kind === 'missing' || bytes.sidecar === undefined) throw unopened(path)
  const sealed = await openSealed(bytes.leaves)
  const secrets = sealed && (await openSealedSecrets(sealed.head, bytes.sidecar, box))
  if (sealed === undefined || secrets === undefined) throw unopened(path)
  const blanked = secrets.map((record, at) => blank(record, first + at))
  const records = concat(...blanked.map(encodeRecord))
  const { count, tiles } = sealed.head
  if (shredded > 0)
    await writeAtomic(files, path, await closeSegmentSidecar(box, segmentPlace(first, count, tiles), records))
  return shredded
}

function blankGroups(
  shredder: Shredder,
  raw: RawSegment,
  blank: (record: SecretRecord, index: number) => SecretRecord,
): Uint8Array {
  const { box, folder } = shredder
  const opened = openGroups(raw, box)
  const groups = raw.groups.map((group, at) => {
    const records = opened[at]
    if (records === undefined) throw unopened(segmentPath(folder, raw.first, 'raw'))
    const plain = concat(...records.map((record, index) => encodeRecord(blank(record, group.first + index))))
    return encodeGroup(group.first, group.leaves, box.close(plain, groupPlace(raw.first, group)))
  })
  return concat(encodeHead(raw.origin, raw.first), ...groups)
}

function unopened(place: string): Fault {
  return new Fault('ledger.corrupt', { place, what: 'the sidecar does not open' })
}
