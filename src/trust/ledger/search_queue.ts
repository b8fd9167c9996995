import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'

/** For whom a search is made. */
export interface Asker {
  /** Goes before all that are not urgent: an operator must learn what goes on while callers ask without end. */
  readonly isUrgent?: boolean
  /** Whose searches are counted together; without one only the total is bounded. */
  readonly caller?: string
}

interface Lane {
  /** Searches that wait or run. */
  size: number
  readonly waiting: (() => void)[]
}

/** Lets one search run at a time. The urgent have a lane of their own, which nobody else can fill. */
export class SearchQueue {
  readonly #urgent: Lane = { size: 0, waiting: [] }
  readonly #ordinary: Lane = { size: 0, waiting: [] }
  readonly #ofCaller = new Map<string, number>()
  #isBusy = false

  /** Throws `load.exceeded` when too many searches of this kind or of this caller wait, else what the search throws. */
  async run<Result>(search: () => Promise<Result>, { isUrgent = false, caller }: Asker): Promise<Result> {
    const lane = isUrgent ? this.#urgent : this.#ordinary
    const isFull = lane.size >= LIMITS.entrySearches
    if (isFull || this.#countOf(caller) >= LIMITS.entrySearchesPerCaller)
      throw new Fault('load.exceeded', {}, { retryAfterSeconds: 1 })
    this.#count(lane, caller, 1)
    try {
      await this.#turn(lane)
      return await search()
    } finally {
      this.#count(lane, caller, -1)
      this.#wakeNext()
    }
  }

  async #turn({ waiting }: Lane): Promise<void> {
    if (this.#isBusy) return new Promise((resolve) => waiting.push(resolve))
    this.#isBusy = true
  }

  /** The one that is woken takes the turn over, so that nobody comes in between. */
  #wakeNext(): void {
    const next = this.#urgent.waiting.shift() ?? this.#ordinary.waiting.shift()
    if (next === undefined) this.#isBusy = false
    else next()
  }

  #count(lane: Lane, caller: string | undefined, change: 1 | -1): void {
    lane.size += change
    if (caller === undefined) return
    const count = this.#countOf(caller) + change
    if (count === 0) this.#ofCaller.delete(caller)
    else this.#ofCaller.set(caller, count)
  }

  #countOf(caller: string | undefined): number {
    return caller === undefined ? 0 : (this.#ofCaller.get(caller) ?? 0)
  }
}
