import { canonicalJson } from '#base/canonical_json.ts'
import type { Millis } from '#base/clock.ts'
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { callerChanges } from './caller_changes.ts'
import type { Change } from './directory.ts'
import type { DirectoryParts } from './directory_change.ts'
import { checkCallerName } from './directory_names.ts'
import { newCallerRecord, type CallerRecord, type GroupRecord } from './directory_record.ts'
import { DEFAULT_SPACE } from './directory_facts.ts'
import { groupChanges } from './group_changes.ts'
import type { RecordedChange } from './recorded_change.ts'
import { findLimited, isLimitedType, spaceChanges } from './space_changes.ts'

/** Changes that take something away: what they say must be readable, or what is open here cannot be told. */
export const NARROWING: ReadonlySet<string> = new Set([
  'caller:change',
  'caller:disable',
  'caller:delete',
  'caller:space',
  'group:remove',
  'group:change',
  'group:nest',
  'group:delete',
  'role:take',
  'space:change',
  'limits:set',
])

/**
 * Takes away again what the ledger says was taken away: nobody is let in, put into a group or given a role. What counts is
 * the last change of each thing; one that only asks to take away is enough, one that gives back must have been made.
 * Gives how many changes it made.
 */
export function replayDirectory(parts: DirectoryParts, changes: readonly RecordedChange[]): number {
  const last = new LastChanges()
  for (const change of changes) last.note(change)
  const made = replayOnce(parts, last.all)
  // Of who has come back disabled, other changes may hold too.
  return made === 0 ? 0 : made + replayOnce(parts, last.all)
}

function replayOnce(parts: DirectoryParts, changes: Iterable<Noted>): number {
  const replay = new DirectoryReplay(parts)
  for (const change of changes) replay.make(change)
  return replay.finish()
}

interface Noted {
  readonly what: string
  readonly at: Millis
  readonly values: JsonObject
  readonly isMade: boolean
}

/** Changes that still hold at the end, each of one thing. */
class LastChanges {
  readonly #changes = new Map<string, Noted>()

  get all(): Iterable<Noted> {
    return this.#changes.values()
  }

  note({ what, at, values, isMade }: RecordedChange): void {
    const change = { what, at, values, isMade }
    const id = textOf(values, 'caller_id') ?? textOf(values, 'name') ?? ''
    if (what === 'caller:disable') this.#keep(`active ${id}`, change)
    if (what === 'caller:enable' && isMade) this.#changes.delete(`active ${id}`)
    if (what === 'caller:delete') this.#keep(`caller ${id}`, change)
    // Who is gone for certain has not to be kept out.
    if (what === 'caller:delete' && isMade) this.#changes.delete(`active ${id}`)
    if (what === 'caller:change' && isMade) this.#keep(`name of ${id}`, change)
    if (what === 'caller:space' && isMade) this.#keep(`space of ${id}`, change)
    const group = textOf(values, 'group_id') ?? ''
    if (what === 'group:remove') this.#noteMembers(group, change)
    if (what === 'group:add' && isMade)
      for (const member of textsOf(values, 'caller_ids')) this.#changes.delete(`member ${group} ${member}`)
    if (what === 'group:change' && isMade) this.#keep(`group ${group}`, change)
    if (what === 'group:nest') this.#keep(`parent of ${group}`, change)
    if (what === 'group:delete') this.#keep(`no ${group}`, change)
    const role = `role ${textOf(values, 'holder_id') ?? ''} ${textOf(values, 'role') ?? ''}`
    if (what === 'role:take') this.#keep(role, change)
    if (what === 'role:give' && isMade) this.#changes.delete(role)
    if (what === 'space:change') this.#keep(`space ${textOf(values, 'space') ?? ''}`, change)
    if (what === 'limits:set' && isMade) this.#keep(`limits ${textOf(values, 'of_id') ?? ''}`, change)
  }

