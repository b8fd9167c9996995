import { Fault } from '#base/fault.ts'
import { errorCode, type Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { NOT_PLAIN } from '#base/plain_file.ts'
import { isWhole } from './check_backup.ts'
import type { KeptFile } from './manifest.ts'
import { ChangedSource, sha256Of, sourceOf, type ByteSource, type ObjectStore } from './object_store.ts'

/** How far a copy has come. */
export interface CopyProgress {
  readonly files: number
  /** Bytes of these files. */
  readonly bytes: number
  /** Of these, what was not there yet. */
  readonly copiedFiles: number
  readonly copiedBytes: number
}

export interface HomeCopyParts {
  readonly files: Files
  /** The home folder. */
  readonly home: string
  readonly store: ObjectStore
  /** Whether what is there is read back too: a damaged object has the length of a whole one. */
  readonly isRepair: boolean
  readonly onProgress: (progress: CopyProgress) => void
}

/**
 * Puts files of a home into a store, each once. What is there already, from an earlier run or one that was cut, stays; what
 * has another length than it should have is written anew.
 */
export class HomeCopy {
  readonly #parts: HomeCopyParts
  readonly #kept = new Map<string, KeptFile>()
  readonly #fresh: KeptFile[] = []
  readonly #skipped: string[] = []
  readonly #repaired: string[] = []
  #progress: CopyProgress = { files: 0, bytes: 0, copiedFiles: 0, copiedBytes: 0 }

  constructor(parts: HomeCopyParts) {
    this.#parts = parts
  }

  get files(): Files {
    return this.#parts.files
  }

  get home(): string {
    return this.#parts.home
  }

  /** In the order of their paths. */
  get kept(): readonly KeptFile[] {
    return [...this.#kept.values()].sort((left, right) => (left.path < right.path ? -1 : 1))
  }

  /** Those of them that were written by this run. */
  get fresh(): readonly KeptFile[] {
    return this.#fresh
  }

  /** What was there, of the right length, and did not read back. */
  get repaired(): readonly string[] {
    return this.#repaired
  }

  /** What stands in the home and is no plain file. */
  get skipped(): readonly string[] {
    return this.#skipped
  }

  /**
   * Copies a file of the home; `at` is where it stands, if not at its path. One that is replaced while it is read is read
   * again. Throws the errors of the file system, ENOENT too.
   */
  async file(path: string, at = `${this.#parts.home}/${path}`): Promise<void> {
    const { files } = this.#parts
    for (let tries = 1; ; tries++) {
      const facts = await files.facts(at)
      const source = {
        bytes: facts?.bytes ?? 0,
        read: (from: number, length: number) => files.readRange(at, from, length),
      }
      if (await this.#put(path, source)) return
      if (tries >= MOST_TRIES)
        throw new Fault('home.unwritable', { path }, { say: `${path} changes faster than it can be copied.` })
    }
  }

  /** As `file`, and skips what is no plain file. */
  async plainFile(path: string): Promise<void> {
    try {
      await this.file(path)
    } catch (thrown) {
      if (!NOT_PLAIN.has(errorCode(thrown) ?? '')) throw thrown
      this.#skipped.push(path)
    }
  }

  /** Keeps this as the content of a path. */
  async content(path: string, content: Uint8Array): Promise<void> {
    await this.#put(path, sourceOf(content))
  }

  /** False when it changed while it was read. */
  async #put(path: string, source: ByteSource): Promise<boolean> {
    const { store } = this.#parts
    if (!this.#kept.has(path) && this.#kept.size >= LIMITS.backupFiles)
      throw new Fault('home.damaged', { files: this.#kept.size }, { say: 'The home has too many files.' })
    try {
      const sha256 = await sha256Of(source)
      const object = store.nameOf(path, sha256)
      const file = { path, bytes: source.bytes, sha256, object }
      if (!(await this.#isThere(file))) {
        if ((await store.write(object, source)) !== sha256) return false
        this.#fresh.push(file)
        this.#progress = added(this.#progress, { copiedFiles: 1, copiedBytes: file.bytes })
      }
      this.#progress = added(this.#progress, { files: 1, bytes: file.bytes })
      this.#kept.set(path, file)
      this.#parts.onProgress(this.#progress)
      return true
    } catch (thrown) {
      if (thrown instanceof ChangedSource) return false
      throw thrown
    }
  }

  async #isThere(file: KeptFile): Promise<boolean> {
    const { store, isRepair } = this.#parts
    if (!(await store.has(file.object, file.bytes))) return false
    if (!isRepair || (await isWhole(store, file))) return true
    this.#repaired.push(file.path)
    return false
  }
}

const MOST_TRIES = 5

function added(to: CopyProgress, more: Partial<CopyProgress>): CopyProgress {
  return {
    files: to.files + (more.files ?? 0),
    bytes: to.bytes + (more.bytes ?? 0),
    copiedFiles: to.copiedFiles + (more.copiedFiles ?? 0),
    copiedBytes: to.copiedBytes + (more.copiedBytes ?? 0),
  }
}
