import { randomBytes } from '#base/crypto.ts'
import type { Clock } from '#base/clock.ts'
import { writeAtomic, type Files } from '#base/files.ts'
import { FILE } from './layout.ts'
import { tileFiles } from './tile_files.ts'
import { TILE_BYTES } from './tile_path.ts'

export interface SpaceOptions {
  readonly files: Files
  readonly directory: string
  readonly clock: Clock
  /** Most bytes of the ledger folder; undefined leaves only the disk as the limit. */
  readonly maxBytes: number | undefined
  /** The last bytes, of `maxBytes` and of the disk, which only reserved entries may use. */
  readonly reserveBytes: number
  /** Bytes in the ledger folder at the start. */
  readonly usedBytes: number
}

/**
 * The disk space of the ledger. A file of `reserveBytes` stands in the folder; when the disk is full it is removed so
 * that admin and key acts can still be recorded, and it comes back once there is room.
 */
export class Space {
  readonly #options: SpaceOptions
  #used: number
  #free: number | undefined
  #isFull = false
  #hasReserve = false
  #measuredAt = Number.NEGATIVE_INFINITY
  #work: Promise<void> = Promise.resolve()

  constructor(options: SpaceOptions) {
    this.#options = options
    this.#used = options.usedBytes
  }

  get usedBytes(): number {
    return this.#used
  }

  get freeBytes(): number | undefined {
    return this.#free
  }

  /** Bytes that ordinary entries may still use; undefined while the disk has not been measured and nothing caps it. */
  get leftBytes(): number | undefined {
    const { maxBytes, reserveBytes } = this.#options
    const lefts = [maxBytes === undefined ? undefined : maxBytes - this.#used, this.#free]
    const known = lefts.filter((left) => left !== undefined)
    return known.length === 0 ? undefined : Math.max(0, Math.min(...known) - reserveBytes)
  }

  /** Bytes that may be taken before they are needed, beside so many that are needed now. */
  spareBeside(bytes: number): number {
    return this.#isFull ? 0 : Math.max(0, (this.leftBytes ?? 0) - bytes)
  }

  /** Why this many more bytes may not be written; undefined when they may. */
  refusal(bytes: number, reserved: boolean): string | undefined {
    const { maxBytes, reserveBytes } = this.#options
    const cap = maxBytes === undefined || reserved ? maxBytes : maxBytes - reserveBytes
    if (cap !== undefined && this.#used + bytes > cap) return 'the ledger has reached its largest size'
    return this.#isFull && !reserved ? 'the disk is full' : undefined
  }

  add(bytes: number): void {
    this.#used += bytes
  }

  /** True when only reserved entries may be written. */
  get isFull(): boolean {
    return this.#isFull
  }

  /** Notes that the disk refused a write. */
  markFull(): void {
    this.#isFull = true
  }

  /** Gives up the reserve for the sake of reserved entries; false when there was none left. */
  async releaseReserve(): Promise<boolean> {
    if (!this.#hasReserve) return false
    this.#hasReserve = false
    await this.#options.files.unlink(this.#reservePath)
    return true
  }

  /** Measures the disk at most once a second, beside the work of the caller. */
  measureLater(): void {
    const now = this.#options.clock.monotonic()
    if (now - this.#measuredAt < MEASURE_MS) return
    this.#measuredAt = now
    this.#work = this.#work.then(() => this.#measure())
  }

  /** Resolves when nothing is being measured or written. */
  settled(): Promise<void> {
    return this.#work
  }

  async #measure(): Promise<void> {
    const { files, directory, reserveBytes } = this.#options
    try {
      this.#hasReserve = (await files.facts(this.#reservePath))?.bytes === reserveBytes
      this.#free = await files.freeBytes(directory)
      const margin = Math.max(reserveBytes, MARGIN_BYTES)
      if (!this.#hasReserve && this.#free >= reserveBytes + margin) await this.#makeReserve()
      this.#isFull = !this.#hasReserve || this.#free < margin
    } catch {
      // A disk that cannot even be measured or take the reserve is treated as full until the next look.
      this.#isFull = true
    }
  }

  async #makeReserve(): Promise<void> {
    const { files, reserveBytes } = this.#options
    // Random bytes: zeros would take no room on disks that compress or leave holes.
    const block = randomBytes(Math.min(reserveBytes, BLOCK_BYTES))
    const bytes = Buffer.alloc(reserveBytes)
    for (let at = 0; at < reserveBytes; at += block.length)
      bytes.set(block.subarray(0, reserveBytes - at), at)
    await writeAtomic(files, this.#reservePath, bytes)
    this.#hasReserve = true
    this.#free = await files.freeBytes(this.#options.directory)
  }

  get #reservePath(): string {
    return `${this.#options.directory}/${FILE.reserve}`
  }
}

const MEASURE_MS = 1_000
/** Room that is left even without a reserve: for the next checkpoint and the files beside the ledger. */
const MARGIN_BYTES = 64 * 1_024
const BLOCK_BYTES = 64 * 1_024

/** Bytes of all files in the ledger folder but the reserve. */
export async function usedBytes(files: Files, directory: string): Promise<number> {
  let used = 0
  for (const name of await files.list(directory)) {
    if (name === FILE.reserve) continue
    const path = `${directory}/${name}`
    const inside = await files.list(path).catch(() => [])
    for (const each of inside)
      used +=
        each === FILE.tile
          ? await tileBytes(files, path)
          : ((await files.facts(`${path}/${each}`))?.bytes ?? 0)
  }
  return used
}

/** Tiles are all as long as each other, and too many to look at each. */
async function tileBytes(files: Files, path: string): Promise<number> {
  let count = 0
  for await (const file of tileFiles(files, { path })) if (file !== '') count += 1
  return count * TILE_BYTES
}
