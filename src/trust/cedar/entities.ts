import type { EntityFacts, EntityRef } from '#base/decider.ts'
import { toRecordValue } from './policy_value.ts'
import { isSameRef, RefMap } from './ref_map.ts'
import { EntityValue, type RecordValue, type Value } from './values.ts'

/** An entity that is known: a value that also knows its facts, and all that it is in. */
export class EntityNode {
  readonly ref: EntityRef
  readonly value: EntityValue
  readonly parents: readonly EntityRef[]
  /** The keys of this entity in an index, by position; see `ScopeKeys`. */
  readonly keys: (CachedKeys | undefined)[] = [undefined, undefined, undefined]
  readonly #read: () => EntityValues
  #values: EntityValues | undefined
  #above: Above | undefined

  constructor(ref: EntityRef, parents: readonly EntityRef[], read: () => EntityValues) {
    this.ref = ref
    this.value = new EntityValue(ref.type, ref.id)
    this.parents = parents
    this.#read = read
  }

  attribute(name: string): Value | undefined {
    this.#values ??= this.#read()
    return this.#values.attributes.fields.get(name)
  }

  tag(name: string): Value | undefined {
    this.#values ??= this.#read()
    return this.#values.tags?.fields.get(name)
  }

  /** All that it is in, as far as the entities of its own part say. Worked out once. */
  above(part: EntityPart): Above {
    this.#above ??= findAbove(this, part)
    return this.#above
  }
}

export interface EntityValues {
  readonly attributes: RecordValue
  readonly tags: RecordValue | undefined
}

export interface CachedKeys {
  readonly owner: number
  readonly keys: readonly number[]
}

/** What an entity is in, directly and through others, without itself. */
export interface Above {
  readonly refs: readonly EntityRef[]
  readonly set: RefMap<true>
  /** Those of `refs` that have no facts in the part; another part may know more. */
  readonly open: readonly EntityRef[]
}

/** Entities that are prepared together and never change. */
export class EntityPart {
  readonly nodes = new RefMap<EntityNode>()

  constructor(nodes: Iterable<EntityNode>) {
    for (const node of nodes) this.nodes.set(node.ref, node)
  }
}

export function nodeOfFacts(facts: EntityFacts): EntityNode {
  return new EntityNode(facts.ref, facts.parents, () => ({
    attributes: toRecordValue(facts.attributes),
    tags: undefined,
  }))
}

function findAbove(node: EntityNode, part: EntityPart): Above {
  const refs: EntityRef[] = []
  const open: EntityRef[] = []
  const set = new RefMap<true>()
  const waiting: EntityRef[] = [...node.parents]
  for (let ref = waiting.pop(); ref !== undefined; ref = waiting.pop()) {
    if (set.has(ref)) continue
    set.set(ref, true)
    refs.push(ref)
    const parent = part.nodes.get(ref)
    if (parent === undefined) open.push(ref)
    else for (const above of parent.parents) waiting.push(above)
  }
  return { refs, set, open }
}

/** The entities of one question. */
export class EntityStore {
  readonly #parts: readonly EntityPart[]

  constructor(parts: readonly EntityPart[]) {
    this.#parts = parts
  }

  find(ref: EntityRef): EntityNode | undefined {
    for (const part of this.#parts) {
      const node = part.nodes.get(ref)
      if (node !== undefined) return node
    }
    return undefined
  }

  /** Cedar's `in`: an entity is in itself, in its parents and in all that these are in. */
  isIn(ref: EntityRef, ancestor: EntityRef): boolean {
    if (isSameRef(ref, ancestor)) return true
    const node = this.find(ref)
    if (node === undefined) return false
    for (const above of this.aboves(node)) if (above.set.has(ancestor)) return true
    return false
  }

  /** What an entity is in, over all parts. */
  aboves(node: EntityNode): readonly Above[] {
    const first = node.above(this.#partOf(node))
    if (first.open.length === 0 || this.#parts.length === 1) return [first]
    const aboves = [first]
    const seen = new Set<EntityNode>([node])
    // Grows while it is walked.
    for (const { open } of aboves) {
      for (const ref of open) {
        const next = this.find(ref)
        if (next === undefined || seen.has(next)) continue
        seen.add(next)
        aboves.push(next.above(this.#partOf(next)))
      }
    }
    return aboves
  }

  #partOf(node: EntityNode): EntityPart {
    return this.#parts.find((part) => part.nodes.get(node.ref) === node) ?? new EntityPart([node])
  }
}
