import type { Millis } from '#base/clock.ts'
import type { EntityFacts, EntityRef } from '#base/decider.ts'
import type { JsonObject } from '#base/json.ts'

/** `scim`: kept by a provisioning system; `local`: by an operator of this home. */
export type Source = 'local' | 'scim'

export type CallerKind = 'Service' | 'User'

/** What the records of all kinds have. They are live: a change shows in the very record. */
export interface Known {
  /** Random and for good: never given again, whatever the name becomes. */
  readonly id: string
  /** What policies call it: the id of its Cedar entity. */
  readonly name: string
  /** Grows by one with every change of the record and, of a group, of its members: an ETag. */
  readonly version: number
  readonly createdAt: Millis
  readonly changedAt: Millis
  /** How much it may spend, as it was set; the directory does not look into it. Frozen. */
  readonly limits: JsonObject | undefined
}

/** A user or a service. */
export interface KnownCaller extends Known {
  readonly kind: CallerKind
  readonly source: Source
  /** Who made it, as a printed reference. */
  readonly createdBy: string
  /** The id that a provisioning system knows it by. */
  readonly externalId: string | undefined
  /** What a provisioning system said of a user. Frozen. */
  readonly profile: JsonObject | undefined
  readonly space: KnownSpace
  readonly groups: ReadonlySet<KnownGroup>
  readonly roles: ReadonlySet<string>
  /** When it was disabled; undefined while it is not. */
  readonly disabledAt: Millis | undefined
  /** When it was deleted: then nothing finds it any more. */
  readonly deletedAt: Millis | undefined
}

export interface KnownGroup extends Known {
  readonly source: Source
  readonly externalId: string | undefined
  /** The name as people read it, exactly as it was given; `name` is what of it fits policies. */
  readonly display: string
  readonly parent: KnownGroup | undefined
  readonly children: ReadonlySet<KnownGroup>
  readonly members: ReadonlySet<KnownCaller>
  readonly roles: ReadonlySet<string>
}

export interface KnownSpace extends Known {
  readonly tenant: KnownTenant
  readonly parent: KnownSpace | undefined
  /** True when it is in its parent for policies too; else it only belongs to the tenant. */
  readonly inherits: boolean
}

export type KnownTenant = Known

export interface KnownRole {
  readonly name: string
  readonly holders: ReadonlySet<KnownCaller | KnownGroup>
}

/** Who somebody is and what that belongs to, for the decider. Frozen all through, and shared while nothing changes. */
export interface CallerFacts {
  readonly ref: EntityRef
  readonly entities: readonly EntityFacts[]
  /** Name of the space. */
  readonly space: string
}

/** A user as a token names it. Of a user that the directory knows, groups and roles are added to what it has. */
export interface TokenUser {
  readonly name: string
  readonly groups?: readonly string[]
  readonly roles?: readonly string[]
  /** A known user is in the space that the directory says; naming another one is refused. Default: `default`. */
  readonly space?: string
  /** Refused when it is not the tenant of the space. */
  readonly tenant?: string
}

export type TokenFacts =
  | {
      readonly kind: 'facts'
      readonly facts: CallerFacts
      /** The user's record; undefined for one that the directory does not know. */
      readonly known: KnownCaller | undefined
    }
  | { readonly kind: 'refused'; readonly reason: TokenObjection }

export type TokenObjection =
  | 'caller.disabled'
  /** The name is a service's. */
  | 'caller.service'
  | 'caller.malformed'
  /** A caller has the name but for letter cases or the form of Unicode: is it meant, or one who wants to be taken for it? */
  | 'caller.alike'
  | 'group.malformed'
  | 'role.malformed'
  | 'space.unknown'
  | 'space.other'
  | 'tenant.other'

/** What the ledger gets before a change is made. Names of people and groups are sensitive fields. */
export interface ChangeRecord {
  readonly what: string
  readonly fields: JsonObject
}

/**
 * A change that can be made now. All its records go to the ledger first; `make` then looks again, writes to disk and
 * changes what is in memory, so that the very next request sees it. Use `Directory.carryOut`, which does this in turn.
 */
export interface Change<T> {
  readonly records: readonly ChangeRecord[]
  /** Throws as the verb that gave the change, and `home.unwritable`. */
  make(): T
}

export interface NewCaller {
  /** A service: lower-case letters, digits and `-`, at most 63. A user: 1 to 128 characters without space or control. */
  readonly name: string
  readonly kind: CallerKind
  readonly createdBy: string
  /** `local`. */
  readonly source?: Source
  /** `default`. */
  readonly space?: string
  readonly externalId?: string | undefined
  readonly profile?: JsonObject | undefined
  /** False makes it disabled. */
  readonly isActive?: boolean
}

/** What is left out stays; undefined takes away. */
export interface UserChange {
  /** Keys, groups and roles stay with the user. */
  readonly name?: string
  readonly externalId?: string | undefined
  readonly profile?: JsonObject | undefined
}

export interface NewGroup {
  /** Any text of 1 to 256 characters without control characters. */
  readonly display: string
  /** Letters, digits, `-`, `_` and `.`, at most 128; made of `display` where left out. */
  readonly name?: string
  readonly source?: Source
  readonly externalId?: string | undefined
}

