import type { CompiledPolicy } from './compile_policy.ts'

/** Principal keys of a question, marked: `met[key]` is `question` where it meets the key. */
export interface Marks {
  readonly met: Float64Array
  readonly question: number
}

/** A cell with more keys than this has a bit for each key, so that a look-up that finds nothing costs next to nothing. */
const SMALL_MAX = 32
const BITS = 5

/** Policies that share an action and a resource key, by principal key. */
export class PolicyCell {
  readonly #keys: number[] = []
  readonly #lists: CompiledPolicy[][] = []
  readonly #places = new Map<number, number>()
  #bits: Uint32Array | undefined

  add(key: number, policy: CompiledPolicy): void {
    const place = this.#places.get(key)
    if (place !== undefined) {
      this.#lists[place]?.push(policy)
      return
    }
    this.#places.set(key, this.#keys.length)
    this.#keys.push(key)
    this.#lists.push([policy])
  }

  /** After the last `add`; keys are below `count`. */
  seal(count: number): void {
    if (this.#keys.length <= SMALL_MAX) return
    const bits = new Uint32Array((count >> BITS) + 1)
    for (const key of this.#keys) bits[key >> BITS] = (bits[key >> BITS] ?? 0) | (1 << (key & 31))
    this.#bits = bits
  }

  /** Adds the lists of policies under any of the keys. It walks its own keys or those of the question: the fewer. */
  find(keys: readonly number[], { met, question }: Marks, found: (readonly CompiledPolicy[])[]): void {
    const own = this.#keys
    if (own.length <= keys.length) {
      for (let place = 0; place < own.length; place++)
        if (met[own[place] ?? 0] === question) found.push(this.#lists[place] ?? [])
      return
    }
    for (const key of keys) {
      if (this.#bits !== undefined && ((this.#bits[key >> BITS] ?? 0) & (1 << (key & 31))) === 0) continue
      const list = this.#lists[this.#places.get(key) ?? -1]
      if (list !== undefined) found.push(list)
    }
  }
}
