import { Fault } from '#base/fault.ts'
import type { Database } from '#base/sqlite.ts'
import {
  newCallerRecord,
  newGroupRecord,
  newSpaceRecord,
  newTenantRecord,
  type CallerRecord,
  type GroupRecord,
  type SpaceRecord,
} from './directory_record.ts'
import type { DirectoryState } from './directory_state.ts'
import { Shared, toNumber, toNumberOrNone, toObjectOrNone, toText, toTextOrNone } from './stored_row.ts'

/** What all four kinds have, in this order. */
const COMMON = 'id, name, limits, version, created_at, changed_at'
const COMMON_COLUMNS = 6
const TENANTS = `SELECT ${COMMON} FROM tenant ORDER BY rowid`
const SPACES = `SELECT ${COMMON}, tenant, parent, inherits FROM space ORDER BY rowid`
const GROUPS = `SELECT ${COMMON}, display, source, external_id, parent FROM caller_group ORDER BY rowid`
const CALLERS = `SELECT ${COMMON}, kind, source, space, external_id, profile, created_by, disabled_at, deleted_at
  FROM caller ORDER BY rowid`

/**
 * Reads the whole directory into an empty state. Gives all callers by id, those too that were deleted and whose keys are
 * still listed. Throws `home.damaged`.
 */
export function loadDirectory(database: Database, state: DirectoryState): ReadonlyMap<string, CallerRecord> {
  loadSpaces(database, state)
  loadGroups(database, state)
  const callers = loadCallers(database, state)
  // Callers come in a row: each gets its groups, and its roles, at once.
  collect(database, 'SELECT caller, group_id FROM group_member ORDER BY caller', (id, groups) => {
    found(callers.get(id)).groups = new Set(groups.map((group) => found(state.groups.get(group))))
  })
  collect(database, 'SELECT caller, role FROM caller_role ORDER BY caller', (id, roles) => {
    found(callers.get(id)).roles = new Set(roles)
  })
  for (const caller of callers.values()) if (caller.deletedAt === undefined) state.addCaller(caller)
  return callers
}

function loadSpaces(database: Database, state: DirectoryState): void {
  database.each(TENANTS, (values) => {
    const tenant = newTenantRecord(commonOf(values), 0)
    state.tenants.set(tenant.name, tenant)
  })
  const parents = new Map<SpaceRecord, string>()
  database.each(SPACES, (values) => {
    const [tenantName, parent, inherits] = values.slice(COMMON_COLUMNS)
    const tenant = found(state.tenants.get(toText(tenantName)))
    const space = newSpaceRecord({ ...commonOf(values), tenant, inherits: inherits === 1 }, 0)
    if (parent !== null) parents.set(space, toText(parent))
    state.spaces.set(space.name, space)
  })
  for (const [space, parent] of parents) space.parent = found(state.spaces.get(parent))
}

function loadGroups(database: Database, state: DirectoryState): void {
  const roles = new Map<string, ReadonlySet<string>>()
  collect(database, 'SELECT group_id, role FROM group_role ORDER BY group_id', (id, names) => {
    roles.set(id, new Set(names))
  })
  const parents = new Map<GroupRecord, string>()
  database.each(GROUPS, (values) => {
    const [display, source, externalId, parent] = values.slice(COMMON_COLUMNS)
    const common = commonOf(values)
    const own = roles.get(common.id)
    const group = newGroupRecord(
      {
        ...common,
        display: toText(display),
        source: sourceOf(source),
        externalId: toTextOrNone(externalId),
        ...(own === undefined ? {} : { roles: own }),
      },
      0,
    )
    if (parent !== null) parents.set(group, toText(parent))
    state.addGroup(group)
  })
  for (const [group, id] of parents) {
    group.parent = found(state.groups.get(id))
    group.parent.children.add(group)
  }
}

function loadCallers(database: Database, state: DirectoryState): ReadonlyMap<string, CallerRecord> {
  const callers = new Map<string, CallerRecord>()
  const shared = new Shared<string>()
  database.each(CALLERS, (values) => {
    const [kind, source, space, externalId, profile, createdBy, disabledAt, deletedAt] =
      values.slice(COMMON_COLUMNS)
    const caller = newCallerRecord(
      {
        ...commonOf(values),
        kind: kind === 'User' ? 'User' : 'Service',
        source: sourceOf(source),
        space: found(state.spaces.get(toText(space))),
        externalId: toTextOrNone(externalId),
        profile: toObjectOrNone(profile, damaged),
        createdBy: shared.of(toText(createdBy), (text) => text),
        disabledAt: toNumberOrNone(disabledAt),
        deletedAt: toNumberOrNone(deletedAt),
      },
      0,
    )
    callers.set(caller.id, caller)
  })
  return callers
}

/** Reads pairs that are in the order of their first values, and gives all second values of each of these together. */
function collect(database: Database, sql: string, take: (first: string, seconds: string[]) => void): void {
  let last: string | undefined
  let seconds: string[] = []
  const end = (): void => {
    if (last !== undefined) take(last, seconds)
  }
  database.each(sql, ([first, second]) => {
    if (first !== last) {
      end()
      last = toText(first)
      seconds = []
    }
    seconds.push(toText(second))
  })
  end()
}

function commonOf([id, name, limits, version, createdAt, changedAt]: readonly unknown[]) {
  return {
    id: toText(id),
    name: toText(name),
    limits: toObjectOrNone(limits, damaged),
    version: toNumber(version),
    createdAt: toNumber(createdAt),
    changedAt: toNumber(changedAt),
  }
}

function sourceOf(value: unknown): 'local' | 'scim' {
  return value === 'scim' ? 'scim' : 'local'
}

function found<T>(record: T | undefined): T {
  if (record === undefined) throw damaged()
  return record
}

function damaged(): Fault {
  return new Fault(
    'home.damaged',
    {},
    { say: 'state.db holds a caller, group or space that cannot be read.' },
  )
}
