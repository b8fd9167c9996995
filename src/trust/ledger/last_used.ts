/** Values by their keys, of which those are kept that were put last. */
export class LastUsed<Key, Value> {
  readonly #most: number
  /** The one that was put last stands at the end. */
  readonly #values = new Map<Key, Value>()

  /** `most`: how many are kept. */
  constructor(most: number) {
    this.#most = most
  }

  get(key: Key): Value | undefined {
    return this.#values.get(key)
  }

  /** Keeps a value, new or used again. */
  put(key: Key, value: Value): void {
    this.#values.delete(key)
    this.#values.set(key, value)
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= this.#most) return
      this.#values.delete(oldest)
    }
  }
}
