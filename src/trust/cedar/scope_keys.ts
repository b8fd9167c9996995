import type { EntityRef } from '#base/decider.ts'
import type { Above, EntityNode, EntityStore } from './entities.ts'
import { RefMap } from './ref_map.ts'

/** What one position of a scope may ask: one key for each distinct constraint of a policy set. */
export type ScopeKey =
  | { readonly kind: 'any' }
  | { readonly kind: 'equal'; readonly entity: EntityRef }
  | { readonly kind: 'in'; readonly entity: EntityRef }
  | { readonly kind: 'is'; readonly type: string }

/** The key of a scope that asks nothing; it matches every entity. */
const ANY = 0

let owners = 0

/**
 * Numbers the constraints that a policy set makes at one position (principal, action or resource), and says which of
 * them an entity meets. What an entity meets is kept with its node, so that it is worked out once for each policy set.
 */
export class ScopeKeys {
  readonly #position: 0 | 1 | 2
  /** A number and not this object, so that a node that nobody asks about does not keep an old policy set alive. */
  readonly #owner = ++owners
  readonly #equal = new RefMap<number>()
  readonly #in = new RefMap<number>()
  readonly #is = new Map<string, number>()
  #count = 1

  constructor(position: 0 | 1 | 2) {
    this.#position = position
  }

  get count(): number {
    return this.#count
  }

  keyOf(key: ScopeKey): number {
    switch (key.kind) {
      case 'any':
        return ANY
      case 'equal':
        return this.#number(this.#equal, key.entity)
      case 'in':
        return this.#number(this.#in, key.entity)
      case 'is': {
        const known = this.#is.get(key.type)
        if (known !== undefined) return known
        this.#is.set(key.type, this.#count)
        return this.#count++
      }
    }
  }

  /** The keys that an entity meets, each once. */
  keysFor(ref: EntityRef, node: EntityNode | undefined, entities: EntityStore): readonly number[] {
    if (node === undefined) return this.#ownKeys(ref)
    const own = this.#keysInPart(ref, node)
    if (node.above.open.length === 0) return own
    // What other parts add may change from one question to the next.
    const aboves = entities.aboves(node)
    if (aboves.length === 1) return own
    const keys = [...own]
    for (const above of aboves) this.#addAbove(keys, above)
    return [...new Set(keys)]
  }

  #keysInPart(ref: EntityRef, node: EntityNode): readonly number[] {
    const cached = node.keys?.[this.#position]
    if (cached !== undefined && cached.owner === this.#owner) return cached.keys
    const keys = this.#ownKeys(ref)
    this.#addAbove(keys, node.above)
    node.keys ??= [undefined, undefined, undefined]
    node.keys[this.#position] = { owner: this.#owner, keys }
    return keys
  }

  #number(map: RefMap<number>, entity: EntityRef): number {
    const known = map.get(entity)
    if (known !== undefined) return known
    map.set(entity, this.#count)
    return this.#count++
  }

  #ownKeys(ref: EntityRef): number[] {
    const keys = [ANY]
    for (const key of [this.#is.get(ref.type), this.#equal.get(ref), this.#in.get(ref)])
      if (key !== undefined) keys.push(key)
    return keys
  }

  #addAbove(keys: number[], { known, open }: Above): void {
    for (const { ref, hash } of known) {
      const key = this.#in.get(ref, hash)
      if (key !== undefined) keys.push(key)
    }
    for (const ref of open) {
      const key = this.#in.get(ref)
      if (key !== undefined) keys.push(key)
    }
  }
}
