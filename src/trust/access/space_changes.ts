import { Fault } from '#base/fault.ts'
import { deepFreeze, type JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { callerRecord, findSpace, newRecordId } from './caller_changes.ts'
import type {
  Change,
  Directory,
  KnownCaller,
  KnownGroup,
  KnownSpace,
  KnownTenant,
  LimitedRef,
  NewSpace,
  SpaceChange,
} from './directory.ts'
import { conflict, fieldOf, holderFields, planned, taken, type DirectoryParts } from './directory_change.ts'
import { checkKept, checkRoleName, checkSpaceName } from './directory_names.ts'
import {
  newSpaceRecord,
  newTenantRecord,
  type CallerRecord,
  type GroupRecord,
  type SpaceRecord,
  type TenantRecord,
} from './directory_record.ts'
import type { RoleHolder } from './directory_store.ts'
import { isGroup, type DirectoryState } from './directory_state.ts'
import { groupRecord } from './group_changes.ts'

const DEFAULT_TENANT = 'default'

type SpaceVerbs = Pick<
  Directory,
  'createTenant' | 'createSpace' | 'changeSpace' | 'giveRole' | 'takeRole' | 'setLimits'
>

/** The verbs of tenants, spaces, roles and limits. */
export function spaceChanges(parts: DirectoryParts): SpaceVerbs {
  return {
    createTenant: (name) => createTenant(parts, name),
    createSpace: (asked) => createSpace(parts, asked),
    changeSpace: (space, change) => changeSpace(parts, space, change),
    giveRole: (holder, role) => changeRole(parts, 'give', holder, role),
    takeRole: (holder, role) => changeRole(parts, 'take', holder, role),
    setLimits: (of, limits) => setLimits(parts, of, limits),
  }
}

/** What an entry of the ledger may have as the type of something with limits. */
export function isLimitedType(type: string | undefined): type is LimitedRef['type'] {
  return type !== undefined && Object.hasOwn(MISSING, type)
}

/** What has limits, by its name. */
export function findLimited(
  state: DirectoryState,
  { type, id }: LimitedRef,
): CallerRecord | GroupRecord | SpaceRecord | TenantRecord | undefined {
  if (type === 'Group') return state.findGroup(id)
  if (type === 'Space') return state.spaces.get(id)
  if (type === 'Tenant') return state.tenants.get(id)
  const caller = state.find(id)
  return caller?.kind === type ? caller : undefined
}

function createTenant({ state, store, clock }: DirectoryParts, name: string): Change<KnownTenant> {
  const id = newRecordId()
  return planned(() => {
    checkSpaceName(name, 'tenant')
    if (state.tenants.has(name)) throw taken('There is a tenant of this name.')
    if (state.tenants.size >= LIMITS.tenants)
      throw conflict(`A home holds at most ${LIMITS.tenants} tenants.`)
    const tenant = newTenantRecord({ id, name }, clock.now())
    const make = (): KnownTenant => {
      store.addTenant(tenant)
      state.tenants.set(name, tenant)
      return tenant
    }
    return { records: [{ what: 'tenant:create', fields: { tenant: name } }], make }
  })
}

function createSpace({ state, store, clock }: DirectoryParts, asked: NewSpace): Change<KnownSpace> {
  const id = newRecordId()
  const { name, inherits = false } = asked
  return planned(() => {
    checkSpaceName(name, 'space')
    if (state.spaces.has(name)) throw taken('There is a space of this name.')
    if (state.spaces.size >= LIMITS.spaces) throw conflict(`A home holds at most ${LIMITS.spaces} spaces.`)
    const parent = asked.parent === undefined ? undefined : findSpace(state, asked.parent)
    const tenant = state.tenants.get(asked.tenant ?? parent?.tenant.name ?? DEFAULT_TENANT)
    if (tenant === undefined) throw new Fault('tenant.missing')
    const space = newSpaceRecord({ id, name, tenant, parent, inherits }, clock.now())
    checkParent(state, space, parent)
    const make = (): KnownSpace => {
      store.addSpace(space)
      state.spaces.set(name, space)
      return space
    }
    return { records: [{ what: 'space:create', fields: spaceFields(space) }], make }
  })
}

function changeSpace(
  { state, store, clock }: DirectoryParts,
  { name }: KnownSpace,
  change: SpaceChange,
): Change<KnownSpace> {
  return planned(() => {
    const space = findSpace(state, name)
    const hasParent = Object.hasOwn(change, 'parent')
    const above = change.parent === undefined ? undefined : findSpace(state, change.parent)
    const parent = hasParent ? above : space.parent
    const inherits = change.inherits ?? (parent === undefined ? false : space.inherits)
    const changed = { parent, inherits, version: space.version + 1, changedAt: clock.now() }
    const next = { ...space, ...changed }
    checkParent(state, { ...next, name }, parent)
    const make = (): KnownSpace => {
      store.changeSpace(next)
      Object.assign(space, changed)
      state.touchShape()
      return space
    }
    return { records: [{ what: 'space:change', fields: spaceFields(next) }], make }
  })
}

/** A space of one tenant is never in one of another; and nothing can be inherited from nowhere. */
function checkParent(state: DirectoryState, space: SpaceRecord, parent: SpaceRecord | undefined): void {
  if (parent === undefined) {
    if (space.inherits) throw conflict('A space without a parent has nothing to inherit.')
    return
  }
  if (parent.tenant !== space.tenant) throw conflict('The parent belongs to another tenant.')
  let above = 0
  for (let at: SpaceRecord | undefined = parent; at !== undefined; at = at.parent) {
    if (at.name === space.name) throw conflict('A space cannot be in itself.')
    above += 1
  }
  if (above + spaceDepth(state, space.name) > LIMITS.belongingDepth)
    throw conflict(`Spaces are at most ${LIMITS.belongingDepth} deep.`)
}

/** Levels, the space's own included. */
function spaceDepth(state: DirectoryState, name: string): number {
  const below = [...state.spaces.values()].filter(({ parent }) => parent?.name === name)
  return 1 + Math.max(0, ...below.map((space) => spaceDepth(state, space.name)))
}

function spaceFields({ name, tenant, parent, inherits }: SpaceRecord): JsonObject {
  return { space: name, tenant: tenant.name, parent: fieldOf(parent?.name), inherits }
}

function changeRole(
  { state, store, clock }: DirectoryParts,
  verb: 'give' | 'take',
  known: KnownCaller | KnownGroup,
  role: string,
): Change<void> {
  return planned(() => {
    checkRoleName(role)
    const holder = 'display' in known ? groupRecord(state, known) : callerRecord(state, known)
    const hasRole = holder.roles.has(role)
    if (verb === 'give' && !hasRole && holder.roles.size >= LIMITS.rolesPerCaller)
      throw conflict(`A caller or group has at most ${LIMITS.rolesPerCaller} roles.`)
    const make = (): void => {
      if (hasRole === (verb === 'give')) return
      const stamp = { version: holder.version + 1, changedAt: clock.now() }
      const stamped: RoleHolder = isGroup(holder)
        ? { kind: 'group', record: { ...holder, ...stamp } }
        : { kind: 'caller', record: { ...holder, ...stamp } }
      if (verb === 'give') store.giveRole(stamped, role)
      else store.takeRole(stamped, role)
      Object.assign(holder, stamp)
      if (verb === 'give') state.addRole(role, holder)
      else state.dropRole(role, holder)
    }
    return { records: [{ what: `role:${verb}`, fields: { role, ...holderFields(holder) } }], make }
  })
}

function setLimits(
  { state, store, clock }: DirectoryParts,
  of: LimitedRef,
  given?: JsonObject,
): Change<void> {
  const limits = given === undefined ? undefined : deepFreeze(given)
  return planned(() => {
    checkKept('limits', limits)
    const record = findLimited(state, of)
    if (record === undefined) throw new Fault(MISSING[of.type])
    const changed = { limits, version: record.version + 1, changedAt: clock.now() }
    const make = (): void => {
      if ('display' in record) store.changeGroup({ ...record, ...changed })
      else if ('createdBy' in record) store.changeCaller({ ...record, ...changed })
      else if ('tenant' in record) store.changeSpace({ ...record, ...changed })
      else store.changeTenant({ ...record, ...changed })
      Object.assign(record, changed)
      if ('createdBy' in record) state.touch(record)
      else state.touchShape()
    }
    const fields = { of_type: of.type, of: of.id, of_id: record.id, limits: fieldOf(limits) }
    return { records: [{ what: 'limits:set', fields }], make }
  })
}

const MISSING = {
  User: 'caller.missing',
  Service: 'caller.missing',
  Group: 'group.missing',
  Space: 'space.missing',
  Tenant: 'tenant.missing',
} as const
