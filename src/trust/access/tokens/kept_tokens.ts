/**
 * A map that holds at most `most` values and forgets those that were used longest ago, roughly: two halves, of which the
 * older one is forgotten when the younger one is full. What is used moves to the younger one. A look-up is one or two of a
 * map, which keeping the exact order is not.
 */
export class KeptTokens<T> {
  readonly #half: number
  #young = new Map<string, T>()
  #old = new Map<string, T>()

  constructor(most: number) {
    this.#half = Math.max(1, Math.floor(most / 2))
  }

  get size(): number {
    return this.#young.size + this.#old.size
  }

  get(name: string): T | undefined {
    const young = this.#young.get(name)
    if (young !== undefined) return young
    const old = this.#old.get(name)
    if (old === undefined) return undefined
    this.#old.delete(name)
    this.set(name, old)
    return old
  }

  set(name: string, value: T): void {
    if (this.#young.size >= this.#half && !this.#young.has(name)) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(name, value)
  }

  delete(name: string): void {
    this.#young.delete(name)
    this.#old.delete(name)
  }
}
