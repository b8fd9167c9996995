import type { Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { segmentPath, type OriginFolder } from './layout.ts'
import { mayHoldId } from './id_filter.ts'
import { openPack, parsePackedHead, type PackedHead } from './packing.ts'
import { unreadable } from './read.ts'
import { openSegmentRecords, segmentPlace } from './sealed_sidecar.ts'
import { readIfThere, readPackedHead } from './segment_reader.ts'
import type { SidecarBox } from './sidecar.ts'

/** A sealed segment, unpacked. */
export interface OpenedPack {
  readonly first: number
  readonly text: Buffer
  /** The secrets one after another; undefined without the key, and where the sidecar does not open. */
  readonly records: Uint8Array | undefined
}

/** What is searched for, and what opens the secrets beside it. */
interface Wanted {
  readonly id: string
  readonly box: SidecarBox | undefined
}

/** Sealed segments that were unpacked last, up to `LIMITS.openedSegmentBytes`; at least one. One caller at a time. */
export class OpenedPacks {
  readonly #files: Files
  readonly #packs = new Map<string, OpenedPack>()
  readonly #heads = new Map<string, PackedHead>()

  constructor(files: Files) {
    this.#files = files
  }

  /**
   * The sealed segment that starts at `first`, if the id may be in it, as its filter says, which is small and never
   * packed. Throws `ledger.corrupt` when it cannot be read.
   */
  async holding(folder: OriginFolder, first: number, { id, box }: Wanted): Promise<OpenedPack | undefined> {
    const path = segmentPath(folder, first, 'leaves')
    const head = await this.#headOf(path)
    const known = this.#packs.get(path)
    if (!mayHoldId(head.filter, id)) return undefined
    const pack = known ?? (await this.#open(folder, head, box))
    this.#keep(path, pack)
    return pack
  }

  /** Sealed leaves never change, so their heads are read once. */
  async #headOf(path: string): Promise<PackedHead> {
    const known = this.#heads.get(path)
    if (known !== undefined) return known
    const head = await readPackedHead(this.#files, path)
    if (head === undefined) throw unreadable(path)
    if (this.#heads.size >= KEPT_HEADS) this.#heads.clear()
    // The hashes would take most of the room, and are read again with the segment.
    this.#heads.set(path, { ...head, tiles: [] })
    return head
  }

  async #open(
    folder: OriginFolder,
    { first, count }: PackedHead,
    box: SidecarBox | undefined,
  ): Promise<OpenedPack> {
    const path = segmentPath(folder, first, 'leaves')
    const bytes = await readIfThere(this.#files, path)
    const tiles = bytes && parsePackedHead(bytes)?.tiles
    const text = bytes && (await openPack(bytes))
    if (text === undefined || tiles === undefined) throw unreadable(path)
    const sidecar = box && (await readIfThere(this.#files, segmentPath(folder, first, 'sidecar')))
    const records =
      box && sidecar && (await openSegmentRecords(box, segmentPlace(first, count, tiles), sidecar))
    return { first, text, records }
  }

  #keep(path: string, pack: OpenedPack): void {
    // The one that was used last stands at the end.
    this.#packs.delete(path)
    this.#packs.set(path, pack)
    let bytes = [...this.#packs.values()].reduce((sum, each) => sum + bytesOf(each), 0)
    for (const [oldest, each] of this.#packs) {
      if (bytes <= LIMITS.openedSegmentBytes || oldest === path) break
      this.#packs.delete(oldest)
      bytes -= bytesOf(each)
    }
  }
}

/** Heads that are remembered, of 13 KB each: the filters of 8 GB of entries at the usual size of a segment. */
const KEPT_HEADS = 1_000

function bytesOf({ text, records }: OpenedPack): number {
  return text.length + (records?.length ?? 0)
}
