import { LIMITS } from '#base/limits.ts'
import type { Receipt } from '#base/recorder.ts'

/** An entry that waits to be written. */
export interface Waiting {
  readonly leaf: Uint8Array
  /** Its encoded secrets. */
  readonly record: Uint8Array
  readonly reserved: boolean
  /** Somebody waits until it is on disk. */
  readonly isAwaited: boolean
  settle(result: Receipt | Error): void
}

/** Room that one entry takes in a segment beside leaf and record: its frame and a share of its group's. */
const OVERHEAD_BYTES = 64

export function bytesOf(waiting: Pick<Waiting, 'leaf' | 'record'>): number {
  return waiting.leaf.length + waiting.record.length + OVERHEAD_BYTES
}

/** Entries in the order in which they came, bounded in bytes; the last part of the room is for reserved entries. */
export class EntryQueue {
  #waiting: Waiting[] = []
  #bytes = 0

  get bytes(): number {
    return this.#bytes
  }

  get count(): number {
    return this.#waiting.length
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** False when there is no room. */
  offer(entry: Waiting): boolean {
    const room = entry.reserved
      ? LIMITS.ledgerQueueBytes
      : LIMITS.ledgerQueueBytes - LIMITS.ledgerReservedQueueBytes
    const bytes = bytesOf(entry)
    if (this.#bytes + bytes > room) return false
    this.#waiting.push(entry)
    this.#bytes += bytes
    return true
  }

  /** Takes entries off the front until `isEnough` says so or none is left. */
  take(isEnough: (count: number, bytes: number) => boolean): readonly Waiting[] {
    let count = 0
    let bytes = 0
    for (const entry of this.#waiting) {
      if (count > 0 && isEnough(count, bytes)) break
      count += 1
      bytes += bytesOf(entry)
    }
    this.#bytes -= bytes
    const taken = this.#waiting.slice(0, count)
    this.#waiting = this.#waiting.slice(count)
    return taken
  }
}
