import type { EntityFacts, EntityRef } from '#base/decider.ts'
import { LIMITS } from '#base/limits.ts'
import { ActiveCallers } from './active_callers.ts'
import type { Caller } from './caller.ts'
import { keyCaller } from './caller_facts.ts'
import type { CallerFacts, TokenFacts, TokenUser } from './directory.ts'
import { isGroupName, isRoleName, isUserName } from './directory_names.ts'
import type { CallerRecord, GroupRecord, SpaceRecord, TenantRecord } from './directory_record.ts'
import type { DirectoryState } from './directory_state.ts'
import type { KeyRecord } from './key_record.ts'
import { toLimitTerms } from './limit_terms.ts'

export const DEFAULT_SPACE = 'default'
const NOTHING = Object.freeze({})
/** Callers that are kept by key, besides the last one: hardly anybody uses more keys at once. */
const MAX_PROVEN = 7

/**
 * What the decider is told of callers. A group, a space, a tenant and a role have one account each, which all callers in
 * them share, so that the decider prepares it once; it is made anew after a change of anything that many may be in.
 */
export class DirectoryFacts {
  readonly #state: DirectoryState
  readonly #active = new ActiveCallers(LIMITS.activeCallers)

  constructor(state: DirectoryState) {
    this.#state = state
  }

