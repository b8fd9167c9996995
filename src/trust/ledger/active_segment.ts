import { errorCode, folderOf, writeAtomic, type Files, type WritableFile } from '#base/files.ts'
import { segmentPath, type OriginFolder } from './layout.ts'
import { encodeHead } from './raw_segment.ts'

/** What became of a write: on disk, refused by a full disk and cut back, or unknown, after which nothing is written. */
export type Appended =
  | { readonly kind: 'durable' }
  | { readonly kind: 'full' }
  | { readonly kind: 'broken'; readonly reason: string }

/**
 * The file that entries are appended to. One caller at a time.
 *
 * Where it must grow it grows by more than a group, by zeros that the next groups are written over: to sync a file that
 * stays as long as it is takes half the time.
 */
export class ActiveSegment {
  readonly first: number
  readonly #files: Files
  readonly #path: string
  readonly #file: WritableFile
  #bytes: number
  #length: number

  private constructor(
    files: Files,
    path: string,
    file: WritableFile,
    place: { first: number; bytes: number },
  ) {
    this.#files = files
    this.#path = path
    this.#file = file
    this.first = place.first
    this.#bytes = place.bytes
    this.#length = place.bytes
  }

  /** Opens a segment of which `bytes` are whole groups; what a crash left behind them is cut off, durably. */
  static async open(
    files: Files,
    folder: OriginFolder,
    place: { readonly first: number; readonly bytes: number },
  ): Promise<ActiveSegment> {
    const path = segmentPath(folder, place.first, 'raw')
    const file = await files.openForWriting(path)
    const { bytes } = await file.facts()
    if (bytes > place.bytes) await file.truncate(place.bytes)
    // Also makes durable what an earlier process wrote and did not live to sync.
    await file.datasync()
    return new ActiveSegment(files, path, file, place)
  }

  /** Starts a new segment. Everybody waits for it: what was just written is neither looked at nor synced again. */
  static async create(files: Files, folder: OriginFolder, first: number): Promise<ActiveSegment> {
    const path = segmentPath(folder, first, 'raw')
    const head = encodeHead(folder.origin, first)
    await writeAtomic(files, path, head)
    const file = await files.openForWriting(path)
    return new ActiveSegment(files, path, file, { first, bytes: head.length })
  }

  /** Bytes of whole groups. */
  get bytes(): number {
    return this.#bytes
  }

  /** Bytes of the file: whole groups, and zeros. */
  get length(): number {
    return this.#length
  }

  /** Writes a group, durably; where the file must grow for it, it grows by `room` bytes more if the disk has them. */
  async append(group: Uint8Array, room: number): Promise<Appended> {
    const appended = await this.#write(group, room)
    return appended.kind === 'full' && room > 0 ? this.#write(group, 0) : appended
  }

  /** Says what is wrong when the open file is no longer the one at its path, or not as long as what was written. */
  async check(): Promise<string | undefined> {
    const [open, named] = await Promise.all([this.#file.facts(), this.#files.facts(this.#path)])
    if (named === undefined || open.links === 0) return 'the ledger file was removed'
    if (named.identity !== open.identity) return 'the ledger file was replaced'
    return open.bytes === this.#length ? undefined : 'the ledger file was changed by another program'
  }

  /** Leaves the zeros: a process that has lost its lock must not cut what another one has written over them. */
  close(): Promise<void> {
    return this.#file.close()
  }

  async #write(group: Uint8Array, room: number): Promise<Appended> {
    const fits = this.#bytes + group.length <= this.#length
    const bytes = fits || room === 0 ? group : withRoom(group, room)
    try {
      await this.#file.write(bytes, this.#bytes)
    } catch (thrown) {
      // Of other failures the system may have dropped the pages and say nothing next time: only reopening shows them.
      return isFull(thrown) ? this.#cutBack() : broken('a write', thrown)
    }
    this.#length = Math.max(this.#length, this.#bytes + bytes.length)
    this.#bytes += group.length
    return { kind: 'durable' }
  }

  /**
   * Also where it was the sync that found the disk full: what it may have dropped is all behind the last durable group,
   * so it is cut off, and the sync of the cut proves the page that both share.
   */
  async #cutBack(): Promise<Appended> {
    try {
      await this.#file.truncate(this.#bytes)
      await this.#file.datasync()
      this.#length = this.#bytes
      return { kind: 'full' }
    } catch (thrown) {
      return broken('cutting a torn write', thrown)
    }
  }
}

function withRoom(group: Uint8Array, room: number): Uint8Array {
  const bytes = Buffer.alloc(group.length + room)
  bytes.set(group)
  return bytes
}

/** True for errors that say the disk or the quota is full, and nothing else. */
function isFull(thrown: unknown): boolean {
  const code = errorCode(thrown)
  return code === 'ENOSPC' || code === 'EDQUOT'
}

/** Whether a failed `create` left nothing under the new name, so that the old segment may go on. */
export async function isUntouched(files: Files, folder: OriginFolder, first: number): Promise<boolean> {
  const path = segmentPath(folder, first, 'raw')
  return !(await files.list(folderOf(path))).includes(path.slice(folderOf(path).length + 1))
}

function broken(act: string, thrown: unknown): Appended {
  return { kind: 'broken', reason: `${act} failed: ${errorCode(thrown) ?? 'unknown error'}` }
}
