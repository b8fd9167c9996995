import { toBase64, utf8 } from '#base/bytes.ts'
import type { Files } from '#base/files.ts'
import { printHead, signCheckpoint } from '#trust/ledger/checkpoint.ts'
import { FILE, originFolder, segmentPath, type OriginFolder } from '#trust/ledger/layout.ts'
import { leafHash, rootOf } from '#trust/ledger/merkle.ts'
import { noteSigner } from '#trust/ledger/note.ts'
import { encodeGroup, encodeHead } from '#trust/ledger/raw_segment.ts'
import { emptyDisk, KEYS, newestFolder, openOn, packOf } from './ledger_fixture.ts'
import { SimulatedFiles } from './simulated_files.ts'

/** A segment of a log that is made for a test; all but the last have whole bundles. */
export interface SegmentPlan {
  readonly kind: 'raw' | 'sealed'
  readonly count: number
}

/** A log with short entries that stand for nothing: only its tree is right. */
export interface PlannedLog {
  readonly files: SimulatedFiles
  readonly folder: OriginFolder
  readonly leaves: readonly Uint8Array[]
  readonly hashes: readonly Uint8Array[]
}

const ENTRIES_IN_GROUP = 100

/** Writes a log of these segments, with a checkpoint that covers the first `signed` entries; no key has signed it. */
export async function planLog(segments: readonly SegmentPlan[], signed?: number): Promise<PlannedLog> {
  const files = new SimulatedFiles()
  const folder = originFolder('/ledger', 1, 'TestedTestedTest')
  await files.makeDirectory(folder.path)
  for (const above of ['/', '/ledger']) await files.syncDirectory(above)
  const leaves = await putSegments(files, folder, segments)
  const hashes = leaves.map(leafHash)
  sign(files, folder, hashes.slice(0, signed))
  return { files, folder, leaves, hashes }
}

/** The same in a home of which the keys are those of tests, so that a ledger can be opened on it; all of it is signed. */
export async function planHome(segments: readonly SegmentPlan[]): Promise<PlannedLog> {
  const files = await emptyDisk()
  await (await openOn(files)).close()
  const folder = await newestFolder(files)
  const leaves = await putSegments(files, folder, segments)
  const hashes = leaves.map(leafHash)
  const head = { origin: folder.origin, size: hashes.length, root: rootOf(hashes) }
  const note = await signCheckpoint(head, [noteSigner(folder.origin, KEYS.signingPem)], 0)
  files.tamper(`${folder.path}/${FILE.checkpoint}`, utf8(note))
  return { files, folder, leaves, hashes }
}

async function putSegments(
  files: SimulatedFiles,
  folder: OriginFolder,
  segments: readonly SegmentPlan[],
): Promise<readonly Uint8Array[]> {
  const leaves: Uint8Array[] = []
  for (const { kind, count } of segments) {
    const first = leaves.length
    const own = Array.from({ length: count }, (_, at) => plannedLeaf(first + at))
    if (kind === 'sealed') {
      files.tamper(segmentPath(folder, first, 'leaves'), await packOf(first, 1, own))
      files.tamper(segmentPath(folder, first, 'sidecar'), utf8('of a plan'))
    } else files.tamper(segmentPath(folder, first, 'raw'), rawOf(folder, first, own))
    leaves.push(...own)
  }
  return leaves
}

function plannedLeaf(index: number): Uint8Array {
  return utf8(`{"at":1,"id":"${String(index).padStart(16, '0')}","kind":"note","v":1}`)
}

/** Writes the checkpoint of a tree. */
export function sign(files: SimulatedFiles, folder: OriginFolder, hashes: readonly Uint8Array[]): void {
  const head = { origin: folder.origin, size: hashes.length, root: rootOf(hashes) }
  const note = `${printHead(head)}\n\u2014 ${folder.origin} ${toBase64(Buffer.alloc(68, 1))}\n`
  files.tamper(`${folder.path}/${FILE.checkpoint}`, utf8(note))
}

function rawOf(folder: OriginFolder, first: number, leaves: readonly Uint8Array[]): Uint8Array {
  const parts = [encodeHead(folder.origin, first)]
  for (let at = 0; at < leaves.length; at += ENTRIES_IN_GROUP)
    parts.push(encodeGroup(first + at, leaves.slice(at, at + ENTRIES_IN_GROUP), Buffer.alloc(40)))
  return Buffer.concat(parts)
}

/** How many bytes are read of each file, by its path. */
export function countReads(files: Files): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  const count = (path: string, bytes: Uint8Array): Uint8Array => {
    counts.set(path, (counts.get(path) ?? 0) + bytes.length)
    return bytes
  }
  const { read, readRange } = files
  files.read = async (path, most) => count(path, await read.call(files, path, most))
  files.readRange = async (path, from, length) => count(path, await readRange.call(files, path, from, length))
  return counts
}
