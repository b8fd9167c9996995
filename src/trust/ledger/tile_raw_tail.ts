import { setImmediate as nextTurn } from 'node:timers/promises'
import { SHA256_BYTES } from '#base/crypto.ts'
import type { Files } from '#base/files.ts'
import { BUNDLE } from './bundle.ts'
import { corrupt } from './load.ts'
import { leafHash } from './merkle.ts'
import { groupAt, segmentHeadAt, type Group } from './raw_segment.ts'

/** Where the groups stand that hold the entries of a bundle. */
interface BundlePlace {
  readonly start: number
  end: number
  /** Place of the first group's first entry in the segment. */
  readonly first: number
}

/**
 * The hashes of the leaves of a raw segment, 32 bytes for each entry. It follows the file as it grows and reads only what
 * is new, a window at a time, and only what is signed: what is not may still be cut off and written over.
 */
export class RawTail {
  readonly #files: Files
  readonly #path: string
  readonly #first: number
  #hashes: Buffer = Buffer.alloc(0)
  #count = 0
  #end = 0
  readonly #bundles: BundlePlace[] = []

  constructor(files: Files, path: string, first: number) {
    this.#files = files
    this.#path = path
    this.#first = first
  }

  /** Entries of the segment that it has taken in. */
  get count(): number {
    return this.#count
  }

  /** Bytes that it keeps. */
  get bytes(): number {
    return this.#hashes.length
  }

  /** The hashes of `width` entries from the place `at` in the segment on. Throws `ledger.corrupt` where there are fewer. */
  hashes(at: number, width: number): Uint8Array {
    if (at + width > this.#count) throw this.#damaged(this.#end)
    return Buffer.from(this.#hashes.subarray(at * SHA256_BYTES, (at + width) * SHA256_BYTES))
  }

  /** The entries themselves, of the bundle that starts at the place `at`. Throws as `hashes`. */
  async leaves(at: number, width: number): Promise<readonly Uint8Array[]> {
    const place = this.#bundles[at / BUNDLE]
    if (place === undefined) throw this.#damaged(this.#end)
    const { start, end, first } = place
    const bytes = Buffer.from(await this.#files.readRange(this.#path, start, end - start))
    const leaves: Uint8Array[] = []
    for (let offset = 0; first + leaves.length < at + width;) {
      const step = groupAt(bytes, offset, this.#first + first + leaves.length)
      if (step.kind !== 'group') throw this.#damaged(start + offset)
      leaves.push(...step.group.leaves)
      offset = step.group.end
    }
    return leaves.slice(at - first, at - first + width)
  }

  /** Takes in what the file has up to its entry `upTo`. Throws ENOENT when there is no file any more. */
  async follow(upTo: number): Promise<void> {
    let window = WINDOW_BYTES
    while (this.#count < upTo && window <= MOST_GROUP_BYTES) {
      const bytes = Buffer.from(await this.#files.readRange(this.#path, this.#end, window))
      const taken = this.#take(bytes, upTo)
      this.#end += taken
      // That was all of the file.
      if (bytes.length < window) return
      // Nothing whole in it: a longer group, or damage.
      window = taken > 0 ? WINDOW_BYTES : window * 2
      await nextTurn()
    }
  }

  /** Takes in what stands whole in the bytes from the end on, and gives how many that are. */
  #take(bytes: Buffer, upTo: number): number {
    let offset = this.#end === 0 ? this.#headEnd(bytes) : 0
    while (this.#count < upTo) {
      const step = groupAt(bytes, offset, this.#first + this.#count)
      if (step.kind !== 'group') break
      this.#takeGroup(step.group)
      offset = step.group.end
    }
    return offset
  }

  #headEnd(bytes: Buffer): number {
    const head = segmentHeadAt(bytes)
    if (head?.first !== this.#first) throw this.#damaged(0)
    return head.end
  }

  #takeGroup({ leaves, start, end }: Group): void {
    const first = this.#count
    const open = first % BUNDLE > 0 ? this.#bundles.at(-1) : undefined
    // The bundle before it goes on in this group.
    if (open !== undefined) open.end = this.#end + end
    for (const leaf of leaves) {
      if (this.#count % BUNDLE === 0)
        this.#bundles.push({ start: this.#end + start, end: this.#end + end, first })
      this.#push(leafHash(leaf))
    }
  }

  #push(hash: Uint8Array): void {
    const at = this.#count * SHA256_BYTES
    if (at === this.#hashes.length) {
      // By a quarter: with all that may wait to be sealed it stays below `LIMITS.rawHashBytes`.
      const count = Math.max(FIRST_HASHES, Math.ceil((this.#count * 5) / 4))
      const longer = Buffer.alloc(SHA256_BYTES * count)
      longer.set(this.#hashes)
      this.#hashes = longer
    }
    this.#hashes.set(hash, at)
    this.#count += 1
  }

  #damaged(at: number): Error {
    return corrupt(this.#path, `damaged at byte ${at}`)
  }
}

const FIRST_HASHES = 1_024
const WINDOW_BYTES = 1_024 * 1_024
/** No group of ours is longer (`group_commit.ts` ends one at 1 MiB and one entry more). */
const MOST_GROUP_BYTES = 16 * WINDOW_BYTES
