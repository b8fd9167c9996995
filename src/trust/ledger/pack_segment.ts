import { setImmediate as nextTurn } from 'node:timers/promises'
import { concat, sameBytes } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { BUNDLE } from './bundle.ts'
import { parseLeaf } from './leaf.ts'
import { rootOf } from './merkle.ts'
import { idsIn, joinLines, NEWLINE } from './packed_text.ts'
import { openPack, packLeaves } from './packing.ts'
import { groupAt, groupPlace, segmentHeadAt, type Group } from './raw_segment.ts'
import { closeSegmentSidecar, openSegmentRecords, segmentPlace } from './sealed_sidecar.ts'
import type { SidecarBox } from './sidecar.ts'

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
}

/**
 * Makes the sealed files of a segment and reads them back. It gives other work a turn after every bundle, so that no
 * request waits longer than for a millisecond or two. Throws `ledger.corrupt` where anything does not agree.
 */
export async function packSegment(task: PackTask): Promise<PackedSegment> {
  const { first, place, box } = task
  const { at, count, text, ids, tiles, records } = await openAll(task)
  if (count === 0 || count % BUNDLE !== 0) throw unsealable(place, 'not whole bundles')
  const leaves = await packLeaves({ first, at, count, text, ids, tiles })
  if (!isSame(await openPack(leaves), text)) throw unsealable(place, 'does not pack')
  const boxPlace = segmentPlace(first, count, tiles)
  const sidecar = await closeSegmentSidecar(box, boxPlace, records)
  if (!isSame(await openSegmentRecords(box, boxPlace, sidecar), records))
    throw unsealable(place, 'its sidecar does not pack')
  return { count, leaves, sidecar }
}

interface Opened {
  /** Time of the first entry. */
  readonly at: number
  readonly count: number
  readonly text: Uint8Array
  readonly ids: ReadonlySet<string>
  readonly tiles: readonly Uint8Array[]
  /** The records of all entries, one after another. */
  readonly records: Uint8Array
}

async function openAll({ content, place, origin, first, box }: PackTask): Promise<Opened> {
  const bytes = Buffer.from(content.buffer, content.byteOffset, content.byteLength)
  const head = segmentHeadAt(bytes)
  if (head?.origin !== origin || head.first !== first) throw unsealable(place, 'not whole')
  const lines = new Lines()
  const records: Uint8Array[] = []
  let end = head.end
  for (
    let step = groupAt(bytes, end, first);
    step.kind === 'group';
    step = groupAt(bytes, end, first + lines.count)
  ) {
    const at = groupPlace(first, step.group)
    const opened = box.open(step.group.sealed, at)
    if (opened === undefined) throw unsealable(place, 'a sidecar does not open')
    records.push(opened)
    end = step.group.end
    if (!lines.add(step.group, at.hashes)) throw unsealable(place, 'does not pack')
    if (lines.takeBundles()) await nextTurn()
  }
  if (end !== bytes.length) throw unsealable(place, 'not whole')
  return { ...lines.finish(), records: concat(...records) }
}

/** Leaves on their way into a text, a few bundles at a time. */
class Lines {
  readonly #texts: Uint8Array[] = []
  readonly #ids = new Set<string>()
  readonly #tiles: Uint8Array[] = []
  #leaves: Uint8Array[] = []
  #hashes: Uint8Array[] = []
  #at = 0
  count = 0

  /** False for a leaf that would come back as two. */
  add({ leaves }: Group, hashes: readonly Uint8Array[]): boolean {
    const [firstLeaf] = leaves
    if (this.count === 0 && firstLeaf !== undefined) this.#at = Number(parseLeaf(firstLeaf)['at'])
    for (const leaf of leaves) this.#leaves.push(leaf)
    for (const hash of hashes) this.#hashes.push(hash)
    this.count += leaves.length
    return leaves.every((leaf) => !leaf.includes(NEWLINE))
  }

  /** Takes in what are whole bundles; false when there is none. */
  takeBundles(): boolean {
    const whole = this.#leaves.length - (this.#leaves.length % BUNDLE)
    if (whole === 0) return false
    for (let start = 0; start < whole; start += BUNDLE)
      this.#tiles.push(rootOf(this.#hashes.slice(start, start + BUNDLE)))
    const text = joinLines(this.#leaves.slice(0, whole))
    for (const id of idsIn(text)) this.#ids.add(id)
    this.#texts.push(text)
    this.#leaves = this.#leaves.slice(whole)
    this.#hashes = this.#hashes.slice(whole)
    return true
  }

  finish(): Omit<Opened, 'records'> {
    const { count } = this
    return { at: this.#at, count, text: concat(...this.#texts), ids: this.#ids, tiles: this.#tiles }
  }
}

function isSame(left: Uint8Array | undefined, right: Uint8Array): boolean {
  return left !== undefined && sameBytes(left, right)
}

function unsealable(place: string, what: string): Fault {
  return new Fault('ledger.corrupt', { place, what })
}
