import { guarded, type DoorParts } from '#door/door.ts'
import type { GuardedRoute } from '#door/guarded.ts'
import {
  activeCallerRoute,
  createCallerRoute,
  deleteCallerRoute,
  listCallersRoute,
  placeCallerRoute,
  showCallerRoute,
} from '#rooms/admin/caller_routes.ts'
import type { DirectoryRouteParts } from '#rooms/admin/directory_parts.ts'
import {
  createGroupRoute,
  deleteGroupRoute,
  listGroupsRoute,
  membersRoute,
  nestGroupRoute,
  showGroupRoute,
} from '#rooms/admin/group_routes.ts'
import { setLimitsRoute } from '#rooms/admin/limit_routes.ts'
import {
  createSpaceRoute,
  createTenantRoute,
  listRolesRoute,
  listSpacesRoute,
  listTenantsRoute,
  roleRoute,
  setSpaceRoute,
} from '#rooms/admin/space_routes.ts'

/** The admin routes of callers and of all that they belong to. */
export function directoryRoutes(door: DoorParts, parts: DirectoryRouteParts): readonly GuardedRoute[] {
  return [
    guarded(door, listCallersRoute(parts)),
    guarded(door, showCallerRoute(parts)),
    guarded(door, createCallerRoute(parts)),
    guarded(door, activeCallerRoute(parts, 'disable')),
    guarded(door, activeCallerRoute(parts, 'enable')),
    guarded(door, placeCallerRoute(parts)),
    guarded(door, deleteCallerRoute(parts)),
    guarded(door, listGroupsRoute(parts)),
    guarded(door, showGroupRoute(parts)),
    guarded(door, createGroupRoute(parts)),
    guarded(door, membersRoute(parts, 'add')),
    guarded(door, membersRoute(parts, 'remove')),
    guarded(door, nestGroupRoute(parts)),
    guarded(door, deleteGroupRoute(parts)),
    guarded(door, listRolesRoute(parts)),
    guarded(door, roleRoute(parts, 'give')),
    guarded(door, roleRoute(parts, 'take')),
    guarded(door, listSpacesRoute(parts)),
    guarded(door, createSpaceRoute(parts)),
    guarded(door, setSpaceRoute(parts)),
    guarded(door, listTenantsRoute(parts)),
    guarded(door, createTenantRoute(parts)),
    guarded(door, setLimitsRoute(parts)),
  ]
}
