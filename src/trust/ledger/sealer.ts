import { Fault } from '#base/fault.ts'
import { errorCode } from '#base/files.ts'
import type { SegmentMark } from './load.ts'
import { placeOf } from './place_of.ts'
import { sealSegment, type SealParts } from './seal.ts'
import type { Space } from './space.ts'

export interface SealerParts extends SealParts {
  readonly space: Space
  /** True while this process has more to do than it can. */
  readonly isBusy: () => boolean
  onSealed(mark: SegmentMark): void
}

/** As many full segments wait for a quiet moment; with more of them, sealing goes on whatever else there is to do. */
const WAITING_MAX = 16
const LOOK_AGAIN_MS = 200

/**
 * Seals full segments one after another, beside the appending and mostly when there is little else to do. A segment that cannot be sealed is kept as a problem and
 * passed over: its raw file stays, and those behind it are sealed all the same.
 */
export class Sealer {
  readonly #parts: SealerParts
  #full: SegmentMark[] = []
  readonly #failed = new Map<SegmentMark, Failure>()
  #covered = 0
  #isStopped = false
  #work: Promise<void> | undefined
  #wake: (() => void) | undefined

  constructor(parts: SealerParts) {
    this.#parts = parts
  }

  /** What could not be sealed: the first such segment, and how many there are. */
  get problem(): string | undefined {
    const [first] = this.#failed
    if (first === undefined) return undefined
    const others = this.#failed.size - 1
    return `segment ${first[0].first} cannot be sealed: ${first[1].reason}${others > 0 ? `; and ${others} more` : ''}`
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
    this.#wake?.()
    await this.settled()
  }

  async #run(): Promise<void> {
    const tried = new Set<SegmentMark>()
    for (let mark = this.#next(tried); mark !== undefined; mark = this.#next(tried)) {
      tried.add(mark)
      await this.#quiet()
      if (this.#isStopped) return
      await this.#seal(mark)
    }
  }

  async #quiet(): Promise<void> {
    while (!this.#isStopped && this.#full.length <= WAITING_MAX && this.#parts.isBusy()) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, LOOK_AGAIN_MS)
      this.#wake = resolve
      await promise
      clearTimeout(timer)
    }
  }

  async #seal(mark: SegmentMark): Promise<void> {
    try {
      const sealed = await sealSegment(this.#parts, mark.first)
      this.#parts.space.add(sealed.sealedBytes - sealed.rawBytes)
      this.#full = this.#full.filter((each) => each !== mark)
      this.#failed.delete(mark)
      this.#parts.onSealed({ ...mark, kind: 'sealed', bytes: sealed.sealedBytes })
    } catch (thrown) {
      this.#failed.set(mark, failureOf(thrown))
    }
  }

  #next(tried: ReadonlySet<SegmentMark>): SegmentMark | undefined {
    if (this.#isStopped) return undefined
    return this.#full.find(
      (mark) =>
        mark.first + mark.count <= this.#covered &&
        !tried.has(mark) &&
        this.#failed.get(mark)?.isLasting !== true,
    )
  }
}

interface Failure {
  readonly reason: string
  /** True where the content is bad: another try would only read it again. Else the next checkpoint brings the next try. */
  readonly isLasting: boolean
}

function failureOf(thrown: unknown): Failure {
  if (thrown instanceof Fault && thrown.code === 'ledger.corrupt')
    return { reason: placeOf(thrown).what, isLasting: true }
  return { reason: errorCode(thrown) ?? 'unknown error', isLasting: false }
}
