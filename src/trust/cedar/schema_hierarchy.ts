import type { EntityRef } from '#base/decider.ts'
import { isSameRef, RefMap } from './ref_map.ts'
import type { Schema } from './schema_types.ts'

/** What can be in what, by a schema: entities by their types, actions one by one. Everything is in itself. */
export class SchemaHierarchy {
  readonly #typesAbove: ReadonlyMap<string, ReadonlySet<string>>
  readonly #actionsAbove = new RefMap<RefMap<true>>()

  constructor({ entities, actions }: Schema) {
    const typeParents = (type: string): Iterable<string> => entities.get(type)?.parents ?? []
    this.#typesAbove = new Map([...entities.keys()].map((type) => [type, allAbove(type, typeParents)]))
    const actionParents = new RefMap<readonly EntityRef[]>()
    for (const { ref, parents } of actions) actionParents.set(ref, parents)
    for (const { ref } of actions) this.#actionsAbove.set(ref, allRefsAbove(ref, actionParents))
  }

  /** True when an entity of the one type may be in one of the other. */
  isTypeIn(type: string, above: string): boolean {
    return type === above || this.#typesAbove.get(type)?.has(above) === true
  }

  isActionIn(action: EntityRef, above: EntityRef): boolean {
    return isSameRef(action, above) || this.#actionsAbove.get(action)?.has(above) === true
  }

  isAction(ref: EntityRef): boolean {
    return this.#actionsAbove.has(ref)
  }
}

function allAbove(start: string, parentsOf: (type: string) => Iterable<string>): Set<string> {
  const found = new Set(parentsOf(start))
  // A set that grows while it is walked gives what was added, too.
  for (const type of found) for (const parent of parentsOf(type)) found.add(parent)
  return found
}

function allRefsAbove(start: EntityRef, parents: RefMap<readonly EntityRef[]>): RefMap<true> {
  const found = new RefMap<true>()
  const open = [...(parents.get(start) ?? [])]
  for (let top = open.pop(); top !== undefined; top = open.pop())
    if (found.set(top, true)) open.push(...(parents.get(top) ?? []))
  return found
}
