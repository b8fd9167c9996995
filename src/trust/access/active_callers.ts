import type { CallerRecord } from './directory_record.ts'

/**
 * The callers of whom is kept what was worked out for their decisions, which the decider keeps too: several KiB each. While
 * there is room, everyone is. Then one who comes again soon takes the place of one that has not come by for a while (the
 * clock algorithm); of others it is worked out when they come, and kept by nobody.
 */
export class ActiveCallers {
  readonly #room: number
  readonly #slots: CallerRecord[] = []
  #hand = 0
  #misses = 0

  constructor(room: number) {
    this.#room = room
  }

  /** For a caller of whom nothing is kept, or nothing that still holds. True when it may be kept now. */
  admit(caller: CallerRecord): boolean {
    if (caller.isActive) return true
    const isBack = caller.missedAt > 0 && this.#misses - caller.missedAt < this.#room
    caller.missedAt = ++this.#misses
    if (this.#slots.length < this.#room) this.#slots.push(caller)
    else if (isBack) this.#slots[this.#free()] = caller
    else return false
    return (caller.isActive = true)
  }

  /** Ends after one round at most: each that is passed is marked as not used. */
  #free(): number {
    for (;;) {
      const at = this.#hand
      this.#hand = (at + 1) % this.#room
      const other = this.#slots[at]
      if (other?.isUsed !== true) {
        if (other !== undefined) forget(other)
        return at
      }
      other.isUsed = false
    }
  }
}

function forget(caller: CallerRecord): void {
  caller.isActive = false
  caller.facts = undefined
  caller.proven = []
}
