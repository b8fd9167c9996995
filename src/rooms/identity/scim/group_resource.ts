import type { JsonObject } from '#base/json.ts'
import type { Directory, KnownGroup } from '#trust/access/directory.ts'
import { bunches } from './bunches.ts'
import { etagOf } from './etag.ts'
import { factOf } from './fact_of.ts'
import type { Filter } from './filter.ts'
import type { Collection, Listable } from './list.ts'
import { GROUP, GROUP_SCHEMA } from './resource_type.ts'
import { locationOf, type ScimTerms } from './scim_terms.ts'
import { isReachable } from './user_resource.ts'

/** True for what SCIM may see and change: groups that it made. */
export function isReachableGroup({ source }: KnownGroup): boolean {
  return source === 'scim'
}

/** Those members that SCIM may see: an operator may have put others in. */
export function* membersOf(group: KnownGroup, terms: ScimTerms): Iterable<JsonObject> {
  for (const member of group.members)
    if (isReachable(member))
      yield { value: member.id, $ref: locationOf(terms, '/Users', member.id), type: 'User' }
}

/** A group as it is answered, with its members or without. */
export function toGroupResource(group: KnownGroup, terms: ScimTerms, hasMembers: boolean): JsonObject {
  const members = hasMembers ? [...membersOf(group, terms)] : []
  return {
    schemas: [GROUP_SCHEMA.id],
    id: group.id,
    ...(group.externalId === undefined ? {} : { externalId: group.externalId }),
    displayName: group.display,
    ...(members.length === 0 ? {} : { members }),
    meta: {
      resourceType: 'Group',
      created: new Date(group.createdAt).toISOString(),
      lastModified: new Date(group.changedAt).toISOString(),
      location: locationOf(terms, '/Groups', group.id),
      version: etagOf(group),
    },
  }
}

/** All groups that SCIM may see. */
export function groupsOf(directory: Directory, terms: ScimTerms): Collection {
  const toItem = (group: KnownGroup): Listable => ({
    toResource: (isWhole) => toGroupResource(group, terms, isWhole),
    weight: group.members.size,
  })
  return {
    type: GROUP,
    candidates: function* candidates(filter) {
      const named = filter === undefined ? undefined : lookUp(directory, filter)
      if (named !== undefined) yield named.filter(isReachableGroup).map(toItem)
      else
        for (const bunch of bunches((asked) => directory.listGroups({ ...asked, where: isReachableGroup })))
          yield bunch.map(toItem)
    },
  }
}

/** The groups that alone can match a filter which names one of them, or one of their members. */
function lookUp(directory: Directory, filter: Filter): readonly KnownGroup[] | undefined {
  const id = factOf(filter, 'id')
  if (id !== undefined) return [directory.findGroupById(id)].filter((group) => group !== undefined)
  const member = factOf(filter, 'members')
  return member === undefined ? undefined : [...(directory.findById(member)?.groups ?? [])]
}
