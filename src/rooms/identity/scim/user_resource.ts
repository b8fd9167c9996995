import type { JsonObject, JsonValue } from '#base/json.ts'
import type { Directory, KnownCaller } from '#trust/access/directory.ts'
import { etagOf } from './etag.ts'
import type { Filter } from './filter.ts'
import { foldCase } from './filter_match.ts'
import type { Collection, Listable } from './list.ts'
import { bunches } from './bunches.ts'
import { factOf } from './fact_of.ts'
import { ENTERPRISE_SCHEMA, USER, USER_SCHEMA } from './resource_type.ts'
import { locationOf, type ScimTerms } from './scim_terms.ts'

/** True for what SCIM may see and change: users that it made. */
export function isReachable({ kind, source }: KnownCaller): boolean {
  return kind === 'User' && source === 'scim'
}

/** What of a resource is the profile; the rest has places of its own in the directory. */
export function profileOf(resource: JsonObject): JsonObject {
  const { userName: _name, externalId: _id, active: _active, ...profile } = resource
  return profile
}

/** A user as `readResource` reads one: all that a client may write. */
export function toWritable(user: KnownCaller, { userPrefix }: ScimTerms): JsonObject {
  const { name, externalId, profile, disabledAt } = user
  return {
    userName: name.startsWith(userPrefix) ? name.slice(userPrefix.length) : name,
    ...(externalId === undefined ? {} : { externalId }),
    ...profile,
    active: disabledAt === undefined,
  }
}

/** A user as it is answered. */
export function toUserResource(user: KnownCaller, terms: ScimTerms): JsonObject {
  const written = toWritable(user, terms)
  const hasMore = written[ENTERPRISE_SCHEMA.id] !== undefined
  const groups: JsonValue[] = []
  for (const { id, display, source } of user.groups)
    if (source === 'scim')
      groups.push({ value: id, $ref: locationOf(terms, '/Groups', id), display, type: 'direct' })
  return {
    schemas: hasMore ? [USER_SCHEMA.id, ENTERPRISE_SCHEMA.id] : [USER_SCHEMA.id],
    id: user.id,
    ...written,
    ...(groups.length === 0 ? {} : { groups }),
    meta: {
      resourceType: 'User',
      created: new Date(user.createdAt).toISOString(),
      lastModified: new Date(user.changedAt).toISOString(),
      location: locationOf(terms, '/Users', user.id),
      version: etagOf(user),
    },
  }
}

/** All users that SCIM may see. */
export function usersOf(directory: Directory, terms: ScimTerms): Collection {
  const toItem = (user: KnownCaller): Listable => ({
    toResource: () => toUserResource(user, terms),
    weight: 1,
  })
  return {
    type: USER,
    candidates: function* candidates(filter) {
      const named = filter === undefined ? undefined : lookUp(directory, terms, filter)
      if (named !== undefined) yield named.filter(isReachable).map(toItem)
      else
        for (const bunch of bunches((asked) => directory.listCallers({ ...asked, where: isReachable })))
          yield bunch.map(toItem)
    },
  }
}

/** The users that alone can match a filter which names them. Providers ask so before each change. */
function lookUp(
  directory: Directory,
  { userPrefix }: ScimTerms,
  filter: Filter,
): readonly KnownCaller[] | undefined {
  const id = factOf(filter, 'id')
  if (id !== undefined) return listOf(directory.findById(id))
  const userName = factOf(filter, 'username')
  if (userName !== undefined) return listOf(directory.findAlike(foldCase(userPrefix + userName)))
  const externalId = factOf(filter, 'externalid')
  return externalId === undefined ? undefined : listOf(directory.findByExternalId(externalId))
}

function listOf<T>(found: T | undefined): readonly T[] {
  return found === undefined ? [] : [found]
}
