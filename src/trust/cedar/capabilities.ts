/**
 * What is known to be there when an expression is evaluated: attributes and tags for which a `has` or a `hasTag` was
 * true before, by their keys.
 */
export class Capabilities {
  readonly #outer: Capabilities | undefined
  readonly #keys = new Set<string>()

  constructor(outer?: Capabilities) {
    this.#outer = outer
  }

  has(key: string): boolean {
    // As many steps as expressions stand in each other, which has a limit.
    return this.#keys.has(key) || this.#outer?.has(key) === true
  }

  add(keys: ReadonlySet<string>): this {
    for (const key of keys) this.#keys.add(key)
    return this
  }
}