  /** The same object until something of it may have changed, if it is kept. */
  of(caller: CallerRecord): CallerFacts {
    const { facts } = caller
    caller.isUsed = true
    if (facts !== undefined && caller.factsEpoch >= this.#state.shape) return facts
    const { kind, name, space, groups, roles } = caller
    const made = this.#join({ type: kind, id: name }, { space, groups, roles })
    caller.proven = []
    caller.factsEpoch = this.#state.shape
    caller.facts = this.#active.admit(caller) ? made : undefined
    return made
  }

  /** Who a key proves now. */
  provenBy({ kid, owner, scope, limits }: KeyRecord): Caller {
    const facts = this.of(owner)
    for (const caller of owner.proven) if (caller.kid === kid) return caller
    const caller = keyCaller(facts, kid, scope, toLimitTerms(limits))
    if (owner.facts !== undefined) owner.proven = [...owner.proven.slice(-MAX_PROVEN), caller]
    return caller
  }

  /** Another number once anything may have changed that `of` says. */
  epochOf({ epoch }: CallerRecord): number {
    return Math.max(epoch, this.#state.shape)
  }

  ofToken(user: TokenUser): TokenFacts {
    const { groups = [], roles = [] } = user
    const known = this.#state.find(user.name)
    const space = known?.space ?? this.#state.spaces.get(user.space ?? DEFAULT_SPACE)
    const reason = objectionTo(user, { known, space, isAlike: this.#state.findAlike(user.name) !== known })
    if (reason !== undefined) return { kind: 'refused', reason }
    if (space === undefined) return { kind: 'refused', reason: 'space.unknown' }
    if (known !== undefined && groups.length === 0 && roles.length === 0)
      return { kind: 'facts', facts: this.of(known), known }
    const own = [...(known?.groups ?? [])]
    const found = groups.map((name) => this.#state.findGroup(name) ?? name)
    const facts = this.#join(
      { type: 'User', id: user.name },
      {
        space,
        groups: new Set([...own, ...found]),
        roles: new Set([...(known?.roles ?? []), ...roles]),
      },
    )
    return { kind: 'facts', facts, known }
  }

  #join(ref: EntityRef, { space, groups, roles }: Belonging): CallerFacts {
    const chain = this.#chain(space)
    const above = new Set<EntityFacts>()
    const parents: EntityRef[] = [this.#space(space).ref]
    for (const group of groups) parents.push(this.#addGroup(group, above).ref)
    for (const role of roles) parents.push(this.#addRole(role, above).ref)
    const own = factsOf(ref, parents)
    const entities = Object.freeze([own, ...above, ...chain])
    return Object.freeze({ ref: own.ref, entities, space: space.name })
  }

  /** Those that are directly given come first, in the order in which they are named; what they are in follows them. */
  #addGroup(group: GroupRecord | string, above: Set<EntityFacts>): EntityFacts {
    if (typeof group === 'string') {
      const facts = factsOf({ type: 'Group', id: group }, [])
      above.add(facts)
      return facts
    }
    const facts = this.#group(group)
    for (let at: GroupRecord | undefined = group; at !== undefined; at = at.parent) {
      const each = this.#group(at)
      if (above.has(each)) break
      above.add(each)
      for (const role of at.roles) this.#addRole(role, above)
    }
    return facts
  }

  #addRole(role: string, above: Set<EntityFacts>): EntityFacts {
    const facts = this.#role(role)
    above.add(facts)
    return facts
  }

  #group(group: GroupRecord): EntityFacts {
    return this.#kept(group, () => {
      const parents = [...group.roles].map((role) => this.#role(role).ref)
      if (group.parent !== undefined) parents.unshift(this.#group(group.parent).ref)
      return factsOf({ type: 'Group', id: group.name }, parents)
    })
  }

  #space(space: SpaceRecord): EntityFacts {
    return this.#kept(space, () => {
      const parent = parentOf(space)
      const parents = [this.#tenant(space.tenant).ref]
      if (parent !== undefined) parents.push(this.#space(parent).ref)
      return factsOf({ type: 'Space', id: space.name }, parents)
    })
  }

  /** The space and all that it is in. */
  #chain(space: SpaceRecord): readonly EntityFacts[] {
    const own = this.#space(space)
    if (space.chain[0] === own) return space.chain
    const chain = [own]
    for (let at = parentOf(space); at !== undefined; at = parentOf(at)) chain.push(this.#space(at))
    return (space.chain = [...chain, this.#tenant(space.tenant)])
  }

  #tenant(tenant: TenantRecord): EntityFacts {
    return this.#kept(tenant, () => factsOf({ type: 'Tenant', id: tenant.name }, []))
  }

  /** A role is in nothing, so its account never changes. A token may name roles that nobody has here. */
  #role(name: string): EntityFacts {
    const role = this.#state.roles.get(name)
    const facts = role?.facts ?? factsOf({ type: 'Role', id: name }, [])
    if (role !== undefined) role.facts = facts
    return facts
  }

  #kept(record: GroupRecord | SpaceRecord | TenantRecord, make: () => EntityFacts): EntityFacts {
    if (record.facts !== undefined && record.factsEpoch >= this.#state.shape) return record.facts
    record.factsEpoch = this.#state.shape
    return (record.facts = make())
  }
}

interface Belonging {
  readonly space: SpaceRecord
  /** Those that the directory does not know as names. */
  readonly groups: ReadonlySet<GroupRecord | string>
  readonly roles: ReadonlySet<string>
}

/** The space that this one is in for policies. */
function parentOf({ parent, inherits }: SpaceRecord): SpaceRecord | undefined {
  return inherits ? parent : undefined
}

function objectionTo(
  user: TokenUser,
  found: { known: CallerRecord | undefined; space: SpaceRecord | undefined; isAlike: boolean },
): Extract<TokenFacts, { kind: 'refused' }>['reason'] | undefined {
  const { known, space } = found
  const { groups = [], roles = [] } = user
  if (!isUserName(user.name)) return 'caller.malformed'
  if (found.isAlike) return 'caller.alike'
  if (known?.kind === 'Service') return 'caller.service'
  if (known?.disabledAt !== undefined) return 'caller.disabled'
  if (groups.length > LIMITS.groupsPerCaller || !groups.every(isGroupName)) return 'group.malformed'
  if (roles.length > LIMITS.groupsPerCaller || !roles.every(isRoleName)) return 'role.malformed'
  if (space === undefined) return 'space.unknown'
  if (user.space !== undefined && user.space !== space.name) return 'space.other'
  return user.tenant !== undefined && user.tenant !== space.tenant.name ? 'tenant.other' : undefined
}

function factsOf({ type, id }: EntityRef, parents: readonly EntityRef[]): EntityFacts {
  const ref = Object.freeze({ type, id })
  return Object.freeze({ ref, attributes: NOTHING, parents: Object.freeze(parents) })
}
