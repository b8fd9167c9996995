import { setImmediate as nextTurn } from 'node:timers/promises'
import { concat, release, sameBytes } from '#base/bytes.ts'
import { SHA256_BYTES } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import { BUNDLE } from './bundle.ts'
import { parseLeaf } from './leaf.ts'
import { CompactRange } from './merkle.ts'
import { addIds, NEWLINE } from './packed_text.ts'
import { openPack, packLeaves } from './packing.ts'
import { groupAt, groupPlace, segmentHeadAt, writtenUpTo, type Group } from './raw_segment.ts'
import { closeSegmentSidecar, openSegmentRecords, segmentPlace } from './sealed_sidecar.ts'
import type { SidecarBox } from './sidecar.ts'
import { TILE_BYTES } from './tile_path.ts'

export interface PackTask {
  /** The whole raw file. */
  readonly content: Uint8Array
  /** Its path, for messages. */
  readonly place: string
  readonly origin: string
  readonly first: number
  readonly box: SidecarBox
}

/** The content of the two files of a sealed segment. */
export interface PackedSegment {
  readonly count: number
  readonly leaves: Uint8Array
  readonly sidecar: Uint8Array
  /** The hashes of the leaves of each bundle, one after another: what is in the tile of each. */
  readonly hashes: readonly Uint8Array[]
}

/**
 * Makes the sealed files of a segment and reads them back. It gives other work a turn after every bundle and between the
 * steps that take all of it at once, so that no request waits longer than for a millisecond or two. Throws
 * `ledger.corrupt` where anything does not agree.
 */
export async function packSegment(task: PackTask): Promise<PackedSegment> {
  const { first, place, box } = task
  const { at, count, text, ids, tiles, hashes, records } = await openAll(task)
  if (count === 0 || count % BUNDLE !== 0) throw unsealable(place, 'not whole bundles')
  await nextTurn()
  const leaves = await packLeaves({ first, at, count, text, ids, tiles })
  if (!isSame(await openPack(leaves), text)) throw unsealable(place, 'does not pack')
  release(text)
  const boxPlace = segmentPlace(first, count, tiles)
  const sidecar = await closeSegmentSidecar(box, boxPlace, records)
  await nextTurn()
  if (!isSame(await openSegmentRecords(box, boxPlace, sidecar, records.length), records))
    throw unsealable(place, 'its sidecar does not pack')
  release(records)
  return { count, leaves, sidecar, hashes }
}

interface Opened {
  /** Time of the first entry. */
  readonly at: number
  readonly count: number
  readonly text: Uint8Array
  readonly ids: ReadonlySet<string>
  readonly tiles: readonly Uint8Array[]
  readonly hashes: readonly Uint8Array[]
  /** The records of all entries, one after another. */
  readonly records: Uint8Array
}

async function openAll({ content, place, origin, first, box }: PackTask): Promise<Opened> {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  const head = segmentHeadAt(bytes)
  if (head?.origin !== origin || head.first !== first) throw unsealable(place, 'not whole')
  const lines = new Lines(bytes.length)
  const records: Uint8Array[] = []
  let end = head.end
  for (
    let step = groupAt(bytes, end, first);
    step.kind === 'group';
    step = groupAt(bytes, end, first + lines.count)
  ) {
    const { bundles } = lines
    const at = groupPlace(first, step.group)
    const opened = box.open(step.group.sealed, at)
    if (opened === undefined) throw unsealable(place, 'a sidecar does not open')
    records.push(opened)
    end = step.group.end
    if (!lines.add(step.group, at.hashes)) throw unsealable(place, 'does not pack')
    if (lines.bundles > bundles) await nextTurn()
  }
  if (writtenUpTo(bytes, end) !== end) throw unsealable(place, 'not whole')
  return { ...lines.finish(), records: concat(...records) }
}

/** Leaves on their way into a text. */
class Lines {
  readonly #text: Buffer
  readonly #ids = new Set<string>()
  readonly #tiles: Uint8Array[] = []
  /** Of each bundle in one piece: thousands of small ones would live long enough to be moved about by the collector. */
  readonly #hashes: Uint8Array[] = []
  #bundle = new CompactRange()
  #end = 0
  #at = 0
  count = 0

  /** `most`: bytes of the raw file, in which each leaf takes more than its line does. */
  constructor(most: number) {
    this.#text = Buffer.allocUnsafe(most)
  }

  /** Whole bundles so far. */
  get bundles(): number {
    return this.#tiles.length
  }

  /** False for a leaf that would come back as two. */
  add({ leaves }: Group, hashes: readonly Uint8Array[]): boolean {
    const [firstLeaf] = leaves
    if (this.count === 0 && firstLeaf !== undefined) this.#at = Number(parseLeaf(firstLeaf)['at'])
    const start = this.#end
    for (const leaf of leaves) {
      if (leaf.includes(NEWLINE)) return false
      this.#text.set(leaf, this.#end)
      this.#end += leaf.length
      this.#text[this.#end++] = NEWLINE
    }
    addIds(this.#text.subarray(start, this.#end), this.#ids)
    for (const hash of hashes) this.#hash(hash)
    this.count += leaves.length
    return true
  }

  #hash(hash: Uint8Array): void {
    if (this.#bundle.size === 0) this.#hashes.push(new Uint8Array(TILE_BYTES))
    this.#hashes.at(-1)?.set(hash, this.#bundle.size * SHA256_BYTES)
    this.#bundle.append(hash)
    if (this.#bundle.size < BUNDLE) return
    this.#tiles.push(this.#bundle.root())
    this.#bundle = new CompactRange()
  }

  finish(): Omit<Opened, 'records'> {
    const text = this.#text.subarray(0, this.#end)
    return {
      at: this.#at,
      count: this.count,
      text,
      ids: this.#ids,
      tiles: this.#tiles,
      hashes: this.#hashes,
    }
  }
}

/** Whether what was packed comes back; it is not looked at again. */
function isSame(unpacked: Uint8Array | undefined, before: Uint8Array): boolean {
  if (unpacked === undefined) return false
  const isEqual = sameBytes(unpacked, before)
  release(unpacked)
  return isEqual
}

function unsealable(place: string, what: string): Fault {
  return new Fault('ledger.corrupt', { place, what })
}