  #noteMembers(group: string, { what, at, values, isMade }: Noted): void {
    for (const member of textsOf(values, 'caller_ids'))
      this.#keep(`member ${group} ${member}`, {
        what,
        at,
        values: { group_id: group, caller_id: member },
        isMade,
      })
  }

  /** The last one, also in the order of all. */
  #keep(thing: string, change: Noted): void {
    this.#changes.delete(thing)
    this.#changes.set(thing, change)
  }
}

/** Makes single changes where they are not made here. The ledger has them already, so nothing is recorded. */
class DirectoryReplay {
  readonly #parts: DirectoryParts
  readonly #verbs: ReturnType<typeof callerChanges> &
    ReturnType<typeof groupChanges> &
    ReturnType<typeof spaceChanges>
  /** Those who are to leave a group leave it together. */
  readonly #leaving = new Map<GroupRecord, CallerRecord[]>()
  /** Names may have changed among each other, so all give theirs up before one takes another. */
  readonly #renaming = new Map<GroupRecord, JsonObject>()
  readonly #renamingUsers = new Map<CallerRecord, JsonObject>()
  /** Callers who were disabled and are not here. */
  readonly #absent: Noted[] = []
  #made = 0

  constructor(parts: DirectoryParts) {
    this.#parts = parts
    this.#verbs = { ...callerChanges(parts), ...groupChanges(parts), ...spaceChanges(parts) }
  }

  make(change: Noted): void {
    const { what, values } = change
    if (what.startsWith('caller:')) return this.#makeOfCaller(change, this.#caller(values))
    if (what === 'role:take') return this.#takeRole(values)
    if (what === 'space:change') return this.#disinherit(values)
    if (what === 'limits:set') return this.#setLimits(values)
    const group = this.#parts.state.groups.get(textOf(values, 'group_id') ?? '')
    if (group !== undefined) this.#makeOfGroup(change, group)
  }

  /** Gives how many changes were made. */
  finish(): number {
    for (const [group, members] of this.#leaving) {
      if (!this.#parts.state.groups.has(group.id)) continue
      const staying = members.filter((member) => group.members.has(member))
      this.#verbs.removeMembers(group, staying).make()
      this.#made += staying.length
    }
    this.#renameGroups()
    this.#renameUsers()
    for (const change of this.#absent) this.#addDisabled(change)
    return this.#made
  }

  /** What the name of before allowed must not come back; where the new one is another group's, nobody stays in it. */
  #renameGroups(): void {
    const { state } = this.#parts
    const changed = [...this.#renaming].filter(
      ([group, { name_after }]) => state.groups.has(group.id) && group.name !== name_after,
    )
    for (const [group] of changed)
      if (group.name !== group.id) this.#verbs.changeGroup(group, { name: group.id }).make()
    for (const [group, values] of changed) {
      const [name, display] = [textOf(values, 'name_after') ?? '', textOf(values, 'display') ?? '']
      if (state.findGroup(name) === undefined) this.#do(this.#verbs.changeGroup(group, { name, display }))
      else if (group.members.size > 0) this.#do(this.#verbs.setMembers(group, []))
    }
  }

  /** What is kept out by the name of before, or let in by it, is another one now. */
  #renameUsers(): void {
    const { state } = this.#parts
    const changed = [...this.#renamingUsers].filter(
      ([user, { name_after }]) => user.deletedAt === undefined && user.name !== name_after,
    )
    for (const [user] of changed)
      if (user.name !== user.id) this.#verbs.changeUser(user, { name: user.id }).make()
    for (const [user, values] of changed) {
      const name = textOf(values, 'name_after') ?? ''
      if (state.findAlike(name) === undefined) this.#do(this.#verbs.changeUser(user, { name }))
      else if (user.disabledAt === undefined) this.#do(this.#verbs.setActive(user, false))
    }
  }

