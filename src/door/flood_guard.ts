import { sourceBlock } from '#base/address.ts'
import type { Clock, Millis } from '#base/clock.ts'
import type { FaultCode } from '#base/fault_table.ts'
import { LIMITS } from '#base/limits.ts'
import { Digests, type DigestParts } from './digests.ts'
import { TokenBucket, TokenBuckets, type BucketRate } from './token_bucket.ts'

/** What the guard allows; a token is one refusal that may be written to the ledger. */
export interface FloodNumbers {
  readonly block: BucketRate
  readonly global: BucketRate
  /** For each key that is valid: what its requests are refused for is worth reading, up to a point. */
  readonly key: BucketRate
  /** Source blocks remembered; others share one bucket. */
  readonly blocks: number
  readonly windowMs: Millis
  /** Source blocks, and keys, that get a digest of their own in one window; the others are summed. */
  readonly digestsPerWindow: number
}

/**
 * Ten minutes of flood write at most 100 + 600 × 10 refusals and 60 × 33 digests: 8,080 entries, 6.5 MB at 800 bytes.
 * A person who mistypes a key, or a client with a stale one, stays far below 1/s.
 *
 * A key writes at most 300 + 600 × 5 refusals in that time, 2.7 MB: a client that repeats a denied call five times each
 * second for as long as nobody looks is still on record with every one.
 */
export const FLOOD_NUMBERS: FloodNumbers = {
  block: { burst: 20, perSecond: 1 },
  global: { burst: 100, perSecond: 10 },
  key: { burst: 300, perSecond: 5 },
  blocks: 4_096,
  windowMs: 10_000,
  digestsPerWindow: 32,
}

/** Digests are looked after this often. */
export const GUARD_TICK_MS = 1_000

export interface FloodParts extends DigestParts {
  readonly numbers?: FloodNumbers
}

/** The address that the admin socket reports; its owner owns the home and is not a stranger. */
const OWNER = 'socket'

/**
 * Bounds what refusals can cost. Requests without a valid credential have a token bucket per source block and one for
 * all, which a caller with a valid key never meets; requests with one have a bucket per key, for what is refused of
 * them. Everything beyond is counted, and once per window written as `digest` entries.
 */
export class FloodGuard {
  readonly #clock: Clock
  readonly #blocks: TokenBuckets
  readonly #global: TokenBucket
  readonly #keys: TokenBuckets
  readonly #blockDigests: Digests
  readonly #keyDigests: Digests
  readonly #callers: TokenBuckets
  readonly #callerDigests: Digests

  constructor(parts: FloodParts) {
    const { clock, numbers = FLOOD_NUMBERS } = parts
    const { block, global, key, blocks, windowMs, digestsPerWindow: entries } = numbers
    this.#clock = clock
    this.#blocks = new TokenBuckets(block, blocks, clock)
    this.#global = new TokenBucket(global, clock.monotonic())
    this.#keys = new TokenBuckets(key, LIMITS.keys, clock)
    this.#blockDigests = new Digests(parts, BLOCK_WORDS, { windowMs, names: blocks, entries })
    this.#keyDigests = new Digests(parts, KEY_WORDS, { windowMs, names: LIMITS.keys, entries })
    this.#callers = new TokenBuckets(key, LIMITS.keys, clock)
    this.#callerDigests = new Digests(parts, CALLER_WORDS, { windowMs, names: LIMITS.keys, entries })
  }

  /**
   * Seconds to wait when the request is to be refused before its body is read: a bucket is empty and the credential
   * does not even look real. Takes no token; a request that goes on is charged when authentication fails.
   */
  refusesEarly(address: string, looksReal: boolean): number | undefined {
    if (looksReal || address === OWNER) return undefined
    const now = this.#clock.monotonic()
    const block = sourceBlock(address)
    const wait = Math.max(this.#global.wait(now), this.#blocks.wait(block, now))
    if (wait === 0) return undefined
    this.#blockDigests.count(block, 'source.throttled', now)
    return wait
  }

  /**
   * Takes a token for a refusal that is about to be written. Gives seconds to wait when there is none: then nothing
   * may be written, and the caller gets `source.throttled`.
   */
  charge(address: string): number | undefined {
    if (address === OWNER) return undefined
    const now = this.#clock.monotonic()
    const block = sourceBlock(address)
    const wait = this.#take(block, now)
    if (wait !== undefined) this.#blockDigests.count(block, 'source.throttled', now)
    return wait
  }

  /** As `charge`, for a refusal of a caller whose key is valid: over the limit it gets `caller.throttled`. */
  chargeKey(kid: string): number | undefined {
    return this.#takeOf(this.#keys, this.#keyDigests, kid)
  }

  /** The same for a caller without a key, as one with a token: all its tokens share one bucket. */
  chargeCaller(caller: string): number | undefined {
    return this.#takeOf(this.#callers, this.#callerDigests, caller)
  }

  /**
   * For what a face refuses before the pipeline: it never becomes an entry of its own, so it is always counted. A
   * request whose credential looks real costs its block nothing.
   */
  note(address: string, code: FaultCode, looksReal: boolean): number | undefined {
    if (address === OWNER) return undefined
    const now = this.#clock.monotonic()
    const block = sourceBlock(address)
    const wait = looksReal ? undefined : this.#take(block, now)
    this.#blockDigests.count(block, wait === undefined ? code : 'source.throttled', now)
    return wait
  }

  /** For a connection that a face closed to make room. */
  dropped(address: string): void {
    this.#blockDigests.count(sourceBlock(address), 'connection.dropped', this.#clock.monotonic())
  }

  /** Writes the digests of a window that is over. To be called about once a second, so that a count is not left behind. */
  tick(): void {
    this.#blockDigests.tick()
    this.#keyDigests.tick()
    this.#callerDigests.tick()
  }

  /** Writes what is counted so far; for the end of the process. */
  flush(): void {
    this.#blockDigests.flush()
    this.#keyDigests.flush()
    this.#callerDigests.flush()
  }

  #takeOf(buckets: TokenBuckets, digests: Digests, name: string): number | undefined {
    const now = this.#clock.monotonic()
    const bucket = buckets.of(name, now)
    const wait = bucket.wait(now)
    if (wait > 0) {
      digests.count(name, 'caller.throttled', now)
      return wait
    }
    bucket.take()
    return undefined
  }

  #take(block: string, now: Millis): number | undefined {
    const bucket = this.#blocks.of(block, now)
    const wait = Math.max(this.#global.wait(now), bucket.wait(now))
    if (wait > 0) return wait
    this.#global.take()
    bucket.take()
    return undefined
  }
}

const BLOCK_WORDS = {
  field: 'block',
  unremembered: 'unremembered blocks',
  others: 'other blocks',
  howMany: 'blocks',
} as const

const KEY_WORDS = { field: 'kid', unremembered: 'other keys', others: 'other keys', howMany: 'keys' } as const

const CALLER_WORDS = {
  field: 'caller',
  unremembered: 'other callers',
  others: 'other callers',
  howMany: 'callers',
} as const
