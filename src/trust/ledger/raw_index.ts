import { crc32 } from 'node:zlib'
import type { Files } from '#base/files.ts'
import { groupAt, isRoom, segmentHeadAt, type Group } from './raw_segment.ts'

/**
 * Says which groups of an active segment may hold an id. It follows the file as it grows and reads only what is new, a
 * window at a time. It keeps 8 bytes for each entry and for each group, so 2 MB for each 64 MiB of entries.
 */
export class RawIndex {
  readonly #files: Files
  readonly #path: string
  readonly #first: number
  #identity: string | undefined
  /** Bytes of whole groups that are in the index. */
  #end = 0
  /** Entries that are in the index. */
  #count = 0
  // Per entry: a hash of its id, and the number of its group. Per group: where it starts, and its first entry.
  #hashes = new NumberColumn()
  #groups = new NumberColumn()
  #starts = new NumberColumn()
  #firsts = new NumberColumn()

  constructor(files: Files, path: string, first: number) {
    this.#files = files
    this.#path = path
    this.#first = first
  }

  /** Bytes that it keeps. */
  get bytes(): number {
    return [this.#hashes, this.#groups, this.#starts, this.#firsts].reduce((sum, { bytes }) => sum + bytes, 0)
  }

  /** Takes in what the file has more than at the last call. */
  async follow(): Promise<'followed' | 'missing' | 'unreadable'> {
    const facts = await this.#files.facts(this.#path)
    if (facts === undefined) return 'missing'
    // Another file, or one that was cut, is read anew: a start cuts what a crash left, and shredding writes a new file.
    if (facts.identity !== this.#identity || facts.bytes < this.#end) this.#clear(facts.identity)
    let window = FIRST_BYTES
    while (this.#end < facts.bytes) {
      const bytes = Buffer.from(await this.#files.readRange(this.#path, this.#end, window))
      const taken = this.#take(bytes)
      if (taken === undefined) return 'unreadable'
      this.#end += taken
      if (isRoom(bytes, taken)) break
      // Nothing whole in it: a longer group, or one that is being written, or damage.
      if (taken > 0) window = WINDOW_BYTES
      else if (bytes.length < window || window >= GROUP_BYTES) break
      else window *= 2
    }
    return 'followed'
  }

  /** The groups that may hold the id, oldest first. */
  async groupsOf(id: string): Promise<readonly Group[]> {
    const hash = crc32(id)
    const numbers = new Set<number>()
    for (let at = this.#hashes.indexOf(hash, 0); at >= 0; at = this.#hashes.indexOf(hash, at + 1))
      numbers.add(this.#groups.at(at))
    const groups: Group[] = []
    for (const number of numbers) groups.push(...(await this.#read(number)))
    return groups
  }

  async #read(number: number): Promise<readonly Group[]> {
    const start = this.#starts.at(number)
    const end = number + 1 < this.#starts.length ? this.#starts.at(number + 1) : this.#end
    const bytes = Buffer.from(await this.#files.readRange(this.#path, start, end - start))
    const step = groupAt(bytes, 0, this.#first + this.#firsts.at(number))
    return step.kind === 'group' ? [step.group] : []
  }

  /** Takes in what stands whole in the bytes from the end of the index on, and gives how many that are. */
  #take(bytes: Buffer): number | undefined {
    const head = this.#end === 0 ? segmentHeadAt(bytes) : undefined
    if (this.#end === 0 && head?.first !== this.#first) return undefined
    let offset = head?.end ?? 0
    let step = groupAt(bytes, offset, this.#first + this.#count)
    for (; step.kind === 'group'; step = groupAt(bytes, offset, this.#first + this.#count)) {
      for (const leaf of step.group.leaves) {
        this.#hashes.push(hashOfId(leaf))
        this.#groups.push(this.#starts.length)
      }
      this.#starts.push(this.#end + offset)
      this.#firsts.push(this.#count)
      this.#count += step.group.leaves.length
      offset = step.group.end
    }
    return offset
  }

  #clear(identity: string): void {
    this.#identity = identity
    this.#end = 0
    this.#count = 0
    this.#hashes = new NumberColumn()
    this.#groups = new NumberColumn()
    this.#starts = new NumberColumn()
    this.#firsts = new NumberColumn()
  }
}

/** Mostly there is nothing new, or a few groups. */
const FIRST_BYTES = 16 * 1_024
const WINDOW_BYTES = 1_024 * 1_024
/** No group of ours is longer (`group_commit.ts` ends one at 1 MiB and one entry more). */
const GROUP_BYTES = 16 * WINDOW_BYTES
const ID_MEMBER = '"id":"'
const ID_CHARACTERS = 16

function hashOfId(leaf: Uint8Array): number {
  const bytes = Buffer.from(leaf.buffer, leaf.byteOffset, leaf.byteLength)
  const start = bytes.indexOf(ID_MEMBER) + ID_MEMBER.length
  return crc32(bytes.subarray(start, start + ID_CHARACTERS))
}

/** Numbers below 2^32, one after another, four bytes each. */
class NumberColumn {
  #numbers = new Uint32Array(1_024)
  #length = 0

  get length(): number {
    return this.#length
  }

  get bytes(): number {
    return this.#numbers.byteLength
  }

  at(index: number): number {
    return this.#numbers[index] ?? 0
  }

  push(value: number): void {
    if (this.#length === this.#numbers.length) {
      const longer = new Uint32Array(this.#length * 2)
      longer.set(this.#numbers)
      this.#numbers = longer
    }
    this.#numbers[this.#length] = value
    this.#length += 1
  }

  /** -1 when it is not there. */
  indexOf(value: number, from: number): number {
    const at = this.#numbers.indexOf(value, from)
    return at < this.#length ? at : -1
  }
}
