import { setImmediate as nextTurn } from 'node:timers/promises'
import { concat } from '#base/bytes.ts'
import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { errorCode, type Files } from '#base/files.ts'
import { ActiveSegment, isUntouched, type Appended } from './active_segment.ts'
import { BUNDLE } from './bundle.ts'
import { EntryQueue, type Waiting } from './entry_queue.ts'
import type { OriginFolder } from './layout.ts'
import { leafHash, type CompactRange } from './merkle.ts'
import { encodeGroup } from './raw_segment.ts'
import type { SidecarBox } from './sidecar.ts'
import type { Space } from './space.ts'

export interface GroupCommitParts {
  readonly files: Files
  readonly folder: OriginFolder
  readonly active: ActiveSegment
  /** The tree of the entries that are on disk; only this class appends to it. */
  readonly range: CompactRange
  readonly box: SidecarBox
  readonly space: Space
  readonly clock: Clock
  readonly isOurs: () => boolean
  /** Beyond this a segment ends at the next whole bundle. */
  readonly segmentBytes: number
  /** By so many bytes more than it must a segment grows, where there is space. */
  readonly roomBytes: number
  /** Called when more entries have become durable. */
  onDurable(): void
  /** Called when a segment is full and a new one is in use. */
  onRolled(full: { readonly first: number; readonly bytes: number }): void
}

/** Somebody who waits for the first `upTo` entries. */
interface Flush {
  readonly upTo: number
  resolve(): void
}

/**
 * Writes what waits, syncs once, answers all of it, and starts again. What somebody waits for never waits for a timer;
 * what nobody waits for goes with it, or alone after a moment. An entry counts, and is in the tree that checkpoints
 * sign, only when its sync has come back.
 */
export class GroupCommit {
  readonly #parts: GroupCommitParts
  readonly #queue = new EntryQueue()
  #active: ActiveSegment
  #broken: string | undefined
  #problem: string | undefined
  #isRunning = false
  /** Runs while only entries wait that nobody waits for. */
  #soon: NodeJS.Timeout | undefined
  #checkedAt: number
  /** When the lock was last seen to be held. */
  #oursAt = -Infinity
  /** Entries that were ever taken in, and those of them that were written or refused since. */
  #takenIn = 0
  #settledCount = 0
  /** Entries of the last group. */
  #lastCount = 0
  readonly #flushes: Flush[] = []

  constructor(parts: GroupCommitParts) {
    this.#parts = parts
    this.#active = parts.active
    this.#checkedAt = parts.clock.monotonic()
  }

  /** Why nothing can be written any more until the ledger is opened anew. */
  get broken(): string | undefined {
    return this.#broken
  }

  /** Why the active segment grows beyond its size. */
  get problem(): string | undefined {
    return this.#problem
  }

  /** Bytes of the active segment, and its first entry. */
  get active(): { readonly first: number; readonly bytes: number } {
    return this.#active
  }

  get queuedBytes(): number {
    return this.#queue.bytes
  }

  /** Bytes for entries that the active segment holds already. */
  get room(): number {
    return this.#active.length - this.#active.bytes
  }

