import { isTemporary, type Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { peekCheckpoint } from './checkpoint.ts'
import { FILE, listSegments, type OriginFolder } from './layout.ts'
import type { Ledger } from './ledger.ts'
import { sortOrigins } from './origin.ts'
import { sealSegment } from './seal.ts'
import { readIfThere } from './segment_reader.ts'
import { SidecarBox } from './sidecar.ts'
import { usedBytes } from './space.ts'

export interface CompactParts {
  readonly files: Files
  /** The ledger folder. */
  readonly directory: string
  readonly sidecarKey: Uint8Array
  readonly ledger: Pick<Ledger, 'origin' | 'sealNow'>
}

/** What was done to the files of a ledger. */
export interface Compaction {
  readonly bytesBefore: number
  readonly bytesAfter: number
  /** Segments. */
  readonly sealed: number
  /** Files that nothing needs. */
  readonly removed: number
  /** Full segments that are still to be sealed, or cannot be. */
  readonly waiting: number
}

/**
 * Makes the files of a ledger as small as they can be without losing anything: seals every full segment of every log, and
 * removes what writes have left that did not come to their end. It stops between two segments when `goOn` says so; to call
 * it again goes on. Entries, proofs and checkpoints stay what they are.
 *
 * Throws `ledger.unwritable`, `ledger.corrupt` for an older log that is damaged, and the errors of the file system.
 */
export async function compact(parts: CompactParts, goOn: () => boolean): Promise<Compaction> {
  const { files, directory, ledger } = parts
  const bytesBefore = await usedBytes(files, directory)
  let removed = await removeUnfinished(files, directory, (name) => name !== TEMPORARY_RESERVE)
  let { sealed, waiting } = await ledger.sealNow(goOn)
  for (const { folder } of (await sortOrigins(files, directory)).finished) {
    if (folder.origin === ledger.origin) continue
    removed += await removeUnfinished(files, folder.path, () => true)
    const found = await sealOlder(parts, folder, goOn)
    sealed += found.sealed
    waiting += found.waiting
  }
  return { bytesBefore, bytesAfter: await usedBytes(files, directory), sealed, removed, waiting }
}

/** It may be in work. */
const TEMPORARY_RESERVE = `${FILE.reserve}.tmp`

/** The segments of a log that nothing is appended to any more, but the last, which stays as it was left. */
async function sealOlder(
  { files, sidecarKey }: CompactParts,
  folder: OriginFolder,
  goOn: () => boolean,
): Promise<{ readonly sealed: number; readonly waiting: number }> {
  const bytes = await readIfThere(files, `${folder.path}/${FILE.checkpoint}`, LIMITS.noteBytes)
  const signed = peekCheckpoint(bytes === undefined ? '' : Buffer.from(bytes).toString('utf8'))?.size ?? 0
  const { segments } = await listSegments(files, folder)
  // Only what a checkpoint covers is sealed.
  const full = segments.filter(
    ({ parts }, at) => parts.has('raw') && (segments[at + 1]?.first ?? Infinity) <= signed,
  )
  const box = new SidecarBox(sidecarKey, folder.origin)
  let sealed = 0
  for (const { first } of full) {
    if (!goOn()) break
    await sealSegment({ files, folder, box }, first)
    sealed += 1
  }
  return { sealed, waiting: full.length - sealed }
}

async function removeUnfinished(
  files: Files,
  folder: string,
  isMine: (name: string) => boolean,
): Promise<number> {
  const names = await files.list(folder)
  const unfinished = names.filter((name) => isTemporary(name) && isMine(name))
  for (const name of unfinished) await files.unlink(`${folder}/${name}`)
  if (unfinished.length > 0) await files.syncDirectory(folder)
  return unfinished.length
}
