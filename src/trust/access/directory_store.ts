import type { Millis } from '#base/clock.ts'
import type { Database, SqlValue } from '#base/sqlite.ts'
import type { CallerRecord, GroupRecord, SpaceRecord, TenantRecord } from './directory_record.ts'
import { objectText } from './stored_row.ts'

/** What of a record may change besides what it belongs to. */
type Stamped = Pick<CallerRecord, 'version' | 'changedAt'>

/**
 * Where the directory is kept. Each verb is on disk when it returns; throws `home.unwritable`. A verb gets the record as
 * it is in memory and what it is to become.
 */
export interface DirectoryStore {
  addCaller(caller: CallerRecord): void
  changeCaller(caller: CallerRecord): void
  /** Takes it out of all groups, and revokes its keys. Without a key nothing of it stays. */
  deleteCaller(caller: CallerRecord, at: Millis): void
  addGroup(group: GroupRecord): void
  changeGroup(group: GroupRecord): void
  deleteGroup(group: GroupRecord): void
  changeMembers(
    group: GroupRecord & Stamped,
    change: { readonly added: readonly CallerRecord[]; readonly removed: readonly CallerRecord[] },
  ): void
  giveRole(holder: RoleHolder, role: string): void
  takeRole(holder: RoleHolder, role: string): void
  addTenant(tenant: TenantRecord): void
  changeTenant(tenant: TenantRecord): void
  addSpace(space: SpaceRecord): void
  changeSpace(space: SpaceRecord): void
}

export type RoleHolder =
  | { readonly kind: 'caller'; readonly record: CallerRecord }
  | { readonly kind: 'group'; readonly record: GroupRecord }

/** The tables must have been opened by `openCallerStore`. */
export function openDirectoryStore(database: Database): DirectoryStore {
  const run = (sql: string): ((...values: readonly SqlValue[]) => void) => {
    const statement = database.prepare(sql)
    return (...values) => statement.run(...values)
  }
  return {
    ...ofCallers(database, run),
    ...ofGroups(database, run),
    ...ofRoles(database, run),
    ...ofSpaces(run),
  }
}

type Run = (sql: string) => (...values: readonly SqlValue[]) => void

type CallerVerbs = Pick<DirectoryStore, 'addCaller' | 'changeCaller' | 'deleteCaller'>

