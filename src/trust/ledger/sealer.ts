import { setTimeout as later } from 'node:timers/promises'
import { Fault } from '#base/fault.ts'
import { errorCode } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import type { SegmentMark } from './load.ts'
import { placeOf } from './place_of.ts'
import { sealSegment, type SealParts } from './seal.ts'
import type { Space } from './space.ts'
import { TILE_BYTES } from './tile_path.ts'
import { writeTiles } from './tile_files.ts'
import { mendTiles } from './tile_mender.ts'
import type { TileRows } from './tile_rows.ts'

export interface SealerParts extends SealParts {
  readonly space: Space
  /** The tiles above the leaves, as the tree fills them. */
  readonly rows: TileRows
  /** True while this process has more to do than it can. */
  readonly isBusy: () => boolean
  onSealed(mark: SegmentMark): void
}

const LOOK_AGAIN_MS = 200

/**
 * Seals full segments one after another, beside the appending and mostly when there is little else to do. A segment that
 * cannot be sealed is kept as a problem and passed over: its raw file stays, and those behind it are sealed all the same.
 *
 * It also writes the tiles: those of leaves with the segment, and those above, of which there is one for 65,536 entries, as
 * soon as a checkpoint covers them: at a start they stand for the segments that wait.
 */
export class Sealer {
  readonly #parts: SealerParts
  #full: SegmentMark[] = []
  readonly #failed = new Map<SegmentMark, Failure>()
  #covered = 0
  #isStopped = false
  #work: Promise<void> | undefined
  #wake: (() => void) | undefined
  #tileProblem: string | undefined
  #isMended = false
  #isHurried = false
  #sealed = 0

  constructor(parts: SealerParts) {
    this.#parts = parts
  }

  /** What could not be sealed: the first such segment, and how many there are; else why tiles could not be written. */
  get problem(): string | undefined {
    const [first] = this.#failed
    if (first === undefined) return this.#tileProblem
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

  /**
   * As `sealUpTo`, without waiting for a quiet moment, for as long as `goOn` says. Gives how many segments it sealed, and how
   * many full ones are left.
   */
  async sealNow(
    size: number,
    goOn: () => boolean,
  ): Promise<{ readonly sealed: number; readonly waiting: number }> {
    const before = this.#sealed
    this.#isHurried = true
    this.#wake?.()
    this.sealUpTo(size)
    while (this.#work !== undefined && goOn()) await Promise.race([this.#work, later(LOOK_AGAIN_MS)])
    this.#isHurried = false
    return { sealed: this.#sealed - before, waiting: this.#full.length }
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
    await this.#writeTiles()
    do {
      for (let mark = this.#next(tried); mark !== undefined; mark = this.#next(tried)) {
        tried.add(mark)
        await this.#quiet()
        if (this.#isStopped) return
        await this.#seal(mark)
        await this.#writeTiles()
      }
      await this.#mend(tried)
    } while (this.#next(tried) !== undefined)
  }

  async #quiet(): Promise<void> {
    while (
      !this.#isStopped &&
      !this.#isHurried &&
      this.#waitingBytes <= LIMITS.unsealedBytes &&
      this.#parts.isBusy()
    ) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, LOOK_AGAIN_MS)
      this.#wake = resolve
      await promise
      clearTimeout(timer)
      await this.#writeTiles()
    }
  }

  /** The tiles above the leaves that a checkpoint covers. What fails is tried again with the next segment or checkpoint. */
  async #writeTiles(): Promise<void> {
    const { files, folder, rows, space } = this.#parts
    const tiles = rows.waiting(this.#covered)
    if (tiles.length === 0 || this.#isStopped) return
    await this.#keepProblem(async () => {
      await writeTiles(files, folder, tiles)
      rows.drop(tiles)
      space.add(tiles.length * TILE_BYTES)
    })
  }

  /** Looks once for tiles that are missing, as in a home from before there were any; what is to be sealed goes first. */
  async #mend(tried: ReadonlySet<SegmentMark>): Promise<void> {
    if (this.#isMended || this.#isStopped) return
    this.#isMended = true
    const goOn = async (): Promise<boolean> => {
      await this.#quiet()
      this.#isMended = !this.#isStopped && this.#next(tried) === undefined
      return this.#isMended
    }
    await this.#keepProblem(async () => {
      this.#parts.space.add((await mendTiles(this.#parts, goOn)) * TILE_BYTES)
    })
  }

  async #keepProblem(work: () => Promise<void>): Promise<void> {
    try {
      await work()
      this.#tileProblem = undefined
    } catch (thrown) {
      this.#tileProblem = `tiles cannot be written: ${failureOf(thrown).reason}`
    }
  }

  async #seal(mark: SegmentMark): Promise<void> {
    try {
      const sealed = await sealSegment(this.#parts, mark.first)
      const bytes = sealed.sealedBytes + sealed.tileBytes
      this.#parts.space.add(bytes - sealed.rawBytes)
      this.#full = this.#full.filter((each) => each !== mark)
      this.#failed.delete(mark)
      this.#sealed += 1
      this.#parts.onSealed({ ...mark, kind: 'sealed', bytes })
    } catch (thrown) {
      this.#failed.set(mark, failureOf(thrown))
    }
  }

  get #waitingBytes(): number {
    return this.#full.reduce((sum, { bytes }) => sum + bytes, 0)
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
