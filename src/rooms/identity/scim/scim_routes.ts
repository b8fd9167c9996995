import type { JsonObject } from '#base/json.ts'
import type { Route } from '#door/route.ts'
import {
  createGroupRoute,
  deleteGroupRoute,
  listGroupsRoute,
  patchGroupRoute,
  replaceGroupRoute,
  showGroupRoute,
} from './group_routes.ts'
import { documentRoutes, searchRoutes, unsupportedRoutes } from './provider_routes.ts'
import type { ScimParts } from './scim_parts.ts'
import {
  createUserRoute,
  deleteUserRoute,
  listUsersRoute,
  patchUserRoute,
  replaceUserRoute,
  showUserRoute,
} from './user_routes.ts'

/** All routes of SCIM 2.0 (RFC 7644), each joined to the door by the given function. */
export function scimRoutes<Joined>(
  parts: ScimParts,
  join: <Input extends JsonObject>(route: Route<Input>) => Joined,
): readonly Joined[] {
  return [
    join(createUserRoute(parts)),
    join(listUsersRoute(parts)),
    join(showUserRoute(parts)),
    join(replaceUserRoute(parts)),
    join(patchUserRoute(parts)),
    join(deleteUserRoute(parts)),
    join(createGroupRoute(parts)),
    join(listGroupsRoute(parts)),
    join(showGroupRoute(parts)),
    join(replaceGroupRoute(parts)),
    join(patchGroupRoute(parts)),
    join(deleteGroupRoute(parts)),
    ...documentRoutes(parts).map(join),
    ...searchRoutes(parts).map(join),
    ...unsupportedRoutes().map(join),
  ]
}
