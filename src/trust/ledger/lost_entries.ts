import { Fault } from '#base/fault.ts'

/** Entries that nobody waited for and that could not be written: they are told until a note in the ledger counts them. */
export class LostEntries {
  #count = 0
  #refusal: Fault | undefined
  #recording: Promise<void> | undefined

  add(why: Fault): void {
    this.#count += 1
    this.#refusal ??= why
  }

  /** Why the first of them was lost, once: for the next entry to be refused with. */
  takeRefusal(): Fault | undefined {
    const refusal = this.#refusal
    this.#refusal = undefined
    return refusal
  }

  /** What an operator should know of it. */
  get problem(): string | undefined {
    return this.#count === 0 ? undefined : `${this.#count} entries were lost, and no note counts them yet`
  }

  /** Has what was lost written down by `write`, one note at a time; when that fails it stays for the next call. */
  record(write: (count: number) => Promise<unknown>): Promise<void> {
    this.#recording ??= this.#writeAll(write).finally(() => (this.#recording = undefined))
    return this.#recording
  }

  async #writeAll(write: (count: number) => Promise<unknown>): Promise<void> {
    try {
      // More may be lost while the note is written.
      for (let count = this.#count; count > 0; count = this.#count) {
        await write(count)
        this.#count -= count
      }
    } catch {
      // The same disk refused: `problem` goes on to tell of it, and `throwIfAny` at the end.
    }
  }

  /** Throws `ledger.unwritable` when something was lost that was not written down. */
  throwIfAny(): void {
    if (this.#count === 0) return
    const say = `${this.#count} entries were lost, and the ledger could not record that.`
    throw new Fault('ledger.unwritable', { lost: this.#count }, { say })
  }
}
