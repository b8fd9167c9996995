import { utf8 } from '#base/bytes.ts'
import { errorCode, isTemporary } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { peekCheckpoint, type Head } from '#trust/ledger/checkpoint.ts'
import {
  FILE,
  listSegments,
  segmentName,
  segmentPath,
  type OriginFolder,
  type SegmentFiles,
} from '#trust/ledger/layout.ts'
import { corrupt } from '#trust/ledger/load.ts'
import { sortOrigins } from '#trust/ledger/origin.ts'
import { scanSegment } from '#trust/ledger/raw_segment.ts'
import { readIfThere } from '#trust/ledger/segment_reader.ts'
import type { HomeCopy } from './home_copy.ts'

/** A checkpoint with its text. */
export interface CopiedHead {
  readonly head: Head
  readonly text: string
}

/**
 * Copies the logs of a home beside the process that appends to them, so that the copy opens: each with a checkpoint that
 * covers all that is sealed in it and nothing that is not there. Gives the checkpoint of the newest log; undefined when
 * there is none. Throws `ledger.corrupt`.
 */
export async function copyLedger(copy: HomeCopy): Promise<CopiedHead | undefined> {
  const { finished } = await sortOrigins(copy.files, `${copy.home}/ledger`)
  let newest: CopiedHead | undefined
  for (const { folder } of finished) newest = await new LogCopy(copy, folder).run()
  return newest
}

/** Copies one log. */
class LogCopy {
  readonly #copy: HomeCopy
  readonly #folder: OriginFolder
  /** First entries of segments whose copies are whole: nothing is appended to them any more. */
  readonly #done = new Set<number>()
  #entries = 0

  constructor(copy: HomeCopy, folder: OriginFolder) {
    this.#copy = copy
    this.#folder = folder
  }

  async run(): Promise<CopiedHead> {
    await this.#copySealed()
    // Before the checkpoint: what witnesses have cosigned must not be ahead of it.
    await this.#copyOthers()
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const checkpoint = await this.#checkpoint()
      // Read after the checkpoint, so that all it covers is there. What was sealed meanwhile needs a newer one.
      if (!(await this.#copyTail(checkpoint.head.size))) continue
      if (this.#entries < checkpoint.head.size)
        throw corrupt(`${this.#folder.path} entry ${this.#entries}`, 'the checkpoint covers more entries')
      await this.#copy.content(this.#pathOf(FILE.checkpoint), utf8(checkpoint.text))
      // After the checkpoint: keys are named before they sign.
      await this.#copy.file(this.#pathOf(FILE.origin))
      return checkpoint
    }
    throw corrupt(this.#folder.path, 'it is sealed faster than it can be copied')
  }

  async #copySealed(): Promise<void> {
    const { segments } = await listSegments(this.#copy.files, this.#folder)
    for (const segment of segments) if (!segment.parts.has('raw')) await this.#copyParts(segment)
  }

  async #copyOthers(): Promise<void> {
    const { files } = this.#copy
    const { segments } = await listSegments(files, this.#folder)
    const ofSegments = new Set(
      segments.flatMap(({ first, parts }) => [...parts].map((part) => segmentName(first, part))),
    )
    for (const name of await files.list(this.#folder.path))
      if (!ofSegments.has(name) && !isTemporary(name) && !SPECIAL.has(name))
        await this.#copy.plainFile(this.#pathOf(name))
  }

  async #checkpoint(): Promise<CopiedHead> {
    const path = `${this.#folder.path}/${FILE.checkpoint}`
    const bytes = await readIfThere(this.#copy.files, path, LIMITS.noteBytes)
    const text = bytes === undefined ? '' : Buffer.from(bytes).toString('utf8')
    const head = peekCheckpoint(text)
    if (head === undefined) throw corrupt(path, 'missing or damaged')
    return { head, text }
  }

  /** Copies what is not copied yet; false when a segment was sealed that a checkpoint of this size does not cover. */
  async #copyTail(size: number): Promise<boolean> {
    const { segments } = await listSegments(this.#copy.files, this.#folder)
    let isCovered = true
    for (const [at, segment] of segments.entries()) {
      const next = segments[at + 1]?.first
      if (this.#done.has(segment.first)) continue
      if (!segment.parts.has('raw')) {
        await this.#copyParts(segment)
        if ((next ?? 0) > size) isCovered = false
      } else if (!(await this.#copyRaw(segment.first, next === undefined))) return false
    }
    return isCovered
  }

  async #copyParts({ first, parts }: SegmentFiles): Promise<void> {
    for (const part of parts) await this.#copy.file(this.#pathOf(segmentName(first, part)))
    this.#done.add(first)
  }

  /** False when it was sealed before it could be read. */
  async #copyRaw(first: number, isLast: boolean): Promise<boolean> {
    const name = this.#pathOf(segmentName(first, 'raw'))
    if (isLast) return await this.#copyActive(first, name)
    try {
      await this.#copy.file(name)
      this.#done.add(first)
      return true
    } catch (thrown) {
      if (errorCode(thrown) === 'ENOENT') return false
      throw thrown
    }
  }

  /** Of the segment that is appended to, the groups that are whole. */
  async #copyActive(first: number, name: string): Promise<boolean> {
    const path = segmentPath(this.#folder, first, 'raw')
    for (let tries = 1; ; tries++) {
      const content = await readIfThere(this.#copy.files, path)
      if (content === undefined) return false
      const raw = scanSegment(content)
      if (raw === undefined) throw corrupt(path, 'the head of the segment is damaged')
      if (raw.ending.kind !== 'damaged') {
        this.#entries = first + raw.groups.reduce((sum, { leaves }) => sum + leaves.length, 0)
        await this.#copy.content(name, content.subarray(0, raw.bytes))
        return true
      }
      // What is written while it is read looks like damage once.
      if (tries >= MOST_READS)
        throw corrupt(`${path} entry ${raw.ending.entry}`, `damaged at byte ${raw.ending.at}`)
    }
  }

  #pathOf(name: string): string {
    return `ledger/${this.#folder.path.slice(`${this.#copy.home}/ledger/`.length)}/${name}`
  }
}

/** Those with a place of their own in the order, and tiles, which are made again from the entries. */
const SPECIAL: ReadonlySet<string> = new Set([FILE.checkpoint, FILE.origin, FILE.tile])
/** Each try but the first copies what was sealed within a second. */
const MOST_TRIES = 20
const MOST_READS = 4
