import { sameBytes } from '#base/bytes.ts'
import { SHA256_BYTES } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import type { Files } from '#base/files.ts'
import type { Millis } from '#base/clock.ts'
import { isEntryId } from '#base/ids.ts'
import type { JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
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
import { idOf, parseLeaf } from './leaf.ts'
import { CompactRange, leafHash } from './merkle.ts'
import type { FinishedOrigin } from './origin.ts'
import { unpackLeaves } from './packing.ts'
import { endingEntry, firstRawLeaf, scanSegment, segmentHeadAt, type RawSegment } from './raw_segment.ts'
import { secretsMatch } from './secrets_match.ts'
import { openGroup, readIfThere, readPackedHead } from './segment_reader.ts'
import { SidecarBox } from './sidecar.ts'
import { BundleTiles } from './tile_bundles.ts'
import { readTile } from './tile_files.ts'
import { TileRows } from './tile_rows.ts'

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
  /** The tiles above the leaves, which the range fills as it grows. */
  readonly rows: TileRows
  readonly checkpoint: { readonly head: Head; readonly text: string }
  readonly segments: readonly SegmentMark[]
  /** The file to append to, and how many bytes of it are whole groups. */
  readonly active: { readonly first: number; readonly bytes: number; readonly tornBytes: number }
  /** Roots at the wanted sizes that the log has. */
  readonly roots: ReadonlyMap<number, Uint8Array>
  /** Time of the last entry, or of the first one of the last segment that has any. */
  readonly newestAt: Millis | undefined
}

/** What a log is checked with when it is loaded. */
export interface LoadChecks {
  /** 32 bytes: opens the sidecars of what no checkpoint covers yet. */
  readonly sidecarKey: Uint8Array
  /** Sizes at which the root is wanted. */
  readonly wanted: readonly number[]
}

/**
 * Rebuilds the state of a log from its files. Of sealed segments the stored bundle hashes are taken, of full ones that are
 * not sealed yet those in the tiles, and the checkpoint then proves both; the entries since are all hashed. Where it does
 * not, the tiles may be what is wrong: then they are left aside, and written anew. Entries behind the checkpoint are proven by their
 * sidecars: only who has the key can have written them, so nothing that a stranger appended is ever signed.
 *
 * Throws `ledger.corrupt` with the place when files are missing or damaged, or the log is shorter than its checkpoint
 * or not the one that it signed, or goes on with entries that are not of this home.
 */
