import { sha256Hex } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { isJsonArray, isJsonObject } from '#base/json.ts'
import type { Change, Directory, KnownCaller, KnownGroup } from '#trust/access/directory.ts'
import { allChanges } from './all_changes.ts'
import { groupNameOf } from '#trust/access/directory_names.ts'
import { isReachableGroup } from './group_resource.ts'
import type { MemberEdits } from './member_list.ts'
import { scimFault } from './scim_fault.ts'
import { isReachable } from './user_resource.ts'

/** A group that SCIM made. Throws `resource.unknown` for all others. */
export function findGroup(directory: Directory, id: string): KnownGroup {
  const group = directory.findGroupById(id)
  if (group === undefined || !isReachableGroup(group)) throw new Fault('resource.unknown', { asked: id })
  return group
}

interface GroupFacts {
  readonly display: string
  /** What policies call it. */
  readonly name: string
  readonly externalId: string | undefined
}

/** What a resource says of a group, besides its members. Throws `input.invalid` with `invalidValue`. */
export function toGroupFacts({ displayName, externalId }: JsonObject): GroupFacts {
  if (typeof displayName !== 'string') throw scimFault('invalidValue', 'A group has a "displayName".')
  const name = groupNameOf(displayName)
  return {
    display: displayName,
    // A name in another script has nothing that could stand in a policy.
    name: name === '' ? `group-${sha256Hex(displayName).slice(0, HASH_CHARACTERS)}` : name,
    externalId: typeof externalId === 'string' ? externalId : undefined,
  }
}

const HASH_CHARACTERS = 16

/** The users whose ids stand in the `members` of a resource. Throws `input.invalid` with `invalidValue` for any other id. */
export function memberIds(members: JsonValue | undefined): ReadonlySet<string> {
  const list = members !== undefined && isJsonArray(members) ? members : []
  return new Set(
    list.map((member) => {
      const id = isJsonObject(member) ? member['value'] : undefined
      if (typeof id !== 'string') throw scimFault('invalidValue', 'A member has a "value", the id of a user.')
      return id
    }),
  )
}

/** Everything that it takes for the group to be so, with nothing where it is so already. */
export function editGroup(
  directory: Directory,
  group: KnownGroup,
  { facts, members }: { readonly facts: GroupFacts; readonly members: MemberEdits },
): Change<KnownGroup> {
  const changes: Change<unknown>[] = []
  const { display, externalId } = facts
  if (group.display !== display || group.externalId !== externalId)
    changes.push(directory.changeGroup(group, display === group.display ? { externalId } : facts))
  const { added, removed } = toMembers(directory, group, members)
  if (removed.length > 0) changes.push(directory.removeMembers(group, removed))
  if (added.length > 0) changes.push(directory.addMembers(group, added))
  return allChanges(changes, () => group)
}

/** Those who come and go. One who was not in it is not missed: a repeated removal does no harm. */
function toMembers(
  directory: Directory,
  group: KnownGroup,
  { isCleared, added, removed }: MemberEdits,
): { readonly added: readonly KnownCaller[]; readonly removed: readonly KnownCaller[] } {
  const coming = [...added].map((id) => findMember(directory, id))
  const mayGo = isCleared ? [...group.members] : [...removed].flatMap((id) => directory.findById(id) ?? [])
  return {
    added: coming.filter((user) => !group.members.has(user)),
    // Those whom an operator put in stay in: SCIM does not see them.
    removed: mayGo.filter((user) => isReachable(user) && group.members.has(user) && !added.has(user.id)),
  }
}

/** Throws `input.invalid` with `invalidValue` for what is no user that SCIM made. */
export function findMember(directory: Directory, id: string): KnownCaller {
  const user = directory.findById(id)
  if (user === undefined || !isReachable(user))
    throw scimFault(
      'invalidValue',
      'A member is not a user that SCIM made. Groups in groups are not supported.',
    )
  return user
}
