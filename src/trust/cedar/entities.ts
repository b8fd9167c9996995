import { sha256Hex } from '#base/crypto.ts'
import { printRef, type EntityRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import type { EntityAccount } from './entity_account.ts'
import { hashOf, isSameRef, NOWHERE, RefMap, RefNumbers } from './ref_map.ts'
import type { EntityValue, Value } from './values.ts'

/** An entity in its part: only there can be said what it is in. */
export class EntityNode {
  readonly account: EntityAccount
  /** The keys of this entity in an index, by position; see `ScopeKeys`. */
  keys: (CachedKeys | undefined)[] | undefined
  readonly #part: EntityPart
  readonly #place: number
  #above: Above | undefined

  constructor(account: EntityAccount, part: EntityPart, place: number) {
    this.account = account
    this.#part = part
    this.#place = place
  }

  get value(): EntityValue {
    return this.account.value
  }

  attribute(name: string): Value | undefined {
    return this.account.attribute(name)
  }

  tag(name: string): Value | undefined {
    return this.account.tag(name)
  }

  /** All that it is in, as far as the entities of its own part say. Worked out once. */
  get above(): Above {
    this.#above ??= this.#part.findAbove(this.#place)
    return this.#above
  }
}

export interface CachedKeys {
  readonly owner: number
  readonly keys: readonly number[]
}

/** What an entity is in, directly and through others, each once and without itself. */
export class Above {
  /** Those of which its part has an account. */
  readonly known: readonly EntityAccount[]
  /** Those that have no facts in the part; another part may know more. */
  readonly open: readonly EntityRef[]
  #set: RefMap<true> | undefined

  constructor(known: readonly EntityAccount[], open: readonly EntityRef[]) {
    this.known = known
    this.open = open
  }

  has(ref: EntityRef): boolean {
    const { known, open } = this
    if (known.length + open.length <= WALKED_MAX)
      return known.some((above) => isSameRef(above.ref, ref)) || open.some((above) => isSameRef(above, ref))
    this.#set ??= setOf(known, open)
    return this.#set.has(ref)
  }
}

function setOf(known: readonly EntityAccount[], open: readonly EntityRef[]): RefMap<true> {
  const set = new RefMap<true>(known.length + open.length)
  for (const above of known) set.set(above.ref, true, above.hash)
  for (const above of open) set.set(above, true)
  return set
}

/** As many references are walked faster than they are put in a map. */
const WALKED_MAX = 8

/**
 * Entities that are prepared together and never change. Only those that are asked for become nodes: a caller may bring
 * dozens of groups that no policy speaks of. Throws Fault `internal.bug` for two accounts of one entity.
 */
export class EntityPart {
  /** Each entity once. */
  readonly list: readonly EntityAccount[]
  readonly #places: RefNumbers
  readonly #nodes: (EntityNode | undefined)[] = []

  constructor(accounts: readonly EntityAccount[]) {
    const places = new RefNumbers(accounts.length)
    const list: EntityAccount[] = []
    for (const account of accounts) {
      const place = places.add(account.ref, account.hash)
      const known = list[place]
      if (known === undefined) list.push(account)
      else if (!known.agrees(account)) refuseTwo(account)
    }
    this.list = list
    this.#places = places
  }

  get(ref: EntityRef): EntityNode | undefined {
    const place = this.#places.find(ref, hashOf(ref))
    return place === NOWHERE ? undefined : (this.#nodes[place] ?? this.#makeNode(place))
  }

  account(ref: EntityRef, hash = hashOf(ref)): EntityAccount | undefined {
    const place = this.#places.find(ref, hash)
    return place === NOWHERE ? undefined : this.list[place]
  }

  findAbove(start: number): Above {
    const { list } = this
    const walk = new Walk(list.length)
    walk.enter(start)
    const known: EntityAccount[] = []
    const open: EntityRef[] = []
    let last: EntityRef | undefined
    let near = 0
    let account = list[start]
    for (let next = 0; account !== undefined; account = known[next++]) {
      for (const ref of account.parents) {
        // Neighbours often share a parent, and the very object that names it.
        if (ref === last) continue
        last = ref
        // Groups mostly stand in the list as they stand in the parents of who is in them.
        const place = list[near]?.ref === ref ? near : this.#places.find(ref, hashOf(ref))
        const parent = list[place]
        if (parent === undefined) open.push(ref)
        else if (walk.enter(place)) known.push(parent)
        if (parent !== undefined) near = place + 1
      }
    }
    return new Above(known, open.length < 2 ? open : distinct(open))
  }

  #makeNode(place: number): EntityNode | undefined {
    const account = this.list[place]
    return account && (this.#nodes[place] = new EntityNode(account, this, place))
  }
}

/** Marks places of one list, each walk anew; a list of marks for each would be made and thrown away for each caller. */
class Walk {
  static #marks = new Float64Array(64)
  static #walks = 0
  readonly #number: number

  constructor(places: number) {
    if (Walk.#marks.length < places) Walk.#marks = new Float64Array(places * 2)
    this.#number = ++Walk.#walks
  }

  /** True when this walk was not there before. */
  enter(place: number): boolean {
    if (Walk.#marks[place] === this.#number) return false
    Walk.#marks[place] = this.#number
    return true
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
      for (const account of few.list) {
        const same = many.account(account.ref, account.hash)
        if (same !== undefined && !same.agrees(account)) refuseTwo(account)
      }
    }
  }
}

/** 64 bits: it tells versions apart, and proves nothing. */
const VERSION_CHARACTERS = 16

function refuseTwo({ ref }: EntityAccount): never {
  throw new Fault('internal.bug', { error: `a question says two things of ${printRef(ref)}` })
}
