import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import { callerRecord, newRecordId } from './caller_changes.ts'
import type {
  Change,
  ChangeRecord,
  Directory,
  GroupChange,
  KnownCaller,
  KnownGroup,
  NewGroup,
} from './directory.ts'
import {
  conflict,
  fieldOf,
  groupFields,
  planned,
  taken,
  type DirectoryParts,
  type Plan,
} from './directory_change.ts'
import { checkDisplay, checkExternalId, checkGroupName, groupNameOf } from './directory_names.ts'
import { newGroupRecord, type CallerRecord, type GroupRecord } from './directory_record.ts'
import type { DirectoryState } from './directory_state.ts'

type GroupVerbs = Pick<
  Directory,
  'createGroup' | 'changeGroup' | 'addMembers' | 'removeMembers' | 'setMembers' | 'nest' | 'deleteGroup'
>

/** The verbs of groups. */
export function groupChanges(parts: DirectoryParts): GroupVerbs {
  return {
    createGroup: (asked) => createGroup(parts, asked),
    changeGroup: (group, change) => changeGroup(parts, group, change),
    addMembers: (group, members) => planned(() => changeMembers(parts, group, { added: members })),
    removeMembers: (group, members) => planned(() => changeMembers(parts, group, { removed: members })),
    setMembers: (group, members) =>
      planned(() => {
        const kept = new Set(members)
        const removed = [...group.members].filter((member) => !kept.has(member))
        return changeMembers(parts, group, { added: members, removed })
      }),
    nest: (group, parent) => nest(parts, group, parent),
    deleteGroup: (group) => deleteGroup(parts, group),
  }
}

/** The record as it is in memory. Throws `group.missing` for one that is not there any more. */
export function groupRecord(state: DirectoryState, { id }: KnownGroup): GroupRecord {
  const group = state.groups.get(id)
  if (group === undefined) throw new Fault('group.missing')
  return group
}

function createGroup({ state, store, clock }: DirectoryParts, asked: NewGroup): Change<KnownGroup> {
  const id = newRecordId()
  const { display, source = 'local', externalId } = asked
  const name = asked.name ?? groupNameOf(display)
  return planned(() => {
    checkNames(state, { name, display, externalId })
    if (state.groups.size >= LIMITS.groups) throw conflict(`A home holds at most ${LIMITS.groups} groups.`)
    const group = newGroupRecord({ id, name, display, source, externalId }, clock.now())
    const make = (): KnownGroup => {
      store.addGroup(group)
      state.addGroup(group)
      return group
    }
    const fields = { ...groupFields(group), display, source, external_id: fieldOf(externalId) }
    return { records: [{ what: 'group:create', fields }], make }
  })
}

function changeGroup(
  { state, store, clock }: DirectoryParts,
  known: KnownGroup,
  change: GroupChange,
): Change<KnownGroup> {
  return planned(() => {
    const group = groupRecord(state, known)
    const { display, externalId } = { ...group, ...change }
    const name = change.name ?? (change.display === undefined ? group.name : groupNameOf(change.display))
    checkNames(state, { name, display, externalId }, group)
    const changed = { name, display, externalId, ...stampOf(group, clock.now()) }
    const make = (): KnownGroup => {
      store.changeGroup({ ...group, ...changed })
      state.replaceGroup(group, { ...changed, parent: group.parent })
      return group
    }
    const fields = { ...groupFields(group), name_after: name, display, external_id: fieldOf(externalId) }
    return { records: [{ what: 'group:change', fields }], make }
  })
}

