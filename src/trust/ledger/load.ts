import { sameBytes } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import type { Files } from '#base/files.ts'
import type { Millis } from '#base/clock.ts'
import { BUNDLE_LEVEL } from './bundle.ts'
import { openCheckpoint, type Head } from './checkpoint.ts'
import {
  FILE,
  listSegments,
  segmentName,
  segmentPath,
  type OriginFolder,
  type SegmentFiles,
} from './layout.ts'
import { parseLeaf } from './leaf.ts'
import { CompactRange, leafHash } from './merkle.ts'
import type { FinishedOrigin } from './origin.ts'
import {
  packedHeadBytes,
  PACKED_HEAD_BYTES,
  parsePackedHead,
  unpackLeaves,
  type PackedHead,
} from './packing.ts'
import { scanSegment } from './raw_segment.ts'
import { readIfThere } from './segment_reader.ts'

/** One segment as it is known after opening. */
export interface SegmentMark {
  readonly kind: 'raw' | 'sealed'
  readonly first: number
  readonly count: number
  /** Time of its first entry; undefined while it has none. */
  readonly at: Millis | undefined
  readonly bytes: number
}

export interface LoadedLog {
  readonly folder: OriginFolder
  readonly range: CompactRange
  readonly checkpoint: { readonly head: Head; readonly text: string }
  readonly segments: readonly SegmentMark[]
  /** The file to append to, and how many bytes of it are whole groups. */
  readonly active: { readonly first: number; readonly bytes: number; readonly tornBytes: number }
  /** Roots at the wanted sizes that the log has. */
  readonly roots: ReadonlyMap<number, Uint8Array>
}

/**
 * Rebuilds the state of a log from its files. Entries since the last sealing are all hashed; of sealed segments the
 * stored bundle hashes are taken, which the checkpoint then proves.
 *
 * Throws `ledger.corrupt` with the place when files are missing or damaged, or the log is shorter than its checkpoint
 * or not the one that it signed.
 */
export async function loadLog(
  files: Files,
  origin: FinishedOrigin,
  wanted: readonly number[],
): Promise<LoadedLog> {
  const { folder, verifier } = origin
  const checkpointPath = `${folder.path}/${FILE.checkpoint}`
  const note = await readIfThere(files, checkpointPath)
  const text = note === undefined ? '' : Buffer.from(note).toString('utf8')
  const head = openCheckpoint(text, verifier)
  if (head === undefined)
    throw corrupt(checkpointPath, 'missing, damaged or not signed by the key of the log')
  const { segments } = await listSegments(files, folder)
  const loader = new Loader(files, folder, [head.size, ...wanted])
  for (const [at, segment] of segments.entries()) await loader.load(segment, at === segments.length - 1)
  const loaded = loader.finish()
  const root = loaded.roots.get(head.size)
  if (root === undefined)
    throw corrupt(
      `${folder.path} entry ${loaded.range.size}`,
      `truncated: the checkpoint covers ${head.size} entries, ${loaded.range.size} are here`,
    )
  if (!sameBytes(root, head.root))
    throw corrupt(
      `${folder.path} entries 0 to ${head.size - 1}`,
      'not the entries that the checkpoint covers',
    )
  return { folder, checkpoint: { head, text }, ...loaded }
}

export function corrupt(place: string, what: string): Fault {
  return new Fault('ledger.corrupt', { place, what })
}

class Loader {
  readonly #files: Files
  readonly #folder: OriginFolder
  readonly #wanted: readonly number[]
  readonly #range = new CompactRange()
  readonly #roots = new Map<number, Uint8Array>()
  readonly #marks: SegmentMark[] = []
  #active: LoadedLog['active'] | undefined

  constructor(files: Files, folder: OriginFolder, wanted: readonly number[]) {
    this.#files = files
    this.#folder = folder
    this.#wanted = wanted
    this.#keepRoot()
  }

  async load(segment: SegmentFiles, isLast: boolean): Promise<void> {
    if (segment.first !== this.#range.size)
      throw corrupt(
        `${this.#folder.path}/${segmentName(segment.first, 'raw')}`,
        `entries from ${this.#range.size} on are missing or doubled`,
      )
    if (segment.parts.has('raw')) await this.#loadRaw(segment.first, isLast)
    else await this.#loadSealed(segment)
  }

  finish(): Pick<LoadedLog, 'range' | 'segments' | 'active' | 'roots'> {
    if (this.#active === undefined) throw corrupt(this.#folder.path, 'the active segment is missing')
    return { range: this.#range, segments: this.#marks, active: this.#active, roots: this.#roots }
  }

  async #loadRaw(first: number, isLast: boolean): Promise<void> {
    const path = segmentPath(this.#folder, first, 'raw')
    const content = await this.#files.read(path)
    const raw = scanSegment(content)
    if (raw?.origin !== this.#folder.origin || raw.first !== first)
      throw corrupt(path, 'the head of the segment is damaged')
    if (raw.ending.kind === 'damaged')
      throw corrupt(`${path} entry ${raw.ending.entry}`, `damaged at byte ${raw.ending.at}`)
    if (raw.ending.kind === 'torn' && !isLast) throw corrupt(path, `damaged at byte ${raw.ending.at}`)
    const leaves = raw.groups.flatMap((group) => group.leaves)
    for (const leaf of leaves) this.#append(leaf)
    this.#marks.push({
      kind: 'raw',
      first,
      count: leaves.length,
      at: leaves[0] === undefined ? undefined : Number(parseLeaf(leaves[0])['at']),
      bytes: raw.bytes,
    })
    if (isLast) this.#active = { first, bytes: raw.bytes, tornBytes: content.length - raw.bytes }
  }

  async #loadSealed(segment: SegmentFiles): Promise<void> {
    const path = segmentPath(this.#folder, segment.first, 'leaves')
    const [leaves, sidecar] = await Promise.all([
      this.#files.facts(path),
      this.#files.facts(segmentPath(this.#folder, segment.first, 'sidecar')),
    ])
    if (leaves === undefined) throw corrupt(path, 'missing')
    if (sidecar === undefined) throw corrupt(segmentPath(this.#folder, segment.first, 'sidecar'), 'missing')
    const head = await this.#readHead(path)
    if (head?.first !== segment.first) throw corrupt(path, 'the head of the segment is damaged')
    if (this.#wanted.some((size) => size > head.first && size < head.first + head.count))
      await this.#appendSealed(path)
    else this.#appendTiles(head)
    const { first, count, at } = head
    this.#marks.push({ kind: 'sealed', first, count, at, bytes: leaves.bytes + sidecar.bytes })
  }

  async #readHead(path: string): Promise<PackedHead | undefined> {
    const start = await this.#files.readRange(path, 0, PACKED_HEAD_BYTES)
    const bytes = packedHeadBytes(start)
    return bytes === undefined ? undefined : parsePackedHead(await this.#files.readRange(path, 0, bytes))
  }

  #appendTiles(head: PackedHead): void {
    for (const tile of head.tiles) {
      this.#range.appendSubtree(BUNDLE_LEVEL, tile)
      this.#keepRoot()
    }
  }

  async #appendSealed(path: string): Promise<void> {
    const leaves = await unpackLeaves(await this.#files.read(path))
    if (leaves === undefined) throw corrupt(path, 'damaged')
    for (const leaf of leaves) this.#append(leaf)
  }

  #append(leaf: Uint8Array): void {
    this.#range.append(leafHash(leaf))
    this.#keepRoot()
  }

  #keepRoot(): void {
    const { size } = this.#range
    if (this.#wanted.includes(size)) this.#roots.set(size, this.#range.root())
  }
}
