import { sameBytes, utf8 } from '#base/bytes.ts'
import type { Millis } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { errorCode, writeAtomic, type Files } from '#base/files.ts'
import { randomBase62 } from '#base/ids.ts'
import { LIMITS } from '#base/limits.ts'
import { signCheckpoint } from './checkpoint.ts'
import { parseLogKey } from './cosignature.ts'
import {
  FILE,
  listOrigins,
  listSegments,
  notAFolder,
  originFolder,
  segmentPath,
  type OriginFolder,
} from './layout.ts'
import { parseLeaf, type MadeLeaf } from './leaf.ts'
import { LogSigners, type LogKeyring } from './log_keys.ts'
import { leafHash, rootOf } from './merkle.ts'
import { printVerifierKey, type NoteVerifier } from './note.ts'
import { encodeGroup, encodeHead, groupPlace, scanSegment } from './raw_segment.ts'
import { readIfThere } from './segment_reader.ts'
import { encodeRecord, SidecarBox } from './sidecar.ts'
import { successionOf } from './succession.ts'

export interface OriginKeys extends LogKeyring {
  /** 32 bytes. */
  readonly sidecarKey: Uint8Array
}

const ID_CHARACTERS = 16

/**
 * Starts a new log in a folder of its own, numbered after the last one. The file `origin` is written last: a folder
 * without it is unfinished and holds nothing that was acknowledged.
 */
export async function createOrigin(
  files: Files,
  directory: string,
  keys: OriginKeys,
  start: { readonly opening: MadeLeaf | undefined; readonly at: Millis },
): Promise<OriginFolder> {
  const { opening, at } = start
  const { finished, unfinished } = await sortOrigins(files, directory)
  await removeUnfinished(files, unfinished)
  const number = (finished.at(-1)?.folder.number ?? 0) + 1
  const folder = originFolder(directory, number, randomBase62(ID_CHARACTERS))
  await files.makeDirectory(folder.path)
  const signers = new LogSigners(keys, folder.origin).at(at)
  await writeAtomic(files, segmentPath(folder, 0, 'raw'), firstSegment(folder.origin, keys, opening))
  const hashes = opening === undefined ? [] : [leafHash(opening.bytes)]
  const head = { origin: folder.origin, size: hashes.length, root: rootOf(hashes) }
  const checkpoint = await signCheckpoint(head, signers, at)
  await writeAtomic(files, `${folder.path}/${FILE.checkpoint}`, utf8(checkpoint))
  await writeKeys(files, folder, signers)
  return folder
}

export interface FinishedOrigin {
  readonly folder: OriginFolder
  /** The keys that have signed it, as its folder names them. */
  readonly verifiers: readonly NoteVerifier[]
}

/**
 * Tells the logs from folders that a crash left while a log was being started.
 *
 * Throws `ledger.corrupt` for a damaged `origin` file, and for a missing one where entries were written.
 */
export async function sortOrigins(
  files: Files,
  directory: string,
): Promise<{ readonly finished: readonly FinishedOrigin[]; readonly unfinished: readonly OriginFolder[] }> {
  const finished: FinishedOrigin[] = []
  const unfinished: OriginFolder[] = []
  const { folders } = await listOrigins(files, directory)
  for (const folder of folders) {
    const verifiers = await loadVerifiers(files, folder)
    if (verifiers !== undefined) finished.push({ folder, verifiers })
    else if (await isUnfinished(files, folder)) unfinished.push(folder)
    else
      throw new Fault('ledger.corrupt', {
        place: `${folder.path}/${FILE.origin}`,
        what: 'missing or damaged',
      })
  }
  return { finished, unfinished }
}

/** The verifier keys of a log, newest first; undefined when the file is missing or a line is no key of this log. */
export async function loadVerifiers(
  files: Files,
  folder: OriginFolder,
): Promise<readonly NoteVerifier[] | undefined> {
  const bytes = await readIfThere(files, `${folder.path}/${FILE.origin}`, LIMITS.logKeysBytes)
  const text = bytes === undefined ? '' : Buffer.from(bytes).toString('utf8')
  if (!text.endsWith('\n')) return undefined
  const verifiers = text.slice(0, -1).split('\n').map(parseLogKey)
  const known = verifiers.filter((each) => each?.name === folder.origin).filter((each) => each !== undefined)
  return known.length === verifiers.length ? known : undefined
}

