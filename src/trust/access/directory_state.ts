import type { CallerRecord, GroupRecord, RoleRecord, SpaceRecord, TenantRecord } from './directory_record.ts'

const ASCII = /^[\0-\x7f]*$/

/** All records of the directory in memory, and what is known of their changes. It checks and writes nothing. */
export class DirectoryState {
  /** By the name as `foldName` gives it. */
  readonly #callers = new Map<string, CallerRecord>()
  readonly #callersById = new Map<string, CallerRecord>()
  readonly #callersByExternalId = new Map<string, CallerRecord>()
  readonly #groupsByName = new Map<string, GroupRecord>()
  readonly #groupsByExternalId = new Map<string, GroupRecord>()
  readonly groups = new Map<string, GroupRecord>()
  readonly spaces = new Map<string, SpaceRecord>()
  readonly tenants = new Map<string, TenantRecord>()
  /** By name. A role that nobody has is not there. */
  readonly roles = new Map<string, RoleRecord>()
  #epoch = 1
  #shape = 1

  get callers(): IterableIterator<CallerRecord> {
    return this.#callersById.values()
  }

  get callerCount(): number {
    return this.#callersById.size
  }

  /** Another number after every change. */
  get epoch(): number {
    return this.#epoch
  }

  /** When last something changed that many callers may be in. */
  get shape(): number {
    return this.#shape
  }

  find(name: string): CallerRecord | undefined {
    const found = this.findAlike(name)
    return found?.name === name ? found : undefined
  }

  findAlike(name: string): CallerRecord | undefined {
    return this.#callers.get(foldName(name))
  }

  findById(id: string): CallerRecord | undefined {
    return this.#callersById.get(id)
  }

  findByExternalId(externalId: string): CallerRecord | undefined {
    return this.#callersByExternalId.get(externalId)
  }

  findGroup(name: string): GroupRecord | undefined {
    return this.#groupsByName.get(name)
  }

  findGroupByExternalId(externalId: string): GroupRecord | undefined {
    return this.#groupsByExternalId.get(externalId)
  }

  /** Of a name in any spelling, also one that nobody has. */
  epochOf(name: string): number {
    return Math.max(this.#shape, this.findAlike(name)?.epoch ?? 0)
  }

  addCaller(caller: CallerRecord): void {
    this.#callers.set(foldName(caller.name), caller)
    this.#callersById.set(caller.id, caller)
    if (caller.externalId !== undefined) this.#callersByExternalId.set(caller.externalId, caller)
    for (const group of caller.groups) group.members.add(caller)
    for (const role of caller.roles) this.#addHolder(role, caller)
    this.touch(caller)
  }

  dropCaller(caller: CallerRecord): void {
    this.#callers.delete(foldName(caller.name))
    this.#callersById.delete(caller.id)
    if (caller.externalId !== undefined) this.#callersByExternalId.delete(caller.externalId)
    for (const group of caller.groups) group.members.delete(caller)
    for (const role of caller.roles) this.#dropHolder(role, caller)
    this.touch(caller)
  }

  /** `change` may be of the names too. */
  replaceCaller(caller: CallerRecord, change: Partial<CallerRecord>): void {
    this.#callers.delete(foldName(caller.name))
    if (caller.externalId !== undefined) this.#callersByExternalId.delete(caller.externalId)
    Object.assign(caller, change)
    this.#callers.set(foldName(caller.name), caller)
    if (caller.externalId !== undefined) this.#callersByExternalId.set(caller.externalId, caller)
    this.touch(caller)
  }

  /** The caller itself has changed: nothing that was worked out for it holds any more. */
  touch(caller: CallerRecord): void {
    caller.epoch = ++this.#epoch
    caller.facts = undefined
    caller.proven = []
  }

  /** Something that callers may be in has changed; who is in it finds out when it comes. */
  touchShape(): void {
    this.#shape = ++this.#epoch
  }

  /** A group that nobody is in yet; a token that names it says no more of it than the group itself. */
  addGroup(group: GroupRecord): void {
    this.groups.set(group.id, group)
    this.#groupsByName.set(group.name, group)
    if (group.externalId !== undefined) this.#groupsByExternalId.set(group.externalId, group)
    group.parent?.children.add(group)
    for (const role of group.roles) this.#addHolder(role, group)
  }

  /** `change` may be of the names and the parent too. */
  replaceGroup(group: GroupRecord, change: Partial<GroupRecord>): void {
    this.#groupsByName.delete(group.name)
    if (group.externalId !== undefined) this.#groupsByExternalId.delete(group.externalId)
    group.parent?.children.delete(group)
    const hasMoved = change.parent !== group.parent || change.name !== group.name
    Object.assign(group, change)
    this.#groupsByName.set(group.name, group)
    if (group.externalId !== undefined) this.#groupsByExternalId.set(group.externalId, group)
    group.parent?.children.add(group)
    if (hasMoved) this.touchShape()
  }

  /** Puts callers in and takes others out. */
  changeMembers(group: GroupRecord, added: readonly CallerRecord[], removed: readonly CallerRecord[]): void {
    for (const caller of removed) {
      group.members.delete(caller)
      caller.groups = new Set([...caller.groups].filter((each) => each !== group))
      this.touch(caller)
    }
    for (const caller of added) {
      group.members.add(caller)
      caller.groups = new Set([...caller.groups, group])
      this.touch(caller)
    }
  }

  dropGroup(group: GroupRecord): void {
    this.groups.delete(group.id)
    this.#groupsByName.delete(group.name)
    if (group.externalId !== undefined) this.#groupsByExternalId.delete(group.externalId)
    group.parent?.children.delete(group)
    for (const child of group.children) child.parent = undefined
    for (const role of group.roles) this.#dropHolder(role, group)
    this.changeMembers(group, [], [...group.members])
    this.touchShape()
  }

  addRole(role: string, holder: CallerRecord | GroupRecord): void {
    holder.roles = new Set([...holder.roles, role])
    this.#addHolder(role, holder)
    this.#touchHolder(holder)
  }

  dropRole(role: string, holder: CallerRecord | GroupRecord): void {
    holder.roles = new Set([...holder.roles].filter((each) => each !== role))
    this.#dropHolder(role, holder)
    this.#touchHolder(holder)
  }

  #touchHolder(holder: CallerRecord | GroupRecord): void {
    if (isGroup(holder)) this.touchShape()
    else this.touch(holder)
  }

  #addHolder(name: string, holder: CallerRecord | GroupRecord): void {
    const role = this.roles.get(name) ?? { name, holders: new Set(), facts: undefined }
    role.holders.add(holder)
    this.roles.set(name, role)
  }

  #dropHolder(name: string, holder: CallerRecord | GroupRecord): void {
    const role = this.roles.get(name)
    role?.holders.delete(holder)
    if (role?.holders.size === 0) this.roles.delete(name)
  }
}

export function isGroup(holder: CallerRecord | GroupRecord): holder is GroupRecord {
  return 'display' in holder
}

/** Names that fold to the same look the same to people, or nearly so. */
export function foldName(name: string): string {
  const lower = name.toLowerCase()
  return ASCII.test(lower) ? lower : lower.normalize('NFKC').toLowerCase()
}
