import type { EntityRef } from '#base/decider.ts'

/** A map by entity reference. Two levels, so that a look-up makes no new string. */
export class RefMap<T> {
  readonly #byType = new Map<string, Map<string, T>>()

  get({ type, id }: EntityRef): T | undefined {
    return this.#byType.get(type)?.get(id)
  }

  has({ type, id }: EntityRef): boolean {
    return this.#byType.get(type)?.has(id) === true
  }

  set({ type, id }: EntityRef, value: T): void {
    const byId = this.#byType.get(type)
    if (byId === undefined) this.#byType.set(type, new Map([[id, value]]))
    else byId.set(id, value)
  }

  *values(): Generator<T> {
    for (const byId of this.#byType.values()) yield* byId.values()
  }
}

export function isSameRef(left: EntityRef, right: EntityRef): boolean {
  return left === right || (left.id === right.id && left.type === right.type)
}
