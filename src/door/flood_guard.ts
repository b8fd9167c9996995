import { sourceBlock } from '#base/address.ts'
import type { Clock, Millis } from '#base/clock.ts'
import type { FaultCode } from '#base/fault.ts'
import type { Recorder } from '#base/recorder.ts'

/** What the guard allows. Rates are tokens per second; a token is one refusal that may be written to the ledger. */
export interface FloodNumbers {
  readonly blockBurst: number
  readonly blockPerSecond: number
  readonly globalBurst: number
  readonly globalPerSecond: number
  /** Source blocks remembered; others share one bucket. */
  readonly blocks: number
  readonly windowMs: Millis
  /** Source blocks that get a digest of their own in one window; the others are summed. */
  readonly digestsPerWindow: number
}

/**
 * Ten minutes of flood write at most 100 + 600 × 10 refusals and 60 × 33 digests: 8,080 entries, 6.5 MB at 800 bytes.
 * A person who mistypes a key, or a client with a stale one, stays far below 1/s.
 */
export const FLOOD_NUMBERS: FloodNumbers = {
  blockBurst: 20,
  blockPerSecond: 1,
  globalBurst: 100,
  globalPerSecond: 10,
  blocks: 4_096,
  windowMs: 10_000,
  digestsPerWindow: 32,
}

export interface FloodParts {
  readonly clock: Clock
  readonly recorder: Pick<Recorder, 'appendLater'>
  readonly newId: () => string
  readonly numbers?: FloodNumbers
}

/** The address that the admin socket reports; its owner owns the home and is not a stranger. */
const OWNER = 'socket'
/** Digests name these in place of a block. */
const UNREMEMBERED = 'unremembered blocks'
const OTHERS = 'other blocks'

/**
 * Bounds what requests without a valid credential can cost: a token bucket per source block and one for all.
 *
 * A caller with a valid key never meets it. Everything it refuses is counted, and once per window written as `digest`
 * entries, at most `digestsPerWindow` + 1 of them.
 */
export class FloodGuard {
  readonly #clock: Clock
  readonly #recorder: Pick<Recorder, 'appendLater'>
  readonly #newId: () => string
  readonly #numbers: FloodNumbers
  /** Least recently charged first. */
  readonly #blocks = new Map<string, Bucket>()
  readonly #unremembered: Bucket
  readonly #global: Bucket
  #counted = new Map<string, Count>()
  #windowStart: number | undefined

  constructor(parts: FloodParts) {
    this.#clock = parts.clock
    this.#recorder = parts.recorder
    this.#newId = parts.newId
    this.#numbers = parts.numbers ?? FLOOD_NUMBERS
    const { blockBurst, blockPerSecond, globalBurst, globalPerSecond } = this.#numbers
    const now = parts.clock.monotonic()
    this.#unremembered = new Bucket(blockBurst, blockPerSecond, now)
    this.#global = new Bucket(globalBurst, globalPerSecond, now)
  }

