import type { JsonObject } from '#base/json.ts'
import type { Attribute } from './attribute.ts'
import type { Filter } from './filter.ts'
import { FilterWork } from './filter_work.ts'
import { scimFault } from './scim_fault.ts'
import type { Values } from './value_list.ts'

/** Which members of a group stay, come and go. */
export interface MemberEdits {
  /** True when none of those that were there stays unless it is added. */
  readonly isCleared: boolean
  readonly added: ReadonlySet<string>
  readonly removed: ReadonlySet<string>
}

/** The members of a group, of which there may be many: only what changes is kept, and all are walked only for a rare filter. */
export class MemberList implements Values, MemberEdits {
  readonly #work: FilterWork
  readonly #before: () => Iterable<JsonObject>
  readonly #added = new Set<string>()
  readonly #removed = new Set<string>()
  #isCleared = false

  constructor(attribute: Attribute, before: () => Iterable<JsonObject>) {
    this.#work = new FilterWork(attribute)
    this.#before = before
  }

  get isCleared(): boolean {
    return this.#isCleared
  }

  get added(): ReadonlySet<string> {
    return this.#added
  }

  get removed(): ReadonlySet<string> {
    return this.#removed
  }

  clear(): void {
    this.#isCleared = true
    this.#added.clear()
    this.#removed.clear()
  }

  add(values: readonly JsonObject[]): void {
    for (const id of idsOf(values)) {
      this.#removed.delete(id)
      this.#added.add(id)
    }
  }

  remove(values: readonly JsonObject[]): void {
    for (const id of idsOf(values)) this.#remove(id)
  }

  removeMatching(filter: Filter): void {
    const id = idIn(filter)
    if (id !== undefined) this.#remove(id)
    else for (const member of this.#matching(filter)) this.#remove(member)
  }

  /** What a member is cannot be changed, only who is one. */
  replaceMatching(): never {
    throw scimFault('mutability', 'A member is added or removed, not changed.')
  }

  #remove(id: string): void {
    this.#added.delete(id)
    this.#removed.add(id)
  }

  #matching(filter: Filter): readonly string[] {
    const before = this.#isCleared ? [] : [...this.#before()]
    const added = [...this.#added].map((value): JsonObject => ({ value }))
    const members = [...before, ...added]
    return idsOf(members.filter(this.#work.matcherOf(filter, members.length)))
  }
}

function idsOf(members: readonly JsonObject[]): readonly string[] {
  return members.map(({ value }) => {
    if (typeof value !== 'string')
      throw scimFault('invalidValue', 'A member has a "value", the id of a user.')
    return value
  })
}

/** The id of the only member that `value eq "…"` can match. */
function idIn(filter: Filter): string | undefined {
  if (filter.kind !== 'compare' || filter.comparison !== 'eq' || typeof filter.value !== 'string')
    return undefined
  const { urn, name, sub } = filter.path
  const isValue = name.toLowerCase() === 'value' && urn === undefined && sub === undefined
  return isValue ? filter.value : undefined
}
