import type { SegmentMark } from './load.ts'
import { sealSegment, type SealParts } from './seal.ts'
import type { Space } from './space.ts'

export interface SealerParts extends SealParts {
  readonly space: Space
  onSealed(mark: SegmentMark): void
}

/** Seals full segments one after another, beside the appending. A failure is kept as state; the raw file stays. */
export class Sealer {
  readonly #parts: SealerParts
  #full: SegmentMark[] = []
  #problem: string | undefined
  #covered = 0
  #isStopped = false
  #work: Promise<void> | undefined

  constructor(parts: SealerParts) {
    this.#parts = parts
  }

  get problem(): string | undefined {
    return this.#problem
  }

  add(mark: SegmentMark): void {
    this.#full.push(mark)
  }

  /** Seals the full segments that a checkpoint of this size covers. */
  sealUpTo(size: number): void {
    this.#covered = size
    this.#work ??= this.#run().finally(() => (this.#work = undefined))
  }

  async settled(): Promise<void> {
    while (this.#work !== undefined) await this.#work
  }

  /** Lets the segment in work be finished and starts no other. */
  async close(): Promise<void> {
    this.#isStopped = true
    await this.settled()
  }

  async #run(): Promise<void> {
    for (let mark = this.#next(); mark !== undefined; mark = this.#next()) {
      try {
        const sealed = await sealSegment(this.#parts, mark.first)
        this.#parts.space.add(sealed.sealedBytes - sealed.rawBytes)
        this.#full = this.#full.filter((each) => each !== mark)
        this.#parts.onSealed({ ...mark, kind: 'sealed', bytes: sealed.sealedBytes })
        this.#problem = undefined
      } catch (thrown) {
        // The next checkpoint brings the next try.
        this.#problem = `segment ${mark.first} cannot be sealed: ${thrown instanceof Error ? thrown.message : 'unknown error'}`
        return
      }
    }
  }

  #next(): SegmentMark | undefined {
    if (this.#isStopped) return undefined
    return this.#full.find((mark) => mark.first + mark.count <= this.#covered)
  }
}
