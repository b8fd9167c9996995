import { errorCode, type Files } from '#base/files.ts'
import { isEntryId } from '#base/ids.ts'
import { LIMITS } from '#base/limits.ts'
import { listOrigins, listSegments, segmentPath, type OriginFolder } from './layout.ts'
import { OpenedPacks, type OpenedPack } from './opened_packs.ts'
import { leavesOfId } from './packed_text.ts'
import { RawIndex } from './raw_index.ts'
import { toReadEntry, unreadable, type ReadEntry, type ReadOptions } from './read.ts'
import { SearchQueue, type Asker } from './search_queue.ts'
import { openGroup } from './segment_reader.ts'
import { decodeRecordsAt, SidecarBox } from './sidecar.ts'

export interface FinderParts extends Pick<ReadOptions, 'sidecarKey'> {
  readonly files: Files
  /** The ledger folder. */
  readonly directory: string
}

/**
 * Finds the entries of one request by its id, beside whoever appends and seals. It takes no lock and proves nothing.
 *
 * One search runs at a time and reads what it needs only: of active segments the groups that an index names, of sealed
 * ones the column of ids, and all of a segment only where the id stands in it. So memory does not grow with callers.
 */
export class EntryFinder {
  readonly #parts: FinderParts
  readonly #packs: OpenedPacks
  readonly #indexes = new Map<string, RawIndex>()
  readonly #queue = new SearchQueue()

  constructor(parts: FinderParts) {
    this.#parts = parts
    this.#packs = new OpenedPacks(parts.files)
  }

  /**
   * All entries of one request, newest first, from all logs. It stops at the segment that holds the request's intent or
   * refusal, so a recent id is found at once and an unknown one after a look into every segment.
   *
   * Throws `ledger.corrupt` where a segment cannot be read, and `load.exceeded` when too many searches wait.
   */
  async find(id: string, asker: Asker = {}): Promise<readonly ReadEntry[]> {
    if (!isEntryId(id)) return []
    return await this.#queue.run(async () => await this.#find(id), asker)
  }

  async #find(id: string): Promise<readonly ReadEntry[]> {
    const { files, directory } = this.#parts
    const found: ReadEntry[] = []
    const { folders } = await listOrigins(files, directory)
    for (const folder of folders.toReversed())
      for (const { first, parts } of (await listSegments(files, folder)).segments.toReversed()) {
        const inRaw = parts.has('raw') ? await this.#inRaw(folder, first, id) : undefined
        const entries = inRaw ?? (await this.#inSealed(folder, first, id))
        found.push(...entries.toReversed())
        // Nothing of a request is recorded before its first entry.
        if (found.some(({ leaf }) => leaf['kind'] === 'intent' || leaf['kind'] === 'refusal')) return found
      }
    return found
  }

  /** Undefined when there is no raw file, or none any more. */
  async #inRaw(folder: OriginFolder, first: number, id: string): Promise<readonly ReadEntry[] | undefined> {
    const path = segmentPath(folder, first, 'raw')
    try {
      const index = this.#indexOf(path, first)
      const state = await index.follow()
      if (state === 'unreadable') throw unreadable(path)
      if (state === 'followed') return this.#inGroups(folder, first, id, await index.groupsOf(id))
    } catch (thrown) {
      // Sealed in between.
      if (errorCode(thrown) !== 'ENOENT') throw thrown
    }
    this.#indexes.delete(path)
    return undefined
  }

  #inGroups(
    folder: OriginFolder,
    first: number,
    id: string,
    groups: Awaited<ReturnType<RawIndex['groupsOf']>>,
  ): readonly ReadEntry[] {
    const box = this.#boxOf(folder)
    return groups.flatMap((group) => {
      const secrets = box && openGroup(first, group, box)
      return group.leaves
        .flatMap((leaf, at) =>
          holds(leaf, id) ? toReadEntry(folder, group.first + at, leaf, secrets?.[at]) : [],
        )
        .filter(({ leaf }) => leaf['id'] === id)
    })
  }

  async #inSealed(folder: OriginFolder, first: number, id: string): Promise<readonly ReadEntry[]> {
    const pack = await this.#packs.holding(folder, first, { id, box: this.#boxOf(folder) })
    return pack === undefined ? [] : inPack(folder, pack, id)
  }

  #boxOf({ origin }: OriginFolder): SidecarBox | undefined {
    const { sidecarKey } = this.#parts
    return sidecarKey && new SidecarBox(sidecarKey, origin)
  }

  #indexOf(path: string, first: number): RawIndex {
    const index = this.#indexes.get(path) ?? new RawIndex(this.#parts.files, path, first)
    // The one that was used last stands at the end.
    this.#indexes.delete(path)
    this.#indexes.set(path, index)
    let bytes = [...this.#indexes.values()].reduce((sum, each) => sum + each.bytes, 0)
    for (const [oldest, each] of this.#indexes) {
      if (bytes <= LIMITS.rawIndexBytes || oldest === path) break
      this.#indexes.delete(oldest)
      bytes -= each.bytes
    }
    return index
  }
}

function inPack(folder: OriginFolder, pack: OpenedPack, id: string): readonly ReadEntry[] {
  const leaves = leavesOfId(pack.text, id)
  const places = new Set(leaves.map(({ at }) => at))
  const records = pack.records && decodeRecordsAt(pack.records, places)
  return leaves
    .map(({ at, bytes }) => toReadEntry(folder, pack.first + at, bytes, records?.get(at)))
    .filter(({ leaf }) => leaf['id'] === id)
}

/** Spares the parsing of the others in a group. */
function holds(leaf: Uint8Array, id: string): boolean {
  return Buffer.from(leaf.buffer, leaf.byteOffset, leaf.byteLength).includes(id)
}

/** A single search; whoever searches more than once keeps an `EntryFinder`. */
export async function findEntries(
  files: Files,
  directory: string,
  id: string,
  options: Pick<ReadOptions, 'sidecarKey'> = {},
): Promise<readonly ReadEntry[]> {
  return await new EntryFinder({ files, directory, ...options }).find(id)
}
