import { utf8 } from '#base/bytes.ts'
import { folderOf, writeAtomic, type Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { readIfThere } from './segment_reader.ts'

/** Where the file of an anchor would be written now. */
export interface AnchorPlace {
  /** The disk of its folder, and that of the ledger; undefined where nobody knows. */
  readonly device: string | undefined
  readonly here: string | undefined
  /** Whether there is a file. */
  readonly isThere: boolean
}

const MOVED =
  'is not where it was: its folder is on another disk now, and nothing was written there. Is it mounted? (docs/how-to/anchor-checkpoints.md)'

/**
 * On which disks the files of anchors were when they were last written, kept in the home: without its mount, the path of one
 * leads to the disk below, which whoever owns this machine owns too.
 */
export class AnchorPlaces {
  readonly #files: Files
  readonly #path: string | undefined
  readonly #devices: Map<string, string>

  private constructor(files: Files, path: string | undefined, devices: Map<string, string>) {
    this.#files = files
    this.#path = path
    this.#devices = devices
  }

  /** Without a `path` it remembers only as long as this process. What does not read is not known. */
  static async load(files: Files, path: string | undefined): Promise<AnchorPlaces> {
    const bytes = path === undefined ? undefined : await readIfThere(files, path, LIMITS.noteBytes)
    const lines = Buffer.from(bytes ?? [])
      .toString('utf8')
      .split('\n')
    const found = lines.flatMap((line): [string, string][] => {
      const [, device, anchor] = /^(\S+) (\/.*)$/.exec(line) ?? []
      return device === undefined || anchor === undefined ? [] : [[anchor, device]]
    })
    return new AnchorPlaces(files, path, new Map(found))
  }

  /**
   * Why nothing may be written there. The number of a disk changes with every mount of a share, so it tells something only
   * where what was written is gone too, or where the disk is that of the ledger.
   */
  problem(anchor: string, { device, here, isThere }: AnchorPlace): string | undefined {
    const before = this.#devices.get(anchor)
    if (before === undefined || device === undefined || device === before) return undefined
    return isThere && device !== here ? undefined : MOVED
  }

  /** It was written there. Throws as the file system does. */
  async note(anchor: string, { device, here }: Omit<AnchorPlace, 'isThere'>): Promise<void> {
    if (device === undefined || device === here || device === this.#devices.get(anchor)) return
    this.#devices.set(anchor, device)
    if (this.#path === undefined) return
    await this.#files.makeDirectory(folderOf(this.#path))
    const lines = [...this.#devices].map(([each, disk]) => `${disk} ${each}\n`)
    await writeAtomic(this.#files, this.#path, utf8(lines.join('')))
  }
}