  /**
   * Seconds to wait when the request is to be refused before its body is read: a bucket is empty and the credential
   * does not even look real. Takes no token; a request that goes on is charged when authentication fails.
   */
  refusesEarly(address: string, looksReal: boolean): number | undefined {
    if (looksReal || address === OWNER) return undefined
    const now = this.#clock.monotonic()
    const block = sourceBlock(address)
    const bucket = this.#blocks.get(block) ?? this.#newcomer(now)
    const wait = Math.max(this.#global.wait(now), bucket?.wait(now) ?? 0)
    if (wait === 0) return undefined
    this.#count(block, 'source.throttled', now)
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
    if (wait !== undefined) this.#count(block, 'source.throttled', now)
    return wait
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
    this.#count(block, wait === undefined ? code : 'source.throttled', now)
    return wait
  }

  /** Writes the digests of a window that is over. To be called about once a second, so that a count is not left behind. */
  tick(): void {
    this.#endWindow(this.#clock.monotonic(), this.#numbers.windowMs)
  }

  /** Writes what is counted so far; for the end of the process. */
  flush(): void {
    this.#endWindow(this.#clock.monotonic(), 0)
  }

  #take(block: string, now: number): number | undefined {
    const bucket = this.#bucketFor(block, now)
    const wait = Math.max(this.#global.wait(now), bucket.wait(now))
    if (wait > 0) return wait
    this.#global.take()
    bucket.take()
    return undefined
  }

  #bucketFor(block: string, now: number): Bucket {
    const known = this.#blocks.get(block)
    if (known !== undefined) {
      this.#blocks.delete(block)
      this.#blocks.set(block, known)
      return known
    }
    const shared = this.#newcomer(now)
    if (shared !== undefined) return shared
    if (this.#blocks.size >= this.#numbers.blocks) this.#blocks.delete(this.#oldest() ?? '')
    const bucket = new Bucket(this.#numbers.blockBurst, this.#numbers.blockPerSecond, now)
    this.#blocks.set(block, bucket)
    return bucket
  }

  // A full bucket says nothing about its block, so forgetting it gives nobody anything. When even the oldest is not
  // full, newcomers share one bucket: a flood from many blocks cannot buy fresh bursts with memory.
  #newcomer(now: number): Bucket | undefined {
    if (this.#blocks.size < this.#numbers.blocks) return undefined
    const oldest = this.#blocks.get(this.#oldest() ?? '')
    return oldest === undefined || oldest.isFull(now) ? undefined : this.#unremembered
  }

  #oldest(): string | undefined {
    return this.#blocks.keys().next().value
  }

  #count(block: string, code: FaultCode, now: number): void {
    this.#endWindow(now, this.#numbers.windowMs)
    this.#windowStart ??= now
    const isRoom = this.#counted.has(block) || this.#counted.size < this.#numbers.blocks
    const name = isRoom ? block : UNREMEMBERED
    let count = this.#counted.get(name)
    if (count === undefined) this.#counted.set(name, (count = { total: 0, codes: {} }))
    count.total += 1
    count.codes[code] = (count.codes[code] ?? 0) + 1
  }

  #endWindow(now: number, windowMs: Millis): void {
    if (this.#windowStart === undefined || now - this.#windowStart < windowMs) return
    const counted = [...this.#counted].sort(([, left], [, right]) => right.total - left.total)
    const spanMs = Math.round(now - this.#windowStart)
    this.#counted = new Map()
    this.#windowStart = undefined
    const own = counted.slice(0, this.#numbers.digestsPerWindow)
    const rest = counted.slice(this.#numbers.digestsPerWindow)
    for (const [block, count] of own) this.#write({ block, count: count.total, codes: count.codes }, spanMs)
    if (rest.length > 0) this.#write({ block: OTHERS, blocks: rest.length, ...sum(rest) }, spanMs)
  }

  #write(digest: Digest, windowMs: Millis): void {
    this.#recorder.appendLater({
      kind: 'digest',
      id: this.#newId(),
      at: this.#clock.now(),
      fields: { ...digest, window_ms: windowMs },
      reserved: false,
    })
  }
}

type Codes = Record<string, number>

interface Count {
  total: number
  readonly codes: Codes
}

interface Digest {
  readonly block: string
  readonly count: number
  readonly codes: Codes
  /** How many blocks are summed, where more than one. */
  readonly blocks?: number
}

function sum(counted: readonly (readonly [block: string, count: Count])[]): Pick<Digest, 'count' | 'codes'> {
  const codes: Codes = {}
  let count = 0
  for (const [, one] of counted) {
    count += one.total
    for (const [code, times] of Object.entries(one.codes)) codes[code] = (codes[code] ?? 0) + times
  }
  return { count, codes }
}

class Bucket {
  readonly #burst: number
  readonly #perSecond: number
  #tokens: number
  #at: number

  constructor(burst: number, perSecond: number, now: number) {
    this.#burst = burst
    this.#perSecond = perSecond
    this.#tokens = burst
    this.#at = now
  }

  /** Whole seconds until a token is there, 0 when one is. */
  wait(now: number): number {
    this.#refill(now)
    return this.#tokens >= 1 ? 0 : Math.max(1, Math.ceil((1 - this.#tokens) / this.#perSecond))
  }

  take(): void {
    this.#tokens -= 1
  }

  isFull(now: number): boolean {
    this.#refill(now)
    return this.#tokens >= this.#burst
  }

  #refill(now: number): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#at) / 1_000) * this.#perSecond)
    this.#at = now
  }
}