/** Names those that sign a log now in its folder, before those that have signed it. */
export async function nameKeys(
  files: Files,
  folder: OriginFolder,
  signers: readonly NoteVerifier[],
): Promise<void> {
  const verifiers = (await loadVerifiers(files, folder)) ?? []
  const isNew = (key: NoteVerifier): boolean => !verifiers.some((each) => isSameKey(each, key))
  if (!signers.some(isNew)) return
  const earlier = verifiers.filter((key) => !signers.some((each) => isSameKey(each, key)))
  await writeKeys(files, folder, [...signers, ...earlier])
}

export function isSameKey(left: NoteVerifier, right: NoteVerifier): boolean {
  return left.type === right.type && sameBytes(left.publicKey, right.publicKey)
}

async function writeKeys(files: Files, folder: OriginFolder, keys: readonly NoteVerifier[]): Promise<void> {
  const lines = keys.map((key) => `${printVerifierKey(key)}\n`)
  await writeAtomic(files, `${folder.path}/${FILE.origin}`, utf8(lines.join('')))
}

/**
 * The folders of logs, oldest first, without one at their end that a start has not finished: it holds nothing yet, and is no
 * newest log. Throws `ledger.corrupt` where something else stands in the place of a folder.
 */
export async function startedLogs(files: Files, directory: string): Promise<readonly OriginFolder[]> {
  return await startedAmong(files, (await listOrigins(files, directory)).folders)
}

/** The same of folders that were listed. */
export async function startedAmong(
  files: Files,
  folders: readonly OriginFolder[],
): Promise<readonly OriginFolder[]> {
  const last = folders.at(-1)
  return last !== undefined && (await isUnfinished(files, last)) ? folders.slice(0, -1) : folders
}

/** True for a folder as `createOrigin` can leave it at a crash: no origin file, at most its opening entry, nothing strange. */
export async function isUnfinished(files: Files, folder: OriginFolder): Promise<boolean> {
  const place = `${folder.path}/${FILE.origin}`
  const origin = await files.facts(place).catch((thrown: unknown) => {
    throw errorCode(thrown) === 'ENOTDIR' ? notAFolder(folder.path, thrown) : thrown
  })
  if (origin !== undefined) return false
  const { segments, strange } = await listSegments(files, folder)
  // Whoever put that there may miss it.
  if (strange.length > 0) return false
  if (segments.length === 0) return true
  const content = segments.length === 1 ? await readIfThere(files, segmentPath(folder, 0, 'raw')) : undefined
  const raw = content === undefined ? undefined : scanSegment(content)
  if (raw === undefined) return false
  const leaves = raw.groups.flatMap((group) => group.leaves)
  return raw.ending.kind === 'clean' && leaves.length <= 1 && leaves.every(isOpening)
}

function isOpening(leaf: Uint8Array): boolean {
  return successionOf(parseLeaf(leaf)) !== undefined
}

/** Removes folders that `sortOrigins` calls unfinished: to whoever reads the last one would be the newest log. */
export async function removeUnfinished(files: Files, folders: readonly OriginFolder[]): Promise<void> {
  for (const { path } of folders) {
    if (await isRemovedLink(files, path)) continue
    for (const name of await files.list(path)) await files.unlink(`${path}/${name}`)
    await files.removeDirectory(path)
  }
}

/** A link in the place of a log goes, and never what it leads to. */
async function isRemovedLink(files: Files, path: string): Promise<boolean> {
  try {
    await files.unlink(path)
    return true
  } catch (thrown) {
    if (errorCode(thrown) === 'ERR_FS_EISDIR') return false
    throw thrown
  }
}

function firstSegment(origin: string, keys: OriginKeys, opening: MadeLeaf | undefined): Uint8Array {
  const head = encodeHead(origin, 0)
  if (opening === undefined) return head
  const leaves = [opening.bytes]
  const box = new SidecarBox(keys.sidecarKey, origin)
  const sealed = box.close(encodeRecord(opening.secrets), groupPlace(0, { first: 0, leaves }))
  return Buffer.concat([head, encodeGroup(0, leaves, sealed)])
}
