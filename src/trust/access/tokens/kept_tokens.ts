/**
 * A map whose values weigh at most `most` together and that forgets those that were used longest ago, roughly: two halves, of
 * which the older one is forgotten when the younger one is full. What is used moves to the younger one. A look-up is one or
 * two of a map, which keeping the exact order is not. A value of more than half is not kept.
 */
export class KeptTokens<T> {
  readonly #half: number
  readonly #weigh: (value: T) => number
  #young = new Map<string, T>()
  #old = new Map<string, T>()
  /** Of the younger half. What is deleted from it still counts, so that it can only be full too early. */
  #weight = 0

  constructor(most: number, weigh: (value: T) => number = () => 1) {
    this.#half = Math.max(1, Math.floor(most / 2))
    this.#weigh = weigh
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
    const weight = this.#weigh(value)
    if (weight > this.#half) return this.delete(name)
    if (this.#weight + weight > this.#half) {
      this.#old = this.#young
      this.#young = new Map()
      this.#weight = 0
    }
    this.#old.delete(name)
    this.#young.set(name, value)
    this.#weight += weight
  }

  delete(name: string): void {
    this.#young.delete(name)
    this.#old.delete(name)
  }
}
