import type { JsonObject } from '#base/json.ts'
import type { Route } from '#door/route.ts'
import { GROUP_KIND, createGroupRoute, patchGroupRoute, replaceGroupRoute } from './group_routes.ts'
import { deleteRoute, listRoute, showRoute } from './resource_routes.ts'
import { documentRoutes, searchRoutes, unsupportedRoutes } from './provider_routes.ts'
import type { ScimParts } from './scim_parts.ts'
import { USER_KIND, createUserRoute, patchUserRoute, replaceUserRoute } from './user_routes.ts'

/** All routes of SCIM 2.0 (RFC 7644), each joined to the door by the given function. */
export function scimRoutes<Joined>(
  parts: ScimParts,
  join: <Input extends JsonObject>(route: Route<Input>) => Joined,
): readonly Joined[] {
  return [
    join(createUserRoute(parts)),
    join(listRoute(parts, USER_KIND)),
    join(showRoute(parts, USER_KIND)),
    join(replaceUserRoute(parts)),
    join(patchUserRoute(parts)),
    join(deleteRoute(parts, USER_KIND)),
    join(createGroupRoute(parts)),
    join(listRoute(parts, GROUP_KIND)),
    join(showRoute(parts, GROUP_KIND)),
    join(replaceGroupRoute(parts)),
    join(patchGroupRoute(parts)),
    join(deleteRoute(parts, GROUP_KIND)),
    ...documentRoutes(parts).map(join),
    ...searchRoutes(parts).map(join),
    ...unsupportedRoutes().map(join),
  ]
}
