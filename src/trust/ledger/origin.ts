import { utf8 } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { writeAtomic, type Files } from '#base/files.ts'
import { randomBase62 } from '#base/ids.ts'
import { LIMITS } from '#base/limits.ts'
import { signCheckpoint } from './checkpoint.ts'
import { FILE, listOrigins, listSegments, originFolder, segmentPath, type OriginFolder } from './layout.ts'
import { parseLeaf, type MadeLeaf } from './leaf.ts'
import { leafHash, rootOf } from './merkle.ts'
import { noteSigner, parseVerifierKey, printVerifierKey, type NoteVerifier } from './note.ts'
import { encodeGroup, encodeHead, groupPlace, scanSegment } from './raw_segment.ts'
import { readIfThere } from './segment_reader.ts'
import { encodeRecord, SidecarBox } from './sidecar.ts'
import { successionOf } from './succession.ts'

export interface OriginKeys {
  /** Ed25519 private key, PKCS #8 PEM: signs checkpoints. */
  readonly signingPem: string
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
  opening: MadeLeaf | undefined,
): Promise<OriginFolder> {
  const { finished, unfinished } = await sortOrigins(files, directory)
  for (const folder of unfinished) await removeUnfinished(files, folder)
  const number = (finished.at(-1)?.folder.number ?? 0) + 1
  const folder = originFolder(directory, number, randomBase62(ID_CHARACTERS))
  await files.makeDirectory(folder.path)
  const signer = noteSigner(folder.origin, keys.signingPem)
  await writeAtomic(files, segmentPath(folder, 0, 'raw'), firstSegment(folder.origin, keys, opening))
  const hashes = opening === undefined ? [] : [leafHash(opening.bytes)]
  const head = { origin: folder.origin, size: hashes.length, root: rootOf(hashes) }
  await writeAtomic(files, `${folder.path}/${FILE.checkpoint}`, utf8(signCheckpoint(head, signer)))
  await writeAtomic(files, `${folder.path}/${FILE.origin}`, utf8(`${printVerifierKey(signer)}\n`))
  return folder
}

export interface FinishedOrigin {
  readonly folder: OriginFolder
  readonly verifier: NoteVerifier
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
    const verifier = await loadVerifier(files, folder)
    if (verifier !== undefined) finished.push({ folder, verifier })
    else if (await isUnfinished(files, folder)) unfinished.push(folder)
    else
      throw new Fault('ledger.corrupt', {
        place: `${folder.path}/${FILE.origin}`,
        what: 'missing or damaged',
      })
  }
  return { finished, unfinished }
}

/** The verifier key of a log; undefined when the file is missing or not exactly the key of this log. */
export async function loadVerifier(files: Files, folder: OriginFolder): Promise<NoteVerifier | undefined> {
  const bytes = await readIfThere(files, `${folder.path}/${FILE.origin}`, LIMITS.noteBytes)
  const text = bytes === undefined ? '' : Buffer.from(bytes).toString('utf8')
  const verifier = text.endsWith('\n') ? parseVerifierKey(text.slice(0, -1)) : undefined
  return verifier?.name === folder.origin ? verifier : undefined
}

/** True for a folder as `createOrigin` can leave it at a crash: no origin file, and at most its opening entry. */
export async function isUnfinished(files: Files, folder: OriginFolder): Promise<boolean> {
  if ((await files.facts(`${folder.path}/${FILE.origin}`)) !== undefined) return false
  const { segments } = await listSegments(files, folder)
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

async function removeUnfinished(files: Files, folder: OriginFolder): Promise<void> {
  for (const name of await files.list(folder.path)) await files.unlink(`${folder.path}/${name}`)
  await files.removeDirectory(folder.path)
}

function firstSegment(origin: string, keys: OriginKeys, opening: MadeLeaf | undefined): Uint8Array {
  const head = encodeHead(origin, 0)
  if (opening === undefined) return head
  const leaves = [opening.bytes]
  const box = new SidecarBox(keys.sidecarKey, origin)
  const sealed = box.close(encodeRecord(opening.secrets), groupPlace(0, { first: 0, leaves }))
  return Buffer.concat([head, encodeGroup(0, leaves, sealed)])
}
