import { utf8 } from '#base/bytes.ts'
import type { Clock, Millis } from '#base/clock.ts'
import { errorCode, folderOf } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import type { OutsideFiles } from '#base/outside_files.ts'
import { readCopy, reasonToKeep, type AnchorLog } from './anchor_file.ts'
import type { AnchorPlace, AnchorPlaces } from './anchor_places.ts'
import type { Head } from './checkpoint.ts'
import { NO_PROBLEM, outage, type HolderProblem, type HolderState } from './contradiction.ts'

/** A copy of the newest checkpoint that is kept outside the ledger folder. */
export interface Anchor extends HolderState {
  readonly path: string
  /** Entries that the copy covers; undefined before the first was written. */
  readonly size: number | undefined
  /** When it was written. */
  readonly at: Millis | undefined
  /** True where it is on the disk of the ledger; undefined where nobody knows. */
  readonly isNear: boolean | undefined
}

export interface AnchorCopierParts {
  /** The files. */
  readonly anchors: readonly string[]
  /** What they held at the start and was compared with the log, by path. */
  readonly copies: ReadonlyMap<string, string>
  readonly outside: OutsideFiles
  readonly places: AnchorPlaces
  /** The folder of the log. */
  readonly folder: string
  readonly clock: Clock
  readonly isOurs: () => boolean
  readonly newest: () => { readonly head: Head; readonly text: string }
  readonly keys: () => AnchorLog['keys']
  readonly rootAt: AnchorLog['rootAt']
}

/** Of an anchor that holds no copy that could be counted on. */
const NOTHING_THERE = { size: undefined, at: undefined } as const

/**
 * Brings the newest checkpoint into the files of anchors, beside everything else: nobody waits for it. One call is under way
 * at a time and only the newest checkpoint waits. An anchor that does not answer is left alone for a while, so that it holds
 * up the others no more than once in that time.
 */
export class AnchorCopier {
  readonly #parts: AnchorCopierParts
  readonly #anchors: Map<string, Anchor>
  /** What they hold, as far as that is known to be of this log, by path. */
  readonly #copies: Map<string, string>
  readonly #rests = new Map<string, Rest>()
  #isDue = false
  #isClosed = false
  #work: Promise<void> | undefined

  constructor(parts: AnchorCopierParts) {
    this.#parts = parts
    this.#copies = new Map(parts.copies)
    const unknown = { ...NOTHING_THERE, ...NO_PROBLEM, isNear: undefined }
    this.#anchors = new Map(parts.anchors.map((path) => [path, { path, ...unknown }]))
  }

  get anchors(): readonly Anchor[] {
    return [...this.#anchors.values()]
  }

  /** There may be a newer checkpoint. */
  due(): void {
    this.#isDue = !this.#isClosed && this.#anchors.size > 0
    if (!this.#isDue || this.#work !== undefined) return
    this.#work = this.#run().finally(() => {
      this.#work = undefined
      if (this.#isDue) this.due()
    })
  }

  async settled(): Promise<void> {
    while (this.#work !== undefined) await this.#work
  }

  /** Gives the last checkpoint its time to get there, and ends what is under way then. */
  async close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, LIMITS.anchorCloseMs)
    await Promise.race([this.settled(), promise])
    clearTimeout(timer)
    this.#isClosed = true
    this.#isDue = false
    this.#parts.outside.close()
  }

  async #run(): Promise<void> {
    while (this.#isDue) {
      this.#isDue = false
      for (const anchor of this.anchors)
        if (anchor.size !== this.#parts.newest().head.size && !this.#isResting(anchor))
          await this.#copy(anchor)
    }
  }

  async #copy({ path }: Anchor): Promise<void> {
    try {
      await this.#copyTo(path)
      this.#rests.delete(path)
    } catch (thrown) {
      this.#set(path, outage(this.#sayFailure(path, errorCode(thrown))))
    }
  }

  async #copyTo(path: string): Promise<void> {
    const { outside, places, clock, isOurs, newest, keys, rootAt } = this.#parts
    const place = await this.#placeOf(path)
    const text = await this.#read(path)
    if (typeof text === 'object') return this.#keep(path, text)
    const checkpoint = newest()
    const log = { keys: keys(), newest: checkpoint.head, rootAt }
    const moved = places.problem(path, { ...place, isThere: text !== undefined })
    const reason = moved === undefined ? await reasonToKeep(text, this.#copies.get(path), log) : outage(moved)
    if (reason !== undefined) return this.#keep(path, reason)
    // Asked again: reading takes long enough for the home to go to another process.
    if (this.#isClosed || !isOurs()) return
    await outside.replace(path, utf8(checkpoint.text))
    this.#copies.set(path, checkpoint.text)
    const { size } = checkpoint.head
    this.#set(path, { size, at: clock.now(), ...NO_PROBLEM })
    await places.note(path, place)
  }

  async #placeOf(path: string): Promise<Omit<AnchorPlace, 'isThere'>> {
    const { outside, folder } = this.#parts
    const device = await outside.deviceOf(folderOf(path))
    const here = await outside.deviceOf(folder)
    const isNear = device === undefined || here === undefined ? undefined : device === here
    this.#set(path, { isNear })
    return { device, here }
  }

  async #read(path: string): Promise<string | undefined | HolderProblem> {
    try {
      return await readCopy(this.#parts.outside, path)
    } catch (thrown) {
      const code = errorCode(thrown)
      if (code === TIMED_OUT) throw thrown
      return outage(`cannot be read, so it is not replaced: ${code ?? 'unknown error'}`)
    }
  }

  /** What was put there is not to be counted on. */
  #keep(path: string, problem: HolderProblem): void {
    this.#set(path, { ...NOTHING_THERE, ...problem })
  }

  #set(path: string, more: Partial<Anchor>): void {
    const anchor = this.#anchors.get(path)
    if (anchor !== undefined) this.#anchors.set(path, { ...anchor, ...more })
  }

  #isResting({ path }: Anchor): boolean {
    return this.#parts.clock.monotonic() < (this.#rests.get(path)?.until ?? 0)
  }

  #sayFailure(path: string, code: string | undefined): string {
    if (code !== TIMED_OUT) return `cannot be written: ${code ?? 'unknown error'}`
    const restMs = Math.min(
      2 * (this.#rests.get(path)?.restMs ?? LIMITS.anchorCallMs / 2),
      LIMITS.anchorRestMs,
    )
    this.#rests.set(path, { restMs, until: this.#parts.clock.monotonic() + restMs })
    return `does not answer in ${LIMITS.anchorCallMs} ms`
  }
}

interface Rest {
  readonly restMs: number
  /** Of the clock that never goes back. */
  readonly until: Millis
}

const TIMED_OUT = 'ETIMEDOUT'