  #makeOfCaller(change: Noted, caller: CallerRecord | undefined): void {
    const { what, values, isMade } = change
    if (caller === undefined) {
      if (what === 'caller:disable') this.#absent.push(change)
      return
    }
    if (what === 'caller:change') {
      this.#renamingUsers.set(caller, values)
      return
    }
    if (what === 'caller:space') return this.#moveCaller(caller, textOf(values, 'space') ?? '')
    if (what === 'caller:delete' && isMade) return this.#do(this.#verbs.deleteCaller(caller))
    // That a caller was to be deleted is not certain: it is kept, and kept out.
    if (caller.disabledAt === undefined) this.#do(this.#verbs.setActive(caller, false))
  }

  /** A user whom this database does not know would come in with a token like any unknown one. */
  #addDisabled({ at, values }: Noted): void {
    const { state, store } = this.#parts
    const [name, id] = [textOf(values, 'name') ?? '', textOf(values, 'caller_id')]
    const space = state.spaces.get(DEFAULT_SPACE)
    const isUser = values['caller_kind'] === 'User'
    if (!isUser || id === undefined || space === undefined || state.findAlike(name) !== undefined) return
    checkCallerName('User', name)
    const given = { id, name, kind: 'User', space, createdBy: 'System::"replay"', disabledAt: at } as const
    const caller = newCallerRecord(given, at)
    store.addCaller(caller)
    state.addCaller(caller)
    this.#made += 1
  }

  /** What the space of before allowed must not come back; where the new one is not here, nothing is allowed. */
  #moveCaller(caller: CallerRecord, name: string): void {
    if (caller.space.name === name) return
    const isHere = this.#parts.state.spaces.has(name)
    if (isHere) this.#do(this.#verbs.setSpace(caller, name))
    else if (caller.disabledAt === undefined) this.#do(this.#verbs.setActive(caller, false))
  }

  #makeOfGroup({ what, values }: Noted, group: GroupRecord): void {
    const { state } = this.#parts
    if (what === 'group:delete') return this.#do(this.#verbs.deleteGroup(group))
    if (what === 'group:remove') {
      const member = state.findById(textOf(values, 'caller_id') ?? '')
      if (member === undefined || !group.members.has(member)) return
      const leaving = this.#leaving.get(group)
      if (leaving === undefined) this.#leaving.set(group, [member])
      else leaving.push(member)
    }
    if (what === 'group:nest' && group.parent !== undefined && group.parent.id !== values['parent_id'])
      this.#do(this.#verbs.nest(group, undefined))
    if (what === 'group:change') this.#renaming.set(group, values)
  }

  #takeRole(values: JsonObject): void {
    const { state } = this.#parts
    const [id, role] = [textOf(values, 'holder_id') ?? '', textOf(values, 'role') ?? '']
    const holder = state.findById(id) ?? state.groups.get(id)
    if (holder?.roles.has(role) === true) this.#do(this.#verbs.takeRole(holder, role))
  }

  #disinherit(values: JsonObject): void {
    const space = this.#parts.state.spaces.get(textOf(values, 'space') ?? '')
    if (space === undefined || !space.inherits) return
    const isAsThen = values['inherits'] === true && values['parent'] === space.parent?.name
    if (!isAsThen) this.#do(this.#verbs.changeSpace(space, { inherits: false }))
  }

  #setLimits(values: JsonObject): void {
    const [type, id] = [textOf(values, 'of_type'), textOf(values, 'of') ?? '']
    const limits = values['limits'] ?? null
    if (!isLimitedType(type) || (limits !== null && !isJsonObject(limits))) return
    const found = findLimited(this.#parts.state, { type, id })
    if (found === undefined || found.id !== values['of_id']) return
    if (canonicalJson(found.limits ?? null) === canonicalJson(limits)) return
    this.#do(this.#verbs.setLimits({ type, id }, limits ?? undefined))
  }

  /** By its id; entries of the first Gatehouse have the name alone. */
  #caller(values: JsonObject): CallerRecord | undefined {
    const { state } = this.#parts
    const id = textOf(values, 'caller_id')
    return id === undefined ? state.find(textOf(values, 'name') ?? '') : state.findById(id)
  }

  #do(change: Change<unknown>): void {
    change.make()
    this.#made += 1
  }
}

function textOf(values: JsonObject, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}

function textsOf(values: JsonObject, name: string): readonly string[] {
  const list: JsonValue | undefined = values[name]
  return list !== undefined && isJsonArray(list) ? list.filter((each) => typeof each === 'string') : []
}
