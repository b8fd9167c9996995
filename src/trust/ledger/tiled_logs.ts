import type { Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { LastUsed } from './last_used.ts'
import { listOrigins, type OriginFolder } from './layout.ts'
import { startedLogs } from './origin.ts'
import { TiledLog } from './tiled_log.ts'

/** The trees of the logs of a home, each kept for the next question. */
export class TiledLogs {
  readonly #files: Files
  readonly #directory: string
  /** By the name of its folder. */
  readonly #logs = new LastUsed<string, TiledLog>(LIMITS.keptLogs)

  /** `directory`: the ledger folder. */
  constructor(files: Files, directory: string) {
    this.#files = files
    this.#directory = directory
  }

  /** The log that is appended to; undefined where there is none. */
  async newest(): Promise<TiledLog | undefined> {
    return this.#logOf((await startedLogs(this.#files, this.#directory)).at(-1))
  }

  /** The names of the folders of all logs, oldest first. */
  async names(): Promise<readonly string[]> {
    return (await this.#folders()).map(nameOf)
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
    this.#logs.put(name, log)
    return log
  }
}

/** The name of the folder of a log, which no other log of the home ever has. */
export function nameOf({ path }: OriginFolder): string {
  return path.slice(path.lastIndexOf('/') + 1)
}
