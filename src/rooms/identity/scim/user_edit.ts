import { canonicalJson } from '#base/canonical_json.ts'
import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import type { Change, Directory, KnownCaller, UserChange } from '#trust/access/directory.ts'
import { isUserName } from '#trust/access/directory_names.ts'
import { allChanges } from './all_changes.ts'
import { scimFault } from './scim_fault.ts'
import type { ScimTerms } from './scim_terms.ts'
import { isReachable, profileOf } from './user_resource.ts'

/** A user that SCIM made. Throws `resource.unknown` for all others, whatever they are: it tells nobody that they are there. */
export function findUser(directory: Directory, id: string): KnownCaller {
  const user = directory.findById(id)
  if (user === undefined || !isReachable(user)) throw new Fault('resource.unknown', { asked: id })
  return user
}

/** What a resource says of a user, as the directory keeps it. Throws `input.invalid` with `invalidValue`. */
export function toFacts(resource: JsonObject, { userPrefix }: ScimTerms): UserFacts {
  const { userName, externalId, active = true } = resource
  if (typeof userName !== 'string') throw scimFault('invalidValue', 'A user has a "userName".')
  const name = userPrefix + userName
  if (!isUserName(name))
    throw scimFault(
      'invalidValue',
      '"userName" takes 1 to 128 characters without space and control characters.',
    )
  const profile = profileOf(resource)
  return {
    name,
    externalId: typeof externalId === 'string' ? externalId : undefined,
    profile: Object.keys(profile).length === 0 ? undefined : profile,
    isActive: active === true,
  }
}

interface UserFacts {
  readonly name: string
  readonly externalId: string | undefined
  readonly profile: JsonObject | undefined
  readonly isActive: boolean
}

/**
 * Everything that it takes for the user to be so, disabling first; nothing where it is so already, so that a repeated
 * request leaves no entry and no new version.
 */
export function editUser(directory: Directory, user: KnownCaller, wanted: UserFacts): Change<KnownCaller> {
  const { name, externalId, profile, isActive } = wanted
  const changes: Change<unknown>[] = []
  if (isActive !== (user.disabledAt === undefined)) changes.push(directory.setActive(user, isActive))
  const change: UserChange = { name, externalId, profile }
  if (!isSame(user, wanted)) changes.push(directory.changeUser(user, change))
  return allChanges(changes, () => user)
}

function isSame(user: KnownCaller, { name, externalId, profile = {} }: UserFacts): boolean {
  const isNamedSo = user.name === name && user.externalId === externalId
  return isNamedSo && canonicalJson(user.profile ?? {}) === canonicalJson(profile)
}
