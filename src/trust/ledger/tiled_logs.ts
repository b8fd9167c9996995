import type { Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { listOrigins, type OriginFolder } from './layout.ts'
import { TiledLog } from './tiled_log.ts'

/** The trees of the logs of a home, each kept for the next question. */
export class TiledLogs {
  readonly #files: Files
  readonly #directory: string
  /** By the name of its folder, least recently used first. */
  readonly #logs = new Map<string, TiledLog>()

  /** `directory`: the ledger folder. */
  constructor(files: Files, directory: string) {
    this.#files = files
    this.#directory = directory
  }

  /** The log that is appended to; undefined where there is none. */
  async newest(): Promise<TiledLog | undefined> {
    return this.#logOf((await this.#folders()).at(-1))
  }

  /** The log in a folder of this name, as `0001-…`; undefined where there is none. */
  async named(name: string): Promise<TiledLog | undefined> {
    return this.#logOf((await this.#folders()).find((folder) => nameOf(folder) === name))
  }

  /** The log with this name in its checkpoints. */
  async ofOrigin(origin: string): Promise<TiledLog | undefined> {
    return this.#logOf((await this.#folders()).find((folder) => folder.origin === origin))
  }

  async #folders(): Promise<readonly OriginFolder[]> {
    return (await listOrigins(this.#files, this.#directory)).folders
  }

  #logOf(folder: OriginFolder | undefined): TiledLog | undefined {
    if (folder === undefined) return undefined
    const name = nameOf(folder)
    const log = this.#logs.get(name) ?? new TiledLog(this.#files, folder)
    this.#logs.delete(name)
    this.#logs.set(name, log)
    for (const [oldest] of this.#logs) if (this.#logs.size > LIMITS.keptLogs) this.#logs.delete(oldest)
    return log
  }
}

/** The name of the folder of a log, which no other log of the home ever has. */
export function nameOf({ path }: OriginFolder): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
