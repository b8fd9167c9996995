import { sourceBlock } from '#base/address.ts'
import { utf8 } from '#base/bytes.ts'
import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import { TokenBuckets } from '#door/token_bucket.ts'
import type { TiledLog } from '#trust/ledger/tiled_log.ts'
import type { TiledLogs } from '#trust/ledger/tiled_logs.ts'
import { parseLogPath, tileCache, type LogAsked } from './log_paths.ts'

/** What is open to all, as it is sent. */
export interface LogDocument {
  readonly type: string
  readonly cache: string
  readonly bytes: Uint8Array
}

export interface OpenLogParts {
  readonly logs: TiledLogs
  readonly clock: Clock
}

/**
 * Checkpoints and tiles of hashes (c2sp.org/tlog-tiles), which are open to all: they show how many entries there are and
 * nothing of what stands in any. Nothing is recorded of these reads, and each source may make so many.
 */
export class OpenLog {
  readonly #logs: TiledLogs
  readonly #clock: Clock
  readonly #sources: TokenBuckets
  #reading = 0

  constructor({ logs, clock }: OpenLogParts) {
    this.#logs = logs
    this.#clock = clock
    this.#sources = new TokenBuckets(LIMITS.logReadsPerSource, LIMITS.logSources, clock)
  }

  /** What a path asks for; undefined for all that is not here. */
  find(path: string): LogAsked | undefined {
    return parseLogPath(path)
  }

  /**
   * Throws `log.unknown` for what is not there or not signed yet, `source.throttled`, `load.exceeded` and
   * `ledger.corrupt`.
   */
  async read(asked: LogAsked, address: string): Promise<LogDocument> {
    this.#take(address)
    if (this.#reading >= LIMITS.logReads) throw new Fault('load.exceeded', {}, { retryAfterSeconds: 1 })
    this.#reading += 1
    try {
      const { log: name } = asked
      const log = name === undefined ? await this.#logs.newest() : await this.#logs.named(name)
      const document = log && (await documentOf(log, asked))
      if (document === undefined) throw new Fault('log.unknown')
      return document
    } finally {
      this.#reading -= 1
    }
  }

  #take(address: string): void {
    const now = this.#clock.monotonic()
    const bucket = this.#sources.of(sourceBlock(address), now)
    const wait = bucket.wait(now)
    if (wait > 0) throw new Fault('source.throttled', {}, { retryAfterSeconds: wait })
    bucket.take()
  }
}

async function documentOf(log: TiledLog, { log: name, what }: LogAsked): Promise<LogDocument | undefined> {
  if (what === 'checkpoint') {
    const { text } = await log.signed()
    return { type: 'text/plain; charset=utf-8', cache: CHECKPOINT_CACHE, bytes: utf8(text) }
  }
  const bytes = await log.tile(what)
  return bytes && { type: 'application/octet-stream', cache: `public, ${tileCache(name, what)}`, bytes }
}

/** "its headers SHOULD prevent caching beyond a few seconds" (c2sp.org/tlog-tiles, "Checkpoints") */
const CHECKPOINT_CACHE = 'public, max-age=1'
