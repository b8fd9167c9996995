import { sha256Hex } from '#base/crypto.ts'
import { printRef, type EntityRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { hashOf, isSameRef, RefMap } from './ref_map.ts'
import { canonicalText, EntityValue, isEqual, type RecordValue, type Value } from './values.ts'

/** What is known of an entity. It belongs to one part. */
export class EntityNode {
  readonly ref: EntityRef
  readonly parents: readonly EntityRef[]
  /** `hashOf` the reference. */
  readonly hash: number
  /** The keys of this entity in an index, by position; see `ScopeKeys`. */
  keys: (CachedKeys | undefined)[] | undefined
  /** The walk of its part that last came by. */
  walk = 0
  /** Where it stands in the list of its part. */
  place = 0
  readonly #attributes: RecordValue
  readonly #tags: RecordValue
  #value: EntityValue | undefined
  #part: EntityPart | undefined
  #above: Above | undefined
  #digest: string | undefined

  constructor(ref: EntityRef, parents: readonly EntityRef[], attributes: RecordValue, tags: RecordValue) {
    this.ref = ref
    this.parents = parents
    this.hash = hashOf(ref)
    this.#attributes = attributes
    this.#tags = tags
  }

  /** The entity as policies see it; the same object each time. */
  get value(): EntityValue {
    this.#value ??= new EntityValue(this.ref.type, this.ref.id)
    return this.#value
  }

  attribute(name: string): Value | undefined {
    return this.#attributes.fields.get(name)
  }

  tag(name: string): Value | undefined {
    return this.#tags.fields.get(name)
  }

  /** A hash of all that is said of the entity, worked out once. */
  get digest(): string {
    this.#digest ??= sha256Hex(
      JSON.stringify([
        printRef(this.ref),
        this.parents.map(printRef).sort(),
        canonicalText(this.#attributes),
        canonicalText(this.#tags),
      ]),
    )
    return this.#digest
  }

  /** True when both nodes say the same of an entity. */
  agrees(other: EntityNode): boolean {
    return (
      areAllIn(this.parents, other.parents) &&
      areAllIn(other.parents, this.parents) &&
      isEqual(this.#attributes, other.#attributes) &&
      isEqual(this.#tags, other.#tags)
    )
  }

  /** For the part that takes it in. */
  join(part: EntityPart, place: number): void {
    this.#part = part
    this.place = place
  }

  /** All that it is in, as far as the entities of its own part say. Worked out once. */
  get above(): Above {
    this.#above ??= this.#part?.findAbove(this) ?? NOTHING_ABOVE
    return this.#above
  }
}

export interface CachedKeys {
  readonly owner: number
  readonly keys: readonly number[]
}

/** What an entity is in, directly and through others, each once and without itself. */
export class Above {
  readonly refs: readonly EntityRef[]
  /** `hashOf` each of `refs`. */
  readonly hashes: readonly number[]
  /** Those of `refs` that have no facts in the part; another part may know more. */
  readonly open: readonly EntityRef[]
  #set: RefMap<true> | undefined

  /** `nodes` begins with the entity itself. */
  constructor(nodes: readonly EntityNode[], open: readonly EntityRef[]) {
    const refs: EntityRef[] = []
    const hashes: number[] = []
    for (let at = 1; at < nodes.length; at++) {
      const node = nodes[at]
      if (node === undefined) break
      refs.push(node.ref)
      hashes.push(node.hash)
    }
    for (const ref of open) {
      refs.push(ref)
      hashes.push(hashOf(ref))
    }
    this.refs = refs
    this.hashes = hashes
    this.open = open
  }

  has(ref: EntityRef): boolean {
    if (this.refs.length <= WALKED_MAX) return this.refs.some((above) => isSameRef(above, ref))
    if (this.#set === undefined) {
      this.#set = new RefMap()
      for (const above of this.refs) this.#set.set(above, true)
    }
    return this.#set.has(ref)
  }
}

/** As many references are walked faster than they are put in a map. */
const WALKED_MAX = 8
const NOTHING_ABOVE = new Above([], [])

/** Entities that are prepared together and never change. Throws Fault `internal.bug` for two accounts of one entity. */
export class EntityPart {
  readonly list: readonly EntityNode[]
  readonly #nodes: RefMap<EntityNode>
  #walks = 0

  constructor(nodes: readonly EntityNode[]) {
    this.list = nodes
    this.#nodes = new RefMap(nodes.length)
    for (const [place, node] of nodes.entries()) {
      node.join(this, place)
      if (!this.#nodes.set(node.ref, node, node.hash)) checkSame(node, nodes)
    }
  }

  get(ref: EntityRef): EntityNode | undefined {
    return this.#nodes.get(ref)
  }

  findAbove(start: EntityNode): Above {
    const walk = ++this.#walks
    start.walk = walk
    const nodes = [start]
    const open: EntityRef[] = []
    let last: EntityRef | undefined
    let next = 0
    // Grows while it is walked.
    for (const { parents } of nodes) {
      for (const ref of parents) {
        // Neighbours often share a parent, and the very object that names it.
        if (ref === last) continue
        last = ref
        // Groups mostly stand in the list as they stand in the parents of who is in them.
        const near = this.list[next]
        const parent = near?.ref === ref ? near : this.#nodes.get(ref)
        if (parent === undefined) open.push(ref)
        else next = parent.place + 1
        if (parent === undefined || parent.walk === walk) continue
        parent.walk = walk
        nodes.push(parent)
      }
    }
    return new Above(nodes, open.length < 2 ? open : distinct(open))
  }
}

function distinct(refs: readonly EntityRef[]): readonly EntityRef[] {
  const seen = new RefMap<true>(refs.length)
  return refs.filter((ref) => seen.set(ref, true))
}

/** The entities of one question. Throws Fault `internal.bug` when two parts say different things of one entity. */
export class EntityStore {
  readonly #parts: readonly EntityPart[]
  readonly #actions: EntityPart

  /** `actions` are those of the schema, of which no part says anything. */
  constructor(parts: readonly EntityPart[], actions: EntityPart) {
    this.#parts = parts
    this.#actions = actions
    for (let index = 1; index < parts.length; index++) this.#checkPart(index)
  }

  find(ref: EntityRef): EntityNode | undefined {
    for (const part of this.#parts) {
      const node = part.get(ref)
      if (node !== undefined) return node
    }
    return this.#actions.get(ref)
  }

  /** As `find`, for what is most likely an action of the schema. */
  findAction(ref: EntityRef): EntityNode | undefined {
    return this.#actions.get(ref) ?? this.find(ref)
  }

  /** A short hash of all facts, whatever their order and their parts. */
  version(): string {
    const digests = this.#parts.flatMap(({ list }) => list.map(({ digest }) => digest))
    return sha256Hex(digests.sort().join('\n')).slice(0, VERSION_CHARACTERS)
  }

  /** Cedar's `in`: an entity is in itself, in its parents and in all that these are in. */
  isIn(ref: EntityRef, ancestor: EntityRef): boolean {
    if (isSameRef(ref, ancestor)) return true
    const node = this.find(ref)
    if (node === undefined) return false
    if (node.above.has(ancestor)) return true
    if (node.above.open.length === 0) return false
    return this.aboves(node).some((above) => above.has(ancestor))
  }

  /** What an entity is in, over all parts; what stands in several of them may come twice. */
  aboves(node: EntityNode): readonly Above[] {
    const nodes = [node]
    let seen: Set<EntityNode> | undefined
    // Grows while it is walked. Mostly no other part knows more, and then there is no set.
    for (const { above } of nodes) {
      for (const ref of above.open) {
        const next = this.find(ref)
        if (next === undefined) continue
        seen ??= new Set(nodes)
        if (seen.has(next)) continue
        seen.add(next)
        nodes.push(next)
      }
    }
    return nodes.map(({ above }) => above)
  }

  /** Two accounts of one entity would make the order of a list decide what is permitted. */
  #checkPart(index: number): void {
    const part = this.#parts[index]
    for (let before = 0; before < index; before++) {
      const other = this.#parts[before]
      if (other === undefined || part === undefined) continue
      const [few, many] = part.list.length < other.list.length ? [part, other] : [other, part]
      for (const node of few.list) {
        const same = many.get(node.ref)
        if (same !== undefined && !same.agrees(node)) refuseTwo(node)
      }
    }
  }
}

/** 64 bits: it tells versions apart, and proves nothing. */
const VERSION_CHARACTERS = 16

function areAllIn(refs: readonly EntityRef[], others: readonly EntityRef[]): boolean {
  return refs.every((ref) => others.some((other) => isSameRef(other, ref)))
}

function checkSame(node: EntityNode, nodes: readonly EntityNode[]): void {
  for (const other of nodes) if (isSameRef(other.ref, node.ref) && !other.agrees(node)) refuseTwo(node)
}

function refuseTwo({ ref }: EntityNode): never {
  throw new Fault('internal.bug', { error: `a question says two things of ${printRef(ref)}` })
}
