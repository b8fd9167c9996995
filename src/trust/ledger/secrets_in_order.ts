import type { SecretRecord } from './sidecar.ts'

/** The secrets of entries, one after another: decoded all at once they would keep the collector busy. */
export class SecretsInOrder {
  readonly #records: Iterator<SecretRecord, void, undefined>
  #isWrong = false

  constructor(records: Iterable<SecretRecord, void, undefined>) {
    this.#records = records[Symbol.iterator]()
  }

  /** Those of the next entry; undefined where they were shredded, and where no record can be read any more. */
  take(): SecretRecord {
    const next = this.#next()
    if (next === undefined || next.done === true) {
      this.#isWrong = true
      return undefined
    }
    return next.value
  }

  /** Whether there was one for each entry, and is no more. */
  isAtEnd(): boolean {
    this.#isWrong ||= this.#next()?.done !== true
    return !this.#isWrong
  }

  #next(): IteratorResult<SecretRecord, void> | undefined {
    if (this.#isWrong) return undefined
    try {
      return this.#records.next()
    } catch (thrown) {
      if (thrown instanceof RangeError || thrown instanceof SyntaxError) return undefined
      throw thrown
    }
  }
}
