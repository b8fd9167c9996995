import type { Millis } from '#base/clock.ts'
import type { EntityFacts } from '#base/decider.ts'
import type { Caller } from './caller.ts'
import type {
  CallerFacts,
  CallerKind,
  KnownCaller,
  KnownGroup,
  KnownSpace,
  KnownTenant,
} from './directory.ts'

/** The records of the directory as it changes them; everyone else has them as `Known…`. */

type Live<T> = { -readonly [Name in keyof T]: T[Name] }

export interface CallerRecord extends Live<Omit<KnownCaller, 'space' | 'groups'>> {
  readonly kind: CallerKind
  space: SpaceRecord
  /** Never changed itself, but replaced: most callers share an empty one. */
  groups: ReadonlySet<GroupRecord>
  /** Another number after each change of the caller alone. */
  epoch: number
  /** Worked out when it is asked for, and kept for a while; `factsEpoch` says as of when. */
  facts: CallerFacts | undefined
  factsEpoch: number
  /** Who its last keys prove, with these facts. */
  proven: readonly Caller[]
  /** For `ActiveCallers`: whether it is among them, has come by since it was looked at, and which miss it was last. */
  isActive: boolean
  isUsed: boolean
  missedAt: number
}

export interface GroupRecord extends Live<Omit<KnownGroup, 'parent' | 'children' | 'members'>> {
  parent: GroupRecord | undefined
  readonly children: Set<GroupRecord>
  readonly members: Set<CallerRecord>
  facts: EntityFacts | undefined
  factsEpoch: number
}

export interface SpaceRecord extends Live<Omit<KnownSpace, 'tenant' | 'parent'>> {
  readonly tenant: TenantRecord
  parent: SpaceRecord | undefined
  facts: EntityFacts | undefined
  factsEpoch: number
  /** Its own facts and those of all that it is in, in this order. */
  chain: readonly EntityFacts[]
}

export interface TenantRecord extends Live<KnownTenant> {
  facts: EntityFacts | undefined
  factsEpoch: number
}

export interface RoleRecord {
  readonly name: string
  readonly holders: Set<CallerRecord | GroupRecord>
  facts: EntityFacts | undefined
}

const NO_GROUPS: ReadonlySet<GroupRecord> = new Set()
const NO_CALLERS: readonly Caller[] = []
const NO_ROLES: ReadonlySet<string> = new Set()

export function newCallerRecord(
  given: Pick<CallerRecord, 'id' | 'name' | 'kind' | 'space' | 'createdBy'> & Partial<CallerRecord>,
  at: Millis,
): CallerRecord {
  return {
    id: given.id,
    name: given.name,
    kind: given.kind,
    source: given.source ?? 'local',
    space: given.space,
    groups: given.groups ?? NO_GROUPS,
    roles: given.roles ?? NO_ROLES,
    externalId: given.externalId,
    profile: given.profile,
    limits: given.limits,
    version: given.version ?? 1,
    createdAt: given.createdAt ?? at,
    createdBy: given.createdBy,
    changedAt: given.changedAt ?? at,
    disabledAt: given.disabledAt,
    deletedAt: given.deletedAt,
    epoch: 0,
    facts: undefined,
    factsEpoch: 0,
    proven: NO_CALLERS,
    isActive: false,
    isUsed: false,
    missedAt: 0,
  }
}

export function newGroupRecord(
  given: Pick<GroupRecord, 'id' | 'name' | 'display'> & Partial<GroupRecord>,
  at: Millis,
): GroupRecord {
  return {
    id: given.id,
    name: given.name,
    display: given.display,
    source: given.source ?? 'local',
    externalId: given.externalId,
    parent: given.parent,
    children: new Set(),
    members: new Set(),
    roles: given.roles ?? NO_ROLES,
    limits: given.limits,
    version: given.version ?? 1,
    createdAt: given.createdAt ?? at,
    changedAt: given.changedAt ?? at,
    facts: undefined,
    factsEpoch: 0,
  }
}

export function newSpaceRecord(
  given: Pick<SpaceRecord, 'id' | 'name' | 'tenant'> & Partial<SpaceRecord>,
  at: Millis,
): SpaceRecord {
  return {
    id: given.id,
    name: given.name,
    tenant: given.tenant,
    parent: given.parent,
    inherits: given.inherits ?? false,
    limits: given.limits,
    version: given.version ?? 1,
    createdAt: given.createdAt ?? at,
    changedAt: given.changedAt ?? at,
    facts: undefined,
    factsEpoch: 0,
    chain: [],
  }
}

export function newTenantRecord(
  given: Pick<TenantRecord, 'id' | 'name'> & Partial<TenantRecord>,
  at: Millis,
): TenantRecord {
  return {
    id: given.id,
    name: given.name,
    limits: given.limits,
    version: given.version ?? 1,
    createdAt: given.createdAt ?? at,
    changedAt: given.changedAt ?? at,
    facts: undefined,
    factsEpoch: 0,
  }
}
