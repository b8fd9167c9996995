/** Shares the event loop among all long work that asks here: one piece of it runs per turn of the loop, first come first served. */
export class Turns {
  readonly #waiting: (() => void)[] = []

  /** Resolves when the caller may do its next piece of work, which ends where it awaits again. */
  async next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
      if (this.#waiting.length === 1) this.#giveLater()
    })
  }

  #giveLater(): void {
    setImmediate(() => {
      const [first] = this.#waiting
      first?.()
      this.#waiting.shift()
      if (this.#waiting.length > 0) this.#giveLater()
    })
  }
}