export async function loadLog(
  files: Files,
  origin: FinishedOrigin,
  { sidecarKey, wanted }: LoadChecks,
): Promise<LoadedLog> {
  const { folder, verifiers } = origin
  const checkpointPath = `${folder.path}/${FILE.checkpoint}`
  const note = await readIfThere(files, checkpointPath, LIMITS.noteBytes)
  const text = note === undefined ? '' : Buffer.from(note).toString('utf8')
  const head = openCheckpoint(text, verifiers)
  if (head === undefined)
    throw corrupt(checkpointPath, 'missing, damaged or not signed by the key of the log')
  const { segments } = await listSegments(files, folder)
  const box = new SidecarBox(sidecarKey, folder.origin)
  const parts = { files, folder, box, signed: head.size, wanted: [head.size, ...wanted] }
  const byTiles = await new Loader(parts, new BundleTiles(files, folder)).loadAll(segments)
  const isProven = sameBytes(byTiles.roots.get(head.size) ?? NO_HASH, head.root)
  const loaded = isProven ? byTiles : await new Loader(parts).loadAll(segments)
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

const NO_HASH = new Uint8Array(0)

export function corrupt(place: string, what: string): Fault {
  return new Fault('ledger.corrupt', { place, what })
}

function timeOf(place: string, leaf: Uint8Array): Millis {
  return Number(leafAt(place, leaf)['at'])
}

interface LoaderParts {
  readonly files: Files
  readonly folder: OriginFolder
  readonly box: SidecarBox
  /** Entries that the checkpoint covers. */
  readonly signed: number
  readonly wanted: readonly number[]
}

function leafAt(place: string, bytes: Uint8Array): JsonObject {
  try {
    return parseLeaf(bytes)
  } catch {
    throw corrupt(place, 'not a leaf')
  }
}

/** What is known of a log once it is loaded, but for its checkpoint. */
type Loaded = Omit<LoadedLog, 'folder' | 'checkpoint'>

class Loader {
  readonly #parts: LoaderParts
  readonly #tiles: BundleTiles | undefined
  readonly #rows = new TileRows()
  readonly #range = new CompactRange((level, hash) => this.#rows.add(level, hash))
  readonly #roots = new Map<number, Uint8Array>()
  readonly #marks: SegmentMark[] = []
  #active: LoadedLog['active'] | undefined
  #newestAt: Millis | undefined

  /** Without tiles all that is not sealed is read. */
  constructor(parts: LoaderParts, tiles?: BundleTiles) {
    this.#parts = parts
    this.#tiles = tiles
    this.#keepRoot()
  }

  async loadAll(segments: readonly SegmentFiles[]): Promise<Loaded> {
    for (const [at, segment] of segments.entries()) {
      await this.#load(segment, segments[at + 1]?.first)
      await this.#dropKnownTiles()
    }
    if (this.#active === undefined) throw corrupt(this.#parts.folder.path, 'the active segment is missing')
    return {
      range: this.#range,
      rows: this.#rows,
      segments: this.#marks,
      active: this.#active,
      roots: this.#roots,
      newestAt: this.#newestAt,
    }
  }

  /** `next`: the first entry of the segment behind it; undefined for the last. */
  async #load(segment: SegmentFiles, next: number | undefined): Promise<void> {
    if (segment.first !== this.#range.size)
      throw corrupt(
        `${this.#parts.folder.path}/${segmentName(segment.first, 'raw')}`,
        `entries from ${this.#range.size} on are missing or doubled`,
      )
    if (!segment.parts.has('raw')) return await this.#loadSealed(segment)
    const roots = next === undefined ? undefined : await this.#rootsOf(segment.first, next)
    if (roots === undefined || next === undefined) await this.#loadRaw(segment.first, next === undefined)
    else await this.#loadRawByTiles({ first: segment.first, count: next - segment.first }, roots)
  }

  /** The bundle hashes of a segment that need not be read for them: it ends where the next one begins. */
  async #rootsOf(first: number, end: number): Promise<readonly Uint8Array[] | undefined> {
    const { files, folder, signed, wanted } = this.#parts
    if (end > signed || wanted.some((size) => size > first && size < end)) return undefined
    const roots = await this.#tiles?.rootsOf(first, end)
    if (roots === undefined) return undefined
    const path = segmentPath(folder, first, 'raw')
    const { bytes = 0 } = (await files.facts(path)) ?? {}
    const tail = await files.readRange(path, Math.max(0, bytes - TAIL_BYTES), TAIL_BYTES)
    return endingEntry(tail) === end ? roots : undefined
  }

  async #loadRawByTiles(
    { first, count }: { readonly first: number; readonly count: number },
    roots: readonly Uint8Array[],
  ): Promise<void> {
    const { files, folder } = this.#parts
    const path = segmentPath(folder, first, 'raw')
    const start = Buffer.from(await files.readRange(path, 0, FIRST_BYTES))
    const head = segmentHeadAt(start)
    const leaf = firstRawLeaf(start)
    const facts = await files.facts(path)
    if (head?.origin !== folder.origin || head.first !== first || leaf === undefined || facts === undefined)
      throw corrupt(path, 'the head of the segment is damaged')
    this.#appendBundles(roots)
    const at = timeOf(path, leaf)
    this.#marks.push({ kind: 'raw', first, count, at, bytes: facts.bytes })
    this.#newestAt = at
  }

  /** Tiles that are on disk as they must be need not be written. */
  async #dropKnownTiles(): Promise<void> {
    const { files, folder } = this.#parts
    for (const tile of this.#rows.waiting(this.#range.size)) {
      const there = await readTile(files, folder, tile)
      if (there !== undefined && sameBytes(there, tile.hashes)) this.#rows.drop([tile])
    }
  }

  async #loadRaw(first: number, isLast: boolean): Promise<void> {
    const path = segmentPath(this.#parts.folder, first, 'raw')
    const content = await this.#read(path)
    const raw = scanSegment(content)
    if (raw?.origin !== this.#parts.folder.origin || raw.first !== first)
      throw corrupt(path, 'the head of the segment is damaged')
    if (raw.ending.kind === 'damaged')
      throw corrupt(`${path} entry ${raw.ending.entry}`, `damaged at byte ${raw.ending.at}`)
    if (raw.ending.kind === 'torn' && !isLast) throw corrupt(path, `damaged at byte ${raw.ending.at}`)
    this.#checkUnsigned(path, raw)
    const leaves = raw.groups.flatMap((group) => group.leaves)
    for (const leaf of leaves) this.#append(leaf)
    const [earliest, latest] = [leaves[0], leaves.at(-1)].map((leaf) => leaf && timeOf(path, leaf))
    this.#marks.push({ kind: 'raw', first, count: leaves.length, at: earliest, bytes: raw.bytes })
    this.#newestAt = latest ?? this.#newestAt
    if (isLast) this.#active = { first, bytes: raw.bytes, tornBytes: raw.written - raw.bytes }
  }

  /** A checksum proves nothing: who can write the file can make it right. The sidecar of a group only its writer can. */
  #checkUnsigned(path: string, raw: RawSegment): void {
    for (const group of raw.groups) {
      const end = group.first + group.leaves.length
      if (end <= this.#parts.signed) continue
      const secrets = openGroup(raw.first, group, this.#parts.box)
      if (secrets === undefined)
        throw corrupt(
          `${path} entries ${group.first} to ${end - 1}`,
          'not written with the keys of this home',
        )
      for (const [at, bytes] of group.leaves.entries()) {
        const place = `${path} entry ${group.first + at}`
        const leaf = leafAt(place, bytes)
        if (!isEntryId(idOf(leaf)) || !secretsMatch(leaf, secrets[at]))
          throw corrupt(place, 'the sidecar does not match the entry')
      }
    }
  }

  async #loadSealed(segment: SegmentFiles): Promise<void> {
    const path = segmentPath(this.#parts.folder, segment.first, 'leaves')
    const [leaves, sidecar] = await Promise.all([
      this.#parts.files.facts(path),
      this.#parts.files.facts(segmentPath(this.#parts.folder, segment.first, 'sidecar')),
    ])
    if (leaves === undefined) throw corrupt(path, 'missing')
    if (sidecar === undefined)
      throw corrupt(segmentPath(this.#parts.folder, segment.first, 'sidecar'), 'missing')
    const head = await readPackedHead(this.#parts.files, path)
    if (head?.first !== segment.first) throw corrupt(path, 'the head of the segment is damaged')
    // Only what a checkpoint covers is ever sealed.
    if (head.first + head.count > this.#parts.signed)
      throw corrupt(path, 'sealed, and yet the checkpoint does not cover it')
    if (this.#parts.wanted.some((size) => size > head.first && size < head.first + head.count))
      await this.#appendSealed(path)
    else this.#appendBundles(head.tiles)
    const { first, count, at } = head
    const bytes = leaves.bytes + sidecar.bytes + count * SHA256_BYTES
    this.#marks.push({ kind: 'sealed', first, count, at, bytes })
    this.#newestAt = at
  }

  async #read(path: string): Promise<Uint8Array> {
    const content = await readIfThere(this.#parts.files, path)
    if (content === undefined) throw corrupt(path, 'missing')
    return content
  }

  #appendBundles(hashes: readonly Uint8Array[]): void {
    for (const hash of hashes) {
      this.#range.appendSubtree(BUNDLE_LEVEL, hash)
      this.#keepRoot()
    }
  }

  async #appendSealed(path: string): Promise<void> {
    const leaves = await unpackLeaves(await this.#read(path))
    if (leaves === undefined) throw corrupt(path, 'damaged')
    for (const leaf of leaves) this.#append(leaf)
  }

  #append(leaf: Uint8Array): void {
    this.#range.append(leafHash(leaf))
    this.#keepRoot()
  }

  #keepRoot(): void {
    const { size } = this.#range
    if (this.#parts.wanted.includes(size)) this.#roots.set(size, this.#range.root())
  }
}

/** A head frame and one leaf. */
const FIRST_BYTES = 2 * LIMITS.leafBytes
/** The room that a segment may end with, and its last group, which is mostly far shorter. */
const TAIL_BYTES = 512 * 1_024