  /** Takes an entry in; gives the reason when it cannot. */
  offer(entry: Waiting): string | undefined {
    if (this.#broken !== undefined) return this.#broken
    if (!this.#queue.offer(entry)) return 'too many entries wait to be written'
    this.#takenIn += 1
    if (entry.isAwaited) this.#start()
    else this.#soon ??= setTimeout(() => this.#start(), SOON_MS)
    return undefined
  }

  /** Resolves when all that waits now is written or refused; what comes after it is not waited for. */
  async flush(): Promise<void> {
    if (this.#settledCount >= this.#takenIn) return
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#flushes.push({ upTo: this.#takenIn, resolve })
    this.#start()
    await promise
  }

  /** Ends the active segment if it is full; `offer` does this by itself after each group. */
  async rollIfFull(): Promise<void> {
    const { files, folder, range, segmentBytes } = this.#parts
    const isDue =
      this.#active.bytes >= segmentBytes && range.size % BUNDLE === 0 && range.size > this.#active.first
    if (!isDue || this.#broken !== undefined) return
    const full = this.#active
    try {
      this.#active = await ActiveSegment.create(files, folder, range.size)
      this.#problem = undefined
    } catch (thrown) {
      const mayGoOn = await isUntouched(files, folder, range.size).catch(() => false)
      this.#problem = `a new segment cannot be started: ${errorCode(thrown) ?? 'unknown error'}`
      // A half-made file under the new name would make the entries that follow here look doubled.
      if (!mayGoOn) this.#break('starting a segment failed')
      return
    }
    this.#parts.space.add(this.#active.length)
    await full.close()
    this.#parts.onRolled(full)
  }

  /** Writes what waits and closes the file. Nothing may be offered any more. */
  async close(): Promise<void> {
    await this.flush()
    await this.#active.close()
  }

  #start(): void {
    clearTimeout(this.#soon)
    this.#soon = undefined
    if (this.#isRunning) return
    this.#isRunning = true
    void this.#run()
  }

  async #run(): Promise<void> {
    while (!this.#queue.isEmpty) {
      await this.#gather()
      const group = this.#queue.take((count, bytes) => this.#isEnough(count, bytes))
      this.#lastCount = group.length
      try {
        await this.#checkNowAndThen()
        await this.#commit(group)
        await this.rollIfFull()
      } catch (thrown) {
        // Not a failure of the disk: a mistake of ours, after which nothing is certain.
        this.#break('an unexpected error')
        refuse(group, 'an unexpected error', thrown)
      }
      this.#count(group)
    }
    this.#isRunning = false
  }

  /**
   * Entries share a group with those that this turn of the event loop still brings, and the next ones, as long as each
   * brings another: a sync costs as much as a request. On a quiet door, where the last group was of one request, only
   * those that come at once do: a turn for nobody costs it some microseconds.
   */
  async #gather(): Promise<void> {
    if (this.#lastCount <= ALONE_ENTRIES) return
    let before = -1
    while (this.#takenIn > before && this.#queue.count < GROUP_ENTRIES) {
      before = this.#takenIn
      await nextTurn()
    }
  }

  #count(group: readonly Waiting[]): void {
    this.#settledCount += group.length
    // In the order in which they were asked for, so the first ones are done first.
    while ((this.#flushes[0]?.upTo ?? Infinity) <= this.#settledCount) this.#flushes.shift()?.resolve()
  }

  #isEnough(count: number, bytes: number): boolean {
    const endsBundle = (this.#parts.range.size + count) % BUNDLE === 0
    return bytes >= GROUP_BYTES || (endsBundle && this.#active.bytes + bytes >= this.#parts.segmentBytes)
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    if (this.#broken !== undefined) return refuse(group, this.#broken)
    const { space } = this.#parts
    // The entry may still fit, but what it speaks of is written after it, beside the ledger.
    if (space.isFull && group.some((entry) => entry.reserved)) await space.releaseReserve()
    const result = await this.#write(group)
    if (result.kind === 'broken') {
      this.#break(result.reason)
      return refuse(group, result.reason)
    }
    if (result.kind === 'durable') return
    space.markFull()
    const reserved = group.filter((entry) => entry.reserved)
    const ordinary = group.filter((entry) => !entry.reserved)
    refuse(ordinary, 'the disk is full')
    if (reserved.length === 0) return
    const again = (await space.releaseReserve()) ? await this.#write(reserved) : result
    if (again.kind === 'broken') this.#break(again.reason)
    if (again.kind !== 'durable') refuse(reserved, 'the disk is full')
  }

  async #write(group: readonly Waiting[]): Promise<Appended> {
    const { box, folder, range, space, roomBytes } = this.#parts
    const first = range.size
    const leaves = group.map((entry) => entry.leaf)
    const hashes = leaves.map(leafHash)
    const place = { segment: this.#active.first, form: 'group', first, count: group.length, hashes } as const
    const sealed = box.close(concat(...group.map((entry) => entry.record)), place)
    const bytes = encodeGroup(first, leaves, sealed)
    const lengthBefore = this.#active.length
    const room = Math.min(roomBytes, space.spareBeside(bytes.length))
    const appending = this.#active.append(bytes, room)
    box.begin(this.#active.first)
    const result = await appending
    space.add(this.#active.length - lengthBefore)
    if (result.kind !== 'durable') return result
    for (const [at, hash] of hashes.entries()) {
      range.append(hash)
      group[at]?.settle({ origin: folder.origin, index: first + at, leafHash: hash })
    }
    this.#parts.onDurable()
    return result
  }

  async #checkNowAndThen(): Promise<void> {
    const now = this.#parts.clock.monotonic()
    if (!this.#isOurs(now)) this.#break(NOT_OURS)
    if (now - this.#checkedAt < CHECK_MS || this.#broken !== undefined) return
    this.#checkedAt = now
    const wrong = await this.#active.check().catch(() => 'the ledger file cannot be looked at')
    if (wrong !== undefined) this.#break(wrong)
  }

  #isOurs(now: number): boolean {
    if (now - this.#oursAt < OURS_MS) return true
    this.#oursAt = now
    return this.#parts.isOurs()
  }

  #break(reason: string): void {
    this.#broken ??= reason
  }
}

/** The intent of one request, with the outcome of the one before it. */
const ALONE_ENTRIES = 2
/** With so many no more are waited for: intents and outcomes of eight requests, of which each bears an eighth of the sync. */
const GROUP_ENTRIES = 16
/** A group stays well below what a disk writes between two syncs of other programs. */
const GROUP_BYTES = 1_024 * 1_024
const CHECK_MS = 1_000
/** In so short a time no other process takes the lock, reads the log and writes to it; to look costs as much as a hash. */
const OURS_MS = 10
/** An outcome waits so long for an intent to share its sync with: else each one would make the next intent wait. */
const SOON_MS = 5

/** Two processes that append to one log would fork it. */
export const NOT_OURS = 'the lock of the home was taken away'

/** The fault for an entry that was not recorded. */
export function unwritable(reason: string, cause?: unknown): Fault {
  return new Fault('ledger.unwritable', { reason }, { cause })
}

function refuse(group: readonly Waiting[], reason: string, cause?: unknown): void {
  for (const entry of group) entry.settle(unwritable(reason, cause))
}
