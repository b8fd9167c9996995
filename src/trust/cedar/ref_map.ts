import type { EntityRef } from '#base/decider.ts'

/**
 * A map by entity reference. Two levels, so that a look-up makes no new string; the level below is remembered, because
 * references of one type come in rows.
 */
export class RefMap<T> {
  readonly #byType = new Map<string, Map<string, T>>()
  #lastType: string | undefined
  #lastById: Map<string, T> | undefined

  get({ type, id }: EntityRef): T | undefined {
    return this.#byId(type)?.get(id)
  }

  has({ type, id }: EntityRef): boolean {
    return this.#byId(type)?.has(id) === true
  }

  /** True when the reference was not there before. */
  set({ type, id }: EntityRef, value: T): boolean {
    let byId = this.#byId(type)
    if (byId === undefined) {
      byId = new Map()
      this.#byType.set(type, byId)
      this.#lastById = byId
    }
    const before = byId.size
    byId.set(id, value)
    return byId.size > before
  }

  #byId(type: string): Map<string, T> | undefined {
    if (type !== this.#lastType) {
      this.#lastType = type
      this.#lastById = this.#byType.get(type)
    }
    return this.#lastById
  }
}

export function isSameRef(left: EntityRef, right: EntityRef): boolean {
  return left === right || (left.id === right.id && left.type === right.type)
}
