import * as z from 'zod'
import { printRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import type { Directory, KnownCaller, KnownGroup, KnownSpace } from '#trust/access/directory.ts'
import type { Route } from '#door/route.ts'
import { acted, adminRoute, parseBody, parseNothing } from './admin_route.ts'
import type { SpaceRow, TenantRow } from './answers.ts'
import { carryOut } from './changes.ts'
import { ABOUT_NAMES, knownCaller, knownGroup, Named, type DirectoryRouteParts } from './directory_parts.ts'
import { toTime } from './to_time.ts'

const NewSpace = z.strictObject({
  name: z.string(),
  tenant: z.string().nullable().default(null),
  parent: z.string().nullable().default(null),
  inherits: z.boolean().default(false),
})
/** No space has this name. */
const AS_IT_IS = ''
const SpaceOrder = z.strictObject({
  name: z.string(),
  /** Left out, it stays; null takes it away. */
  parent: z.string().nullable().default(AS_IT_IS),
  inherits: z.boolean().nullable().default(null),
})
const RoleOrder = z.strictObject({ role: z.string(), to: z.enum(['caller', 'group']), name: z.string() })

/** `GET /admin/spaces`. */
export function listSpacesRoute({ directory }: DirectoryRouteParts): Route<JsonObject> {
  return adminRoute({
    name: 'space_list',
    method: 'GET',
    path: '/admin/spaces',
    action: 'space:list',
    exemptBoth: ABOUT_NAMES,
    parse: parseNothing,
    act: async () => acted(200, { spaces: directory.listSpaces().map(spaceRow) }),
  })
}

/** `POST /admin/spaces`. */
export function createSpaceRoute(parts: DirectoryRouteParts): Route<z.infer<typeof NewSpace>> {
  return adminRoute({
    name: 'space_create',
    method: 'POST',
    path: '/admin/spaces',
    action: 'space:create',
    exemptBoth: ABOUT_NAMES,
    parse: (request) => parseBody(NewSpace, request),
    act: async ({ name, tenant, parent, inherits }, { id }) => {
      const asked = { name, inherits, ...(tenant && { tenant }), ...(parent && { parent }) }
      return acted(201, spaceRow(await carryOut(parts, id, () => parts.directory.createSpace(asked))))
    },
  })
}

/** `POST /admin/spaces/set`: another parent, or none; inherits or not. */
export function setSpaceRoute(parts: DirectoryRouteParts): Route<z.infer<typeof SpaceOrder>> {
  return adminRoute({
    name: 'space_set',
    method: 'POST',
    path: '/admin/spaces/set',
    action: 'space:change',
    exemptBoth: ABOUT_NAMES,
    parse: (request) => parseBody(SpaceOrder, request),
    act: async ({ name, parent, inherits }, { id }) => {
      const { directory } = parts
      const change = {
        ...(parent === AS_IT_IS ? {} : { parent: parent ?? undefined }),
        ...(inherits === null ? {} : { inherits }),
      }
      const plan = () => directory.changeSpace(knownSpace(directory, name), change)
      return acted(200, spaceRow(await carryOut(parts, id, plan)))
    },
  })
}

/** `GET /admin/tenants`. */
export function listTenantsRoute({ directory }: DirectoryRouteParts): Route<JsonObject> {
  return adminRoute({
    name: 'tenant_list',
    method: 'GET',
    path: '/admin/tenants',
    action: 'tenant:list',
    exemptBoth: ABOUT_NAMES,
    parse: parseNothing,
    act: async () => {
      const tenants = directory.listTenants()
      return acted(200, { tenants: tenants.map(({ name }) => tenantRow(directory, name)) })
    },
  })
}

/** `POST /admin/tenants`. */
export function createTenantRoute(parts: DirectoryRouteParts): Route<Named> {
  return adminRoute({
    name: 'tenant_create',
    method: 'POST',
    path: '/admin/tenants',
    action: 'tenant:create',
    exemptBoth: ABOUT_NAMES,
    parse: (request) => parseBody(Named, request),
    act: async ({ name }, { id }) => {
      await carryOut(parts, id, () => parts.directory.createTenant(name))
      return acted(201, tenantRow(parts.directory, name))
    },
  })
}

/** `GET /admin/roles`: those that somebody has. */
export function listRolesRoute({ directory }: DirectoryRouteParts): Route<JsonObject> {
  return adminRoute({
    name: 'role_list',
    method: 'GET',
    path: '/admin/roles',
    action: 'role:list',
    exemptBoth: ABOUT_NAMES,
    parse: parseNothing,
    act: async () => {
      const roles = directory.listRoles().map(({ name, holders }) => {
        const groups = [...holders].filter((holder) => 'display' in holder).map((group) => group.name)
        return { name, callers: holders.size - groups.length, groups: groups.sort() }
      })
      return acted(200, { roles: roles.sort((one, other) => (one.name < other.name ? -1 : 1)) })
    },
  })
}

/** `POST /admin/roles/give` and `take`: to or from a caller or a group. */
export function roleRoute(
  parts: DirectoryRouteParts,
  verb: 'give' | 'take',
): Route<z.infer<typeof RoleOrder>> {
  return adminRoute({
    name: `role_${verb}`,
    method: 'POST',
    path: `/admin/roles/${verb}`,
    action: `role:${verb}`,
    exemptBoth: ABOUT_NAMES,
    parse: (request) => parseBody(RoleOrder, request),
    act: async ({ role, to, name }, { id }) => {
      const { directory } = parts
      const find = (): KnownCaller | KnownGroup =>
        to === 'caller' ? knownCaller(directory, name) : knownGroup(directory, name)
      const plan = () =>
        verb === 'give' ? directory.giveRole(find(), role) : directory.takeRole(find(), role)
      await carryOut(parts, id, plan)
      const holder = find()
      return acted(200, {
        role,
        holder: printRef({ type: 'kind' in holder ? holder.kind : 'Group', id: name }),
      })
    },
  })
}

function knownSpace(directory: Pick<Directory, 'findSpace'>, name: string): KnownSpace {
  const space = directory.findSpace(name)
  if (space === undefined) throw new Fault('space.missing')
  return space
}

function spaceRow({ name, tenant, parent, inherits, createdAt }: KnownSpace): SpaceRow {
  return { name, tenant: tenant.name, parent: parent?.name ?? null, inherits, created_at: toTime(createdAt) }
}

function tenantRow(directory: Pick<Directory, 'findTenant' | 'listSpaces'>, name: string): TenantRow {
  const spaces = directory.listSpaces().filter(({ tenant }) => tenant.name === name).length
  return { name, spaces, created_at: toTime(directory.findTenant(name)?.createdAt ?? 0) }
}
