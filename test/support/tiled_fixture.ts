import { toBase64, utf8 } from '#base/bytes.ts'
import { sha256 } from '#base/crypto.ts'
import type { Files } from '#base/files.ts'
import { BUNDLE, BUNDLE_LEVEL } from '#trust/ledger/bundle.ts'
import { printHead, signCheckpoint, type Head } from '#trust/ledger/checkpoint.ts'
import { FILE, originFolder, segmentPath, type OriginFolder } from '#trust/ledger/layout.ts'
import { CompactRange, leafHash, rootOf } from '#trust/ledger/merkle.ts'
import { noteSigner } from '#trust/ledger/note.ts'
import { packLeaves } from '#trust/ledger/packing.ts'
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

/** A log of which nothing stands but the hashes of its bundles, in the heads of sealed segments. */
export interface PlannedBundles {
  readonly files: SimulatedFiles
  readonly folder: OriginFolder
  readonly roots: readonly Uint8Array[]
}

/** Writes sealed segments of so many bundles each, whose entries are not there; the first `signed` bundles are signed. */
export async function planBundles(segments: readonly number[], signed?: number): Promise<PlannedBundles> {
  const { files, folder } = await planLog([])
  const roots: Uint8Array[] = []
  for (const bundles of segments) {
    const [first, count] = [roots.length * BUNDLE, bundles * BUNDLE]
    const tiles = Array.from({ length: bundles }, (_, at) => sha256(utf8(`bundle ${roots.length + at}`)))
    const block = { first, at: 1, count, text: utf8('of a plan'), ids: new Set<string>(), tiles }
    files.tamper(segmentPath(folder, first, 'leaves'), await packLeaves(block))
    roots.push(...tiles)
  }
  signBundles(files, folder, roots.slice(0, signed))
  return { files, folder, roots }
}

/** The same log once more, under another name, as a home has two of them after it lost one. */
export async function copyLog(log: PlannedLog, number: number, id: string): Promise<PlannedLog> {
  const { files } = log
  const folder = originFolder('/ledger', number, id)
  await files.makeDirectory(folder.path)
  for (const [path, bytes] of files.all())
    if (path.startsWith(`${log.folder.path}/`))
      files.tamper(folder.path + path.slice(log.folder.path.length), bytes)
  sign(files, folder, log.hashes)
  return { ...log, folder }
}

/** Writes the checkpoint of a tree. */
export function sign(files: SimulatedFiles, folder: OriginFolder, hashes: readonly Uint8Array[]): void {
  putCheckpoint(files, folder, { size: hashes.length, root: rootOf(hashes) })
}

/** Writes the checkpoint of a tree of whole bundles. */
export function signBundles(files: SimulatedFiles, folder: OriginFolder, roots: readonly Uint8Array[]): void {
  const range = new CompactRange()
  for (const root of roots) range.appendSubtree(BUNDLE_LEVEL, root)
  putCheckpoint(files, folder, { size: range.size, root: range.root() })
}

function putCheckpoint(files: SimulatedFiles, folder: OriginFolder, tree: Omit<Head, 'origin'>): void {
  const note = `${printHead({ origin: folder.origin, ...tree })}\n\u2014 ${folder.origin} ${toBase64(Buffer.alloc(68, 1))}\n`
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

/** What is asked of the disk from now on, in order, as `read /ledger/…`; whether it is there or not. */
export function recordReads(files: Files): string[] {
  const asked: string[] = []
  const { read, readRange, facts, list } = files
  files.read = async (path, most) => (asked.push(`read ${path}`), await read.call(files, path, most))
  files.readRange = async (path, from, length) => (
    asked.push(`range ${path}`),
    await readRange.call(files, path, from, length)
  )
  files.facts = async (path) => (asked.push(`facts ${path}`), await facts.call(files, path))
  files.list = async (path) => (asked.push(`list ${path}`), await list.call(files, path))
  return asked
}

/** All that an iterable gives. */
export async function gather<Each>(all: AsyncIterable<Each>): Promise<readonly Each[]> {
  const found: Each[] = []
  for await (const each of all) found.push(each)
  return found
}
