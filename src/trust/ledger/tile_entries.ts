import { setImmediate as nextTurn } from 'node:timers/promises'
import { SHA256_BYTES } from '#base/crypto.ts'
import { errorCode, type Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { BUNDLE } from './bundle.ts'
import { listSegments, segmentPath, type OriginFolder } from './layout.ts'
import { corrupt } from './load.ts'
import { leafHash, rootOf } from './merkle.ts'
import { openSealed, readIfThere, readPackedHead } from './segment_reader.ts'
import { RawTail } from './tile_raw_tail.ts'

interface Segment {
  readonly first: number
  /** The first entry of the segment behind it; infinite for the last. */
  readonly end: number
}

/**
 * The entries of a log and what follows from them, by bundle, from its segments; nothing of it is proven. One caller at a
 * time. It keeps what the last questions needed: one sealed segment unpacked, and of raw ones the hashes of their leaves.
 */
export class TileEntries {
  readonly #files: Files
  readonly #folder: OriginFolder
  readonly #mostBytes: number
  #segments: readonly Segment[] = []
  readonly #tails = new Map<number, RawTail>()
  #signed = 0
  #unpacked: { readonly first: number; readonly leaves: readonly Uint8Array[] } | undefined
  #head: { readonly first: number; readonly tiles: readonly Uint8Array[] } | undefined

  /** `mostBytes`: of hashes that it keeps; those of the raw segment that is asked for it keeps, however many. */
  constructor(files: Files, folder: OriginFolder, mostBytes = LIMITS.rawHashBytes) {
    this.#files = files
    this.#folder = folder
    this.#mostBytes = mostBytes
  }

  /** From now on so many entries are signed; nothing behind them is ever looked at. */
  grow(signed: number): void {
    this.#signed = Math.max(this.#signed, signed)
  }

  /** The first `width` entries of a bundle. Throws `ledger.corrupt` where they cannot be read. */
  async leaves(bundle: number, width: number): Promise<readonly Uint8Array[]> {
    return await this.#inSegment(bundle, {
      raw: async (tail, at) => await tail.leaves(at, width),
      sealed: async ({ first }, at) => (await this.#unpack(first)).slice(at, at + width),
    })
  }

  /** The hashes of the first `width` entries of a bundle, one after another. Throws as `leaves`. */
  async hashes(bundle: number, width: number): Promise<Uint8Array> {
    return await this.#inSegment(bundle, {
      raw: async (tail, at) => tail.hashes(at, width),
      sealed: async ({ first }, at) => {
        const leaves = (await this.#unpack(first)).slice(at, at + width)
        return Buffer.concat(leaves.map(leafHash))
      },
    })
  }

  /** The hash of a whole bundle. Throws as `leaves`. */
  async root(bundle: number): Promise<Uint8Array> {
    return await this.#inSegment(bundle, {
      raw: async (tail, at) => rootOf(hashesIn(tail.hashes(at, BUNDLE))),
      sealed: async ({ first }, at) => {
        const root = (await this.#headOf(first))[at / BUNDLE]
        if (root === undefined) throw this.#unreadable(first)
        return root
      },
    })
  }

  /** Asks the segment that holds a bundle: as raw, or where there is no such file, or none any more, as sealed. */
  async #inSegment<Result>(
    bundle: number,
    ask: {
      readonly raw: (tail: RawTail, at: number) => Promise<Result>
      readonly sealed: (segment: Segment, at: number) => Promise<Result>
    },
  ): Promise<Result> {
    const index = bundle * BUNDLE
    const segment = await this.#segmentOf(index)
    const at = index - segment.first
    try {
      return await ask.raw(await this.#tailOf(segment), at)
    } catch (thrown) {
      if (errorCode(thrown) !== 'ENOENT') throw thrown
    }
    this.#tails.delete(segment.first)
    return await ask.sealed(segment, at)
  }

  async #segmentOf(index: number): Promise<Segment> {
    const known = find(this.#segments, index)
    // The last one that is known may have ended since.
    if (known !== undefined && known.end < Infinity) return known
    const { segments } = await listSegments(this.#files, this.#folder)
    this.#segments = segments.map(({ first }, at) => ({ first, end: segments[at + 1]?.first ?? Infinity }))
    const found = find(this.#segments, index)
    if (found === undefined) throw corrupt(`${this.#folder.path} entry ${index}`, 'missing')
    return found
  }

  /** Throws ENOENT when there is no raw file. */
  async #tailOf({ first, end }: Segment): Promise<RawTail> {
    const path = segmentPath(this.#folder, first, 'raw')
    const tail = this.#tails.get(first) ?? new RawTail(this.#files, path, first)
    await tail.follow(Math.min(this.#signed, end) - first)
    // The one that was used last stands at the end.
    this.#tails.delete(first)
    this.#tails.set(first, tail)
    let bytes = [...this.#tails.values()].reduce((sum, each) => sum + each.bytes, 0)
    for (const [oldest, each] of this.#tails) {
      if (bytes <= this.#mostBytes || oldest === first) break
      this.#tails.delete(oldest)
      bytes -= each.bytes
    }
    return tail
  }

  async #unpack(first: number): Promise<readonly Uint8Array[]> {
    if (this.#unpacked?.first === first) return this.#unpacked.leaves
    const bytes = await readIfThere(this.#files, segmentPath(this.#folder, first, 'leaves'))
    const leaves = bytes && (await openSealed(bytes))?.leaves
    if (leaves === undefined) throw this.#unreadable(first)
    this.#unpacked = { first, leaves }
    await nextTurn()
    return leaves
  }

  async #headOf(first: number): Promise<readonly Uint8Array[]> {
    if (this.#head?.first === first) return this.#head.tiles
    const head = await readPackedHead(this.#files, segmentPath(this.#folder, first, 'leaves'))
    if (head?.first !== first) throw this.#unreadable(first)
    this.#head = { first, tiles: head.tiles }
    return head.tiles
  }

  #unreadable(first: number): Error {
    return corrupt(segmentPath(this.#folder, first, 'leaves'), 'cannot be read')
  }
}

/** The hashes that stand one after another. */
export function* hashesIn(bytes: Uint8Array): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at < bytes.length; at += SHA256_BYTES) yield bytes.subarray(at, at + SHA256_BYTES)
}

/** The segment that holds an entry, of segments in order. */
function find(segments: readonly Segment[], index: number): Segment | undefined {
  return segments.findLast(({ first }) => first <= index)
}