function ofCallers(database: Database, run: Run): CallerVerbs {
  const insert =
    run(`INSERT INTO caller (name, space, external_id, profile, limits, version, changed_at, disabled_at,
    id, kind, source, created_at, created_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const update =
    run(`UPDATE caller SET name = ?, space = ?, external_id = ?, profile = ?, limits = ?, version = ?,
    changed_at = ?, disabled_at = ? WHERE id = ?`)
  const stampGroups = run(`UPDATE caller_group SET version = version + 1, changed_at = ?
    WHERE id IN (SELECT group_id FROM group_member WHERE caller = ?)`)
  const leaveGroups = run('DELETE FROM group_member WHERE caller = ?')
  const dropRoles = run('DELETE FROM caller_role WHERE caller = ?')
  const revokeKeys = run('UPDATE key SET revoked_at = ? WHERE caller = ? AND revoked_at IS NULL')
  const bury = run('UPDATE caller SET deleted_at = ?, profile = NULL WHERE id = ?')
  const forget = run(
    'DELETE FROM caller WHERE id = ? AND NOT EXISTS (SELECT 1 FROM key WHERE key.caller = caller.id)',
  )
  const changing = (caller: CallerRecord) => {
    const { name, space, externalId, profile, limits, version, changedAt, disabledAt } = caller
    const kept = [objectText(profile), objectText(limits)] as const
    return [name, space.name, externalId ?? null, ...kept, version, changedAt, disabledAt ?? null] as const
  }
  return {
    addCaller: (caller) => {
      const { id, kind, source, createdAt, createdBy } = caller
      insert(...changing(caller), id, kind, source, createdAt, createdBy)
    },
    changeCaller: (caller) => update(...changing(caller), caller.id),
    deleteCaller: ({ id }, at) =>
      database.atomically(() => {
        stampGroups(at, id)
        leaveGroups(id)
        dropRoles(id)
        revokeKeys(at, id)
        bury(at, id)
        forget(id)
      }),
  }
}

type GroupVerbs = Pick<DirectoryStore, 'addGroup' | 'changeGroup' | 'deleteGroup' | 'changeMembers'>

function ofGroups(database: Database, run: Run): GroupVerbs {
  const insert =
    run(`INSERT INTO caller_group (name, display, external_id, parent, limits, version, changed_at,
    id, source, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const update = run(`UPDATE caller_group SET name = ?, display = ?, external_id = ?, parent = ?, limits = ?,
    version = ?, changed_at = ? WHERE id = ?`)
  const orphan = run('UPDATE caller_group SET parent = NULL WHERE parent = ?')
  const drop = run('DELETE FROM caller_group WHERE id = ?')
  const enter = run('INSERT INTO group_member VALUES (?, ?)')
  const leave = run('DELETE FROM group_member WHERE group_id = ? AND caller = ?')
  const changing = (group: GroupRecord) => {
    const { name, display, externalId, parent, limits, version, changedAt } = group
    return [
      name,
      display,
      externalId ?? null,
      parent?.id ?? null,
      objectText(limits),
      version,
      changedAt,
    ] as const
  }
  return {
    addGroup: (group) => insert(...changing(group), group.id, group.source, group.createdAt),
    changeGroup: (group) => update(...changing(group), group.id),
    deleteGroup: ({ id }) =>
      database.atomically(() => {
        orphan(id)
        drop(id)
      }),
    changeMembers: (group, { added, removed }) =>
      database.atomically(() => {
        for (const { id } of removed) leave(group.id, id)
        for (const { id } of added) enter(group.id, id)
        update(...changing(group), group.id)
      }),
  }
}

function ofRoles(database: Database, run: Run): Pick<DirectoryStore, 'giveRole' | 'takeRole'> {
  const tables = {
    caller: roleTable(run, 'caller_role', 'caller'),
    group: roleTable(run, 'group_role', 'group_id'),
  }
  const stamp = {
    caller: run('UPDATE caller SET version = ?, changed_at = ? WHERE id = ?'),
    group: run('UPDATE caller_group SET version = ?, changed_at = ? WHERE id = ?'),
  }
  const change = (verb: 'give' | 'take', { kind, record }: RoleHolder, role: string): void =>
    database.atomically(() => {
      tables[kind][verb](record.id, role)
      stamp[kind](record.version, record.changedAt, record.id)
    })
  return {
    giveRole: (holder, role) => change('give', holder, role),
    takeRole: (holder, role) => change('take', holder, role),
  }
}

function roleTable(run: Run, table: string, column: string) {
  return {
    give: run(`INSERT INTO ${table} VALUES (?, ?)`),
    take: run(`DELETE FROM ${table} WHERE ${column} = ? AND role = ?`),
  }
}

type SpaceVerbs = Pick<DirectoryStore, 'addTenant' | 'changeTenant' | 'addSpace' | 'changeSpace'>

function ofSpaces(run: Run): SpaceVerbs {
  const insertTenant = run(
    'INSERT INTO tenant (name, id, limits, version, created_at, changed_at) VALUES (?, ?, ?, ?, ?, ?)',
  )
  const updateTenant = run('UPDATE tenant SET limits = ?, version = ?, changed_at = ? WHERE name = ?')
  const insertSpace =
    run(`INSERT INTO space (parent, inherits, limits, version, changed_at, name, id, tenant, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
  const updateSpace = run(
    'UPDATE space SET parent = ?, inherits = ?, limits = ?, version = ?, changed_at = ? WHERE name = ?',
  )
  const changing = ({ parent, inherits, limits, version, changedAt }: SpaceRecord) =>
    [parent?.name ?? null, inherits ? 1 : 0, objectText(limits), version, changedAt] as const
  return {
    addTenant: ({ name, id, limits, version, createdAt, changedAt }) =>
      insertTenant(name, id, objectText(limits), version, createdAt, changedAt),
    changeTenant: ({ name, limits, version, changedAt }) =>
      updateTenant(objectText(limits), version, changedAt, name),
    addSpace: (space) =>
      insertSpace(...changing(space), space.name, space.id, space.tenant.name, space.createdAt),
    changeSpace: (space) => updateSpace(...changing(space), space.name),
  }
}
