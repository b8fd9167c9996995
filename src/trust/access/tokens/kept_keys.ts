import type { Clock, Millis } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import { unproven } from '../unproven.ts'
import { readKeySet, selectKey, type KeyQuery, type KeySet, type VerifyingKey } from './key_set.ts'
import type { KeySource, KeySourceState } from './key_source.ts'

/** A set is read again when it is so old and somebody needs it: how long a key that was taken back may still count. */
export const FRESH_MS = 600_000
/** After an attempt that brought nothing: strangers may send tokens with keys that nobody knows as often as they like. */
export const COOLDOWN_MS = 30_000
/** So long the last set counts while the issuer cannot be reached. */
export const STALE_MS = 86_400_000

export interface KeptKeysParts {
  readonly clock: Clock
  readonly algorithms: ReadonlySet<string>
  /** Reads the key set of the issuer now. Rejects with a `Fault` whose `say` an operator may read. */
  readonly read: () => Promise<Uint8Array>
  /** Told how each attempt ended. */
  readonly onRead: (result: 'ok' | 'failed') => void
}

/** The keys of an issuer as they were last read, read again when they are old or when one is missing. */
export class KeptKeys implements KeySource {
  readonly #parts: KeptKeysParts
  #set: KeySet | undefined
  #prints: ReadonlySet<string> = new Set()
  // Of the monotonic clock: a wall clock that is set back must not make an old set fresh.
  #freshUntil = Number.NEGATIVE_INFINITY
  #usableUntil = Number.NEGATIVE_INFINITY
  #restsUntil = Number.NEGATIVE_INFINITY
  #readAtWall: Millis | undefined
  #problem: string | undefined
  #reading: Promise<void> | undefined
  #waiting = 0

  constructor(parts: KeptKeysParts) {
    this.#parts = parts
  }

  keyFor(query: KeyQuery): VerifyingKey | Promise<VerifyingKey> {
    this.refresh()
    const found = this.#find(query)
    return found ?? this.#afterReading(query)
  }

  has(key: VerifyingKey): boolean {
    const now = this.#parts.clock.monotonic()
    if (now >= this.#freshUntil) void this.#read(now)
    return now < this.#usableUntil && this.#prints.has(key.print)
  }

  /** Begins to read the set again if it is old, without waiting for it. */
  refresh(): void {
    const now = this.#parts.clock.monotonic()
    if (now >= this.#freshUntil) void this.#read(now)
  }

  state(): KeySourceState {
    const set = this.#usableSet()
    const kind = this.#kind(set)
    const none = set !== undefined && set.count === 0 ? ['The key set has no key that can be used.'] : []
    return {
      kind,
      keys: set?.count ?? 0,
      readAt: this.#readAtWall,
      problems: [...(this.#problem === undefined ? [] : [this.#problem]), ...none, ...(set?.ignored ?? [])],
    }
  }

  #kind(set: KeySet | undefined): KeySourceState['kind'] {
    if (set === undefined) return this.#problem === undefined ? 'waiting' : 'none'
    return this.#problem === undefined ? 'fresh' : 'stale'
  }

  #usableSet(): KeySet | undefined {
    return this.#parts.clock.monotonic() < this.#usableUntil ? this.#set : undefined
  }

  /** Undefined when reading the set again could help. */
  #find(query: KeyQuery): VerifyingKey | undefined {
    const set = this.#usableSet()
    if (set === undefined) return undefined
    const found = selectKey(set, query)
    if (found === 'missing') throw unproven('token.key_missing')
    return found
  }

  async #afterReading(query: KeyQuery): Promise<VerifyingKey> {
    const { clock } = this.#parts
    const reading = this.#read(clock.monotonic())
    if (reading !== undefined) await this.#wait(reading)
    const found = this.#find(query)
    if (found !== undefined) return found
    if (reading !== undefined) this.#restsUntil = clock.monotonic() + COOLDOWN_MS
    throw unproven(this.#usableSet() === undefined ? 'issuer.unreachable' : 'token.key_unknown')
  }

  async #wait(reading: Promise<void>): Promise<void> {
    if (this.#waiting >= LIMITS.keyFetchWaiting)
      throw new Fault('load.exceeded', { reason: 'issuer.keys' }, { retryAfterSeconds: 1 })
    this.#waiting += 1
    try {
      await reading
    } finally {
      this.#waiting -= 1
    }
  }

  /** One at a time, and none within the cooldown; never rejects. */
  #read(now: number): Promise<void> | undefined {
    if (this.#reading !== undefined) return this.#reading
    if (now < this.#restsUntil) return undefined
    return (this.#reading = this.#readNow().finally(() => (this.#reading = undefined)))
  }

  async #readNow(): Promise<void> {
    const { clock, algorithms, read, onRead } = this.#parts
    try {
      const set = await readKeySet(await read(), algorithms)
      const now = clock.monotonic()
      this.#set = set
      this.#prints = new Set(set.keys.map(({ print }) => print))
      this.#freshUntil = now + FRESH_MS
      this.#usableUntil = now + STALE_MS
      this.#readAtWall = clock.now()
      this.#problem = undefined
      onRead('ok')
    } catch (thrown) {
      this.#problem = sayProblem(thrown)
      this.#restsUntil = clock.monotonic() + COOLDOWN_MS
      onRead('failed')
    }
  }
}

function sayProblem(thrown: unknown): string {
  const said = thrown instanceof Fault ? (thrown.say ?? reasonOf(thrown)) : undefined
  return `The keys could not be read: ${said ?? 'for an unknown reason.'}`
}

function reasonOf({ code, detail }: Fault): string {
  const { reason } = detail
  return typeof reason === 'string' ? `${code} (${reason}).` : `${code}.`
}
