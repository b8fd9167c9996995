import { errorCode, folderOf, writeAtomic, type Appender, type Files } from '#base/files.ts'
import { segmentPath, type OriginFolder } from './layout.ts'
import { encodeHead } from './raw_segment.ts'

/** What became of a write: on disk, refused by a full disk and cut back, or unknown, after which nothing is written. */
export type Appended =
  | { readonly kind: 'durable' }
  | { readonly kind: 'full' }
  | { readonly kind: 'broken'; readonly reason: string }

/** The file that entries are appended to. One caller at a time. */
export class ActiveSegment {
  readonly first: number
  readonly #files: Files
  readonly #path: string
  readonly #appender: Appender
  #bytes: number

  private constructor(
    files: Files,
    path: string,
    appender: Appender,
    place: { first: number; bytes: number },
  ) {
    this.#files = files
    this.#path = path
    this.#appender = appender
    this.first = place.first
    this.#bytes = place.bytes
  }

  /** Opens a segment of which `bytes` are whole groups; what a crash left behind them is cut off, durably. */
  static async open(
    files: Files,
    folder: OriginFolder,
    place: { readonly first: number; readonly bytes: number },
  ): Promise<ActiveSegment> {
    const path = segmentPath(folder, place.first, 'raw')
    const appender = await files.openAppend(path)
    const { bytes } = await appender.facts()
    if (bytes > place.bytes) await appender.truncate(place.bytes)
    // Also makes durable what an earlier process wrote and did not live to sync.
    await appender.datasync()
    return new ActiveSegment(files, path, appender, place)
  }

  /** Starts a new segment. */
  static async create(files: Files, folder: OriginFolder, first: number): Promise<ActiveSegment> {
    const head = encodeHead(folder.origin, first)
    await writeAtomic(files, segmentPath(folder, first, 'raw'), head)
    return ActiveSegment.open(files, folder, { first, bytes: head.length })
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Writes a group, durably. */
  async append(group: Uint8Array): Promise<Appended> {
    try {
      await this.#appender.append(group)
    } catch (thrown) {
      // Of other failures the system may have dropped the pages and say nothing next time: only reopening shows them.
      return isFull(thrown) ? this.#cutBack() : broken('a write', thrown)
    }
    this.#bytes += group.length
    return { kind: 'durable' }
  }

  /** Says what is wrong when the open file is no longer the one at its path, or not as long as what was written. */
  async check(): Promise<string | undefined> {
    const [open, named] = await Promise.all([this.#appender.facts(), this.#files.facts(this.#path)])
    if (named === undefined || open.links === 0) return 'the ledger file was removed'
    if (named.identity !== open.identity) return 'the ledger file was replaced'
    return open.bytes === this.#bytes ? undefined : 'the ledger file was changed by another program'
  }

  close(): Promise<void> {
    return this.#appender.close()
  }

  /**
   * Also where it was the sync that found the disk full: what it may have dropped is all behind the last durable group,
   * so it is cut off, and the sync of the cut proves the page that both share.
   */
  async #cutBack(): Promise<Appended> {
    try {
      await this.#appender.truncate(this.#bytes)
      await this.#appender.datasync()
      return { kind: 'full' }
    } catch (thrown) {
      return broken('cutting a torn write', thrown)
    }
  }
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