function changeMembers(
  { state, store, clock }: DirectoryParts,
  known: KnownGroup,
  asked: { readonly added?: readonly KnownCaller[]; readonly removed?: readonly KnownCaller[] },
): Plan<KnownGroup> {
  const group = groupRecord(state, known)
  const added = recordsOf(state, asked.added).filter((caller) => !group.members.has(caller))
  const removed = recordsOf(state, asked.removed).filter((caller) => group.members.has(caller))
  if (group.members.size + added.length - removed.length > LIMITS.groupMembers)
    throw conflict(`A group has at most ${LIMITS.groupMembers} members.`)
  if (added.some(({ groups }) => groups.size >= LIMITS.groupsPerCaller))
    throw conflict(`A caller is in at most ${LIMITS.groupsPerCaller} groups.`)
  const records = [
    ...memberRecords('group:remove', group, removed),
    ...memberRecords('group:add', group, added),
  ]
  const make = (): KnownGroup => {
    if (records.length === 0) return group
    const stamp = stampOf(group, clock.now())
    store.changeMembers({ ...group, ...stamp }, { added, removed })
    state.changeMembers(group, added, removed)
    Object.assign(group, stamp)
    return group
  }
  return { records, make }
}

function nest(
  { state, store, clock }: DirectoryParts,
  known: KnownGroup,
  above: KnownGroup | undefined,
): Change<KnownGroup> {
  return planned(() => {
    const group = groupRecord(state, known)
    const parent = above === undefined ? undefined : groupRecord(state, above)
    checkDepth(group, parent, 'group')
    const changed = { parent, ...stampOf(group, clock.now()) }
    const make = (): KnownGroup => {
      store.changeGroup({ ...group, ...changed })
      state.replaceGroup(group, { ...changed, name: group.name })
      return group
    }
    const fields = { ...groupFields(group), parent: fieldOf(parent?.name), parent_id: fieldOf(parent?.id) }
    return { records: [{ what: 'group:nest', fields }], make }
  })
}

function deleteGroup({ state, store }: DirectoryParts, known: KnownGroup): Change<void> {
  return planned(() => {
    const group = groupRecord(state, known)
    const make = (): void => {
      store.deleteGroup(group)
      state.dropGroup(group)
    }
    return { records: [{ what: 'group:delete', fields: groupFields(group) }], make }
  })
}

interface Nested<T> {
  readonly parent: T | undefined
  readonly children: ReadonlySet<T>
}

/** Throws `directory.conflicting` for a cycle, or a chain that is too long, when `item` came into `parent`. */
function checkDepth<T extends Nested<T>>(item: T, parent: T | undefined, what: string): void {
  let above = 0
  for (let at = parent; at !== undefined; at = at.parent) {
    if (at === item) throw conflict(`A ${what} cannot be in itself.`)
    above += 1
  }
  if (above + depthOf(item) > LIMITS.belongingDepth)
    throw conflict(`A ${what} is at most ${LIMITS.belongingDepth} deep, with those in it.`)
}

/** Levels, the item's own included. They are few, as each nesting was checked. */
function depthOf<T extends Nested<T>>(item: T): number {
  return 1 + Math.max(0, ...[...item.children].map(depthOf))
}

/** One entry of the ledger names a bounded number of members; a large change is many of them. */
function memberRecords(
  what: 'group:add' | 'group:remove',
  group: GroupRecord,
  members: readonly CallerRecord[],
): readonly ChangeRecord[] {
  const records: ChangeRecord[] = []
  for (let at = 0; at < members.length; at += LIMITS.membersPerEntry) {
    const some = members.slice(at, at + LIMITS.membersPerEntry)
    const names = some.map(({ name }) => name)
    records.push({ what, fields: { ...groupFields(group), names, caller_ids: some.map(({ id }) => id) } })
  }
  return records
}

function recordsOf(state: DirectoryState, callers: readonly KnownCaller[] = []): readonly CallerRecord[] {
  return [...new Set(callers)].map((caller) => callerRecord(state, caller))
}

function stampOf({ version }: GroupRecord, now: number): { version: number; changedAt: number } {
  return { version: version + 1, changedAt: now }
}

function checkNames(
  state: DirectoryState,
  names: { readonly name: string; readonly display: string; readonly externalId: string | undefined },
  own?: GroupRecord,
): void {
  checkGroupName(names.name)
  checkDisplay(names.display)
  checkExternalId(names.externalId)
  const { name, externalId } = names
  const other = state.findGroup(name)
  if (other !== undefined && other !== own) throw taken('The name belongs to another group.')
  const same = externalId === undefined ? undefined : state.findGroupByExternalId(externalId)
  if (same !== undefined && same !== own) throw taken('The external id belongs to another group.')
}
