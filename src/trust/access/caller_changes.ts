import { randomBase62 } from '#base/ids.ts'
import { deepFreeze } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { Fault } from '#base/fault.ts'
import type { Change, Directory, KnownCaller, NewCaller, UserChange } from './directory.ts'
import { callerFields, conflict, fieldOf, planned, taken, type DirectoryParts } from './directory_change.ts'
import { DEFAULT_SPACE } from './directory_facts.ts'
import { checkCallerName, checkExternalId, checkKept } from './directory_names.ts'
import { newCallerRecord, type CallerRecord, type SpaceRecord } from './directory_record.ts'
import type { DirectoryState } from './directory_state.ts'

const ID_CHARACTERS = 16

type CallerVerbs = Pick<Directory, 'createCaller' | 'changeUser' | 'setActive' | 'setSpace' | 'deleteCaller'>

/** The verbs of users and services. */
export function callerChanges(parts: DirectoryParts): CallerVerbs {
  return {
    createCaller: (asked) => createCaller(parts, asked),
    changeUser: (caller, change) => changeUser(parts, caller, change),
    setActive: (caller, isActive) => setActive(parts, caller, isActive),
    setSpace: (caller, space) => setSpace(parts, caller, space),
    deleteCaller: (caller) => deleteCaller(parts, caller),
  }
}

/** An id of a record of the directory. */
export function newRecordId(): string {
  return randomBase62(ID_CHARACTERS)
}

/** Throws `resource.conflicting` where the name, or one that looks like it, is another caller's. */
export function checkNameFree(state: DirectoryState, name: string, own?: CallerRecord): void {
  const other = state.findAlike(name)
  if (other !== undefined && other !== own)
    throw taken('The name, or one that differs in letter cases alone, belongs to another user or service.')
}

export function checkRoom(state: DirectoryState): void {
  if (state.callerCount >= LIMITS.callers) throw conflict(`A home holds at most ${LIMITS.callers} callers.`)
}

/** The record as it is in memory. Throws `caller.missing` for one that is not there any more. */
export function callerRecord(state: DirectoryState, { id }: KnownCaller): CallerRecord {
  const caller = state.findById(id)
  if (caller === undefined) throw new Fault('caller.missing')
  return caller
}

export function findSpace(state: DirectoryState, name: string): SpaceRecord {
  const space = state.spaces.get(name)
  if (space === undefined) throw new Fault('space.missing')
  return space
}

function createCaller({ state, store, clock }: DirectoryParts, asked: NewCaller): Change<KnownCaller> {
  const id = newRecordId()
  const { name, kind, createdBy, source = 'local', externalId, isActive = true } = asked
  const profile = asked.profile === undefined ? undefined : deepFreeze(asked.profile)
  return planned(() => {
    const now = clock.now()
    checkCallerName(kind, name)
    checkExternalId(externalId)
    checkKept('profile', profile)
    checkNameFree(state, name)
    checkExternalIdFree(state, externalId)
    checkRoom(state)
    const space = findSpace(state, asked.space ?? DEFAULT_SPACE)
    const disabledAt = isActive ? undefined : now
    const given = { id, name, kind, source, space, externalId, profile, createdBy, disabledAt }
    const caller = newCallerRecord(given, now)
    const more = { source, space: space.name, external_id: fieldOf(externalId), profile: fieldOf(profile) }
    const make = (): KnownCaller => {
      store.addCaller(caller)
      state.addCaller(caller)
      return caller
    }
    const fields = { ...callerFields(caller), ...more, active: isActive }
    return { records: [{ what: 'caller:create', fields }], make }
  })
}

function changeUser(
  { state, store, clock }: DirectoryParts,
  known: KnownCaller,
  change: UserChange,
): Change<KnownCaller> {
  if (change.profile !== undefined) deepFreeze(change.profile)
  return planned(() => {
    const caller = callerRecord(state, known)
    if (caller.kind !== 'User') throw conflict('A service keeps its name and has no profile.')
    const { name, externalId, profile } = { ...caller, ...change }
    checkCallerName('User', name)
    checkExternalId(externalId)
    checkKept('profile', profile)
    checkNameFree(state, name, caller)
    checkExternalIdFree(state, externalId, caller)
    const changed = { name, externalId, profile, version: caller.version + 1, changedAt: clock.now() }
    const fields = {
      ...callerFields(caller),
      name_after: name,
      external_id: fieldOf(externalId),
      profile: fieldOf(profile),
    }
    const make = (): KnownCaller => {
      store.changeCaller({ ...caller, ...changed })
      state.replaceCaller(caller, changed)
      return caller
    }
    return { records: [{ what: 'caller:change', fields }], make }
  })
}

function setActive(
  { state, store, clock }: DirectoryParts,
  known: KnownCaller,
  isActive: boolean,
): Change<KnownCaller> {
  return planned(() => {
    const caller = callerRecord(state, known)
    const now = clock.now()
    const make = (): KnownCaller => {
      if (isActive === (caller.disabledAt === undefined)) return caller
      const disabledAt = isActive ? undefined : now
      const changed = { disabledAt, version: caller.version + 1, changedAt: now }
      store.changeCaller({ ...caller, ...changed })
      state.replaceCaller(caller, changed)
      return caller
    }
    const what = isActive ? 'caller:enable' : 'caller:disable'
    return { records: [{ what, fields: callerFields(caller) }], make }
  })
}

function setSpace(
  { state, store, clock }: DirectoryParts,
  known: KnownCaller,
  name: string,
): Change<KnownCaller> {
  return planned(() => {
    const caller = callerRecord(state, known)
    const space = findSpace(state, name)
    const changed = { space, version: caller.version + 1, changedAt: clock.now() }
    const make = (): KnownCaller => {
      store.changeCaller({ ...caller, ...changed })
      state.replaceCaller(caller, changed)
      return caller
    }
    const fields = { ...callerFields(caller), space_before: caller.space.name, space: name }
    return { records: [{ what: 'caller:space', fields }], make }
  })
}

function deleteCaller({ state, store, clock, keys }: DirectoryParts, known: KnownCaller): Change<void> {
  return planned(() => {
    const caller = callerRecord(state, known)
    const make = (): void => {
      const now = clock.now()
      store.deleteCaller(caller, now)
      for (const group of caller.groups) Object.assign(group, { version: group.version + 1, changedAt: now })
      for (const key of keys.values()) if (key.owner === caller) key.revokedAt ??= now
      caller.deletedAt = now
      state.dropCaller(caller)
    }
    return { records: [{ what: 'caller:delete', fields: callerFields(caller) }], make }
  })
}

function checkExternalIdFree(
  state: DirectoryState,
  externalId: string | undefined,
  own?: CallerRecord,
): void {
  const other = externalId === undefined ? undefined : state.findByExternalId(externalId)
  if (other !== undefined && other !== own) throw taken('The external id belongs to another user.')
}
