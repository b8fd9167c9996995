import { utf8 } from '#base/bytes.ts'
import type { Clock } from '#base/clock.ts'
import { errorCode, writeAtomic, type Files } from '#base/files.ts'
import { signCheckpoint, type Head } from './checkpoint.ts'
import { FILE, type OriginFolder } from './layout.ts'
import type { CompactRange } from './merkle.ts'
import type { NoteSigner } from './note.ts'

/** A copy of the newest checkpoint that is kept outside the ledger folder. */
export interface Anchor {
  readonly path: string
  /** Entries that the copy covers; undefined before the first was written. */
  readonly size: number | undefined
  /** Why the last copy failed. */
  readonly problem: string | undefined
}

export interface CheckpointerParts {
  readonly files: Files
  readonly folder: OriginFolder
  readonly signer: NoteSigner
  /** The tree of what is on disk. */
  readonly range: CompactRange
  readonly clock: Clock
  readonly everyMs: number
  readonly anchors: readonly string[]
  readonly newest: { readonly head: Head; readonly text: string }
  readonly isOurs: () => boolean
  onSigned(size: number): void
}

/**
 * Signs the head of the log: at most once per `everyMs` while entries come, and on demand. A failure is kept as state
 * and tried again; it does not stop the log, which is as durable as before.
 */
export class Checkpointer {
  readonly #parts: CheckpointerParts
  readonly #anchors: Map<string, Anchor>
  #newest: { readonly head: Head; readonly text: string }
  #problem: string | undefined
  #signedAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> = Promise.resolve()

  constructor(parts: CheckpointerParts) {
    this.#parts = parts
    this.#newest = parts.newest
    this.#anchors = new Map(
      parts.anchors.map((path) => [path, { path, size: undefined, problem: undefined }]),
    )
  }

  get newest(): { readonly head: Head; readonly text: string } {
    return this.#newest
  }

  get problem(): string | undefined {
    return this.#problem
  }

  get anchors(): readonly Anchor[] {
    return [...this.#anchors.values()]
  }

  /** Sees to it that what is on disk now is signed within `everyMs`. */
  due(): void {
    if (this.#timer !== undefined) return
    const passed = this.#parts.clock.monotonic() - this.#signedAt
    const wait = Math.max(0, this.#parts.everyMs - passed)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      // A failure is kept as `problem`; the next entries bring the next try.
      void this.sign()
    }, wait)
    this.#timer.unref()
  }

  /** Signs what is on disk, unless the newest checkpoint covers it, and brings the anchors up to date. */
  sign(): Promise<void> {
    this.#work = this.#work.then(() => this.#signNow())
    return this.#work
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#work
  }

  async #signNow(): Promise<void> {
    const { files, folder, signer, range } = this.#parts
    // Over the newer checkpoint of another process it would be a rollback.
    if (!this.#parts.isOurs()) return
    this.#signedAt = this.#parts.clock.monotonic()
    if (range.size > this.#newest.head.size) {
      // Taken together and at once: the tree may grow while the file is written.
      const head = { origin: folder.origin, size: range.size, root: range.root() }
      const text = signCheckpoint(head, signer)
      try {
        await writeAtomic(files, `${folder.path}/${FILE.checkpoint}`, utf8(text))
      } catch (thrown) {
        this.#problem = `the checkpoint cannot be written: ${errorCode(thrown) ?? 'unknown error'}`
        return
      }
      this.#problem = undefined
      this.#newest = { head, text }
      this.#parts.onSigned(head.size)
    }
    for (const anchor of this.anchors) if (anchor.size !== this.#newest.head.size) await this.#copy(anchor)
  }

  async #copy(anchor: Anchor): Promise<void> {
    const { head, text } = this.#newest
    try {
      await writeAtomic(this.#parts.files, anchor.path, utf8(text))
      this.#anchors.set(anchor.path, { path: anchor.path, size: head.size, problem: undefined })
    } catch (thrown) {
      const problem = `cannot be written: ${errorCode(thrown) ?? 'unknown error'}`
      this.#anchors.set(anchor.path, { ...anchor, problem })
    }
  }
}
