import type { Ledger } from '#trust/ledger/ledger.ts'

const LOOK_MS = 2
/** A checkpoint that does not come in this time never will. */
const MOST_MS = 30_000

/** Finds out when entries are covered by a signed checkpoint, by looking every other millisecond. */
export class ProvableWatch {
  readonly #ledger: Ledger
  // Numbers side by side: an object for each entry would be moved about by the collector, while others are timed.
  readonly #indexes: number[] = []
  readonly #started: number[] = []
  readonly #times: number[] = []
  readonly #timer: NodeJS.Timeout
  /** Those before it in the lists are provable. */
  #done = 0

  constructor(ledger: Ledger) {
    this.#ledger = ledger
    this.#timer = setInterval(() => this.#look(), LOOK_MS)
  }

  /** An entry that is on disk, of which the call began at `started`. In the order of their indexes. */
  add(index: number, started: number): void {
    this.#indexes.push(index)
    this.#started.push(started)
  }

  /** Milliseconds of each entry, once all are provable. Throws when that takes too long. */
  async finish(): Promise<number[]> {
    const until = performance.now() + MOST_MS
    while (this.#done < this.#indexes.length) {
      if (performance.now() > until) throw new Error('no checkpoint came')
      await new Promise((resolve) => void setTimeout(resolve, LOOK_MS))
    }
    clearInterval(this.#timer)
    return this.#times
  }

  #look(): void {
    const { size } = this.#ledger.checkpoints.newest.head
    const now = performance.now()
    for (; (this.#indexes[this.#done] ?? Infinity) < size; this.#done += 1)
      this.#times.push(now - (this.#started[this.#done] ?? now))
  }
}