/** What is left out stays; undefined takes away. */
export interface GroupChange {
  /** Changes the name for policies too, as `NewGroup` says. */
  readonly display?: string
  readonly name?: string
  readonly externalId?: string | undefined
}

/** Part of a list, in the order of making. */
export interface Asked<T> {
  /** How many to skip. */
  readonly start: number
  readonly count: number
  readonly where?: (item: T) => boolean
}

export interface Listed<T> {
  /** How many there are in all. */
  readonly total: number
  readonly items: readonly T[]
}

/**
 * All users, services, groups, roles, spaces and tenants of this home, in memory; each change is first on disk.
 *
 * Verbs throw `caller.missing`, `group.missing`, `space.missing`, `tenant.missing` for what is not there (any more),
 * `input.invalid` for what has not the form, `resource.conflicting` for a name or external id that another one has, and
 * `directory.conflicting` for what cannot be now, as a cycle or one beyond a limit.
 */
export interface Directory {
  /** A user or service by its name. */
  find(name: string): KnownCaller | undefined
  /**
   * As `find`, for a name in other letter cases or forms of Unicode: no two callers have names that differ in that alone,
   * but a token or key that names one in another way is not that caller.
   */
  findAlike(name: string): KnownCaller | undefined
  findById(id: string): KnownCaller | undefined
  /** A user by the id that a provisioning system knows it by. */
  findByExternalId(externalId: string): KnownCaller | undefined
  findGroup(name: string): KnownGroup | undefined
  findGroupById(id: string): KnownGroup | undefined
  findGroupByExternalId(externalId: string): KnownGroup | undefined
  findSpace(name: string): KnownSpace | undefined
  findTenant(name: string): KnownTenant | undefined
  listCallers(asked: Asked<KnownCaller>): Listed<KnownCaller>
  listGroups(asked: Asked<KnownGroup>): Listed<KnownGroup>
  /** Roles that somebody has. */
  listRoles(): readonly KnownRole[]
  listSpaces(): readonly KnownSpace[]
  listTenants(): readonly KnownTenant[]

  /**
   * A number that is another one whenever something about the caller may have changed: whether it is known or disabled,
   * and what it belongs to. It takes one look-up, so that whatever is kept of a caller can be checked at each request.
   */
  epochOf(name: string): number
  /** Frozen facts of a caller that the directory knows, disabled or not: the same object while nothing of it changes. */
  factsOf(caller: KnownCaller): CallerFacts
  /** Of one that it knows: the same object while nothing of it changes. */
  factsOf(caller: KnownCaller): CallerFacts
  /** Frozen facts for a token's user. Worked out at each call: keep them as long as `epochOf` stays. */
  factsFor(user: TokenUser): TokenFacts

  /** Runs one change after the other: plan, record, make. `record` resolves when the entry is on disk. */
  carryOut<T>(record: (change: ChangeRecord) => Promise<void>, plan: () => Change<T>): Promise<T>

  createCaller(asked: NewCaller): Change<KnownCaller>
  /** For users only. */
  changeUser(caller: KnownCaller, change: UserChange): Change<KnownCaller>
  /** False refuses it with all its keys and tokens, from the very next request on, and ends its streams. */
  setActive(caller: KnownCaller, isActive: boolean): Change<KnownCaller>
  setSpace(caller: KnownCaller, space: string): Change<KnownCaller>
  /** Its keys are revoked for good. Its name is free again, for a new caller with a new id. */
  deleteCaller(caller: KnownCaller): Change<void>

  createGroup(asked: NewGroup): Change<KnownGroup>
  changeGroup(group: KnownGroup, change: GroupChange): Change<KnownGroup>
  /** Those who are in it already, or are not, make no difference. */
  addMembers(group: KnownGroup, members: readonly KnownCaller[]): Change<KnownGroup>
  removeMembers(group: KnownGroup, members: readonly KnownCaller[]): Change<KnownGroup>
  setMembers(group: KnownGroup, members: readonly KnownCaller[]): Change<KnownGroup>
  /** Puts the group into another one, or into none. */
  nest(group: KnownGroup, parent: KnownGroup | undefined): Change<KnownGroup>
  /** Groups in it are in none then. */
  deleteGroup(group: KnownGroup): Change<void>

  giveRole(to: KnownCaller | KnownGroup, role: string): Change<void>
  takeRole(from: KnownCaller | KnownGroup, role: string): Change<void>

  createTenant(name: string): Change<KnownTenant>
  createSpace(asked: NewSpace): Change<KnownSpace>
  changeSpace(space: KnownSpace, change: SpaceChange): Change<KnownSpace>
  /** How much it may spend; undefined takes the limits away. */
  setLimits(of: LimitedRef, limits: JsonObject | undefined): Change<void>
  /** Limits that were set on it, for its record has them too. */
  limitsOf(of: LimitedRef): JsonObject | undefined
}

export interface NewSpace {
  readonly name: string
  /** `default`; with a parent, that of the parent. */
  readonly tenant?: string
  readonly parent?: string
  /** False. */
  readonly inherits?: boolean
}

/** What is left out stays. */
export interface SpaceChange {
  /** Name of a space of the same tenant; undefined for none. */
  readonly parent?: string | undefined
  readonly inherits?: boolean
}

/** By name; the type says of what. */
export interface LimitedRef {
  readonly type: 'User' | 'Service' | 'Group' | 'Space' | 'Tenant'
  readonly id: string
}
