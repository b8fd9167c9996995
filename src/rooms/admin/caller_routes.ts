import * as z from 'zod'
import { printRef } from '#base/decider.ts'
import type { JsonObject } from '#base/json.ts'
import type { Directory, KnownCaller } from '#trust/access/directory.ts'
import type { Route } from '#door/route.ts'
import { acted, adminRoute, parseBody, parseQuery } from './admin_route.ts'
import type { CallerAnswer, CallerRow } from './answers.ts'
import { carryOut } from './changes.ts'
import { ABOUT_NAMES, knownCaller, Named, Page, type DirectoryRouteParts } from './directory_parts.ts'
import { toTime } from './to_time.ts'

const NewCaller = z.strictObject({
  name: z.string(),
  kind: z.enum(['user', 'service']),
  space: z.string().nullable().default(null),
})
const InSpace = z.strictObject({ name: z.string(), space: z.string() })

const KINDS = { user: 'User', service: 'Service' } as const

/** `GET /admin/callers`. */
export function listCallersRoute({ directory }: DirectoryRouteParts): Route<z.infer<typeof Page>> {
  return adminRoute({
    name: 'caller_list',
    method: 'GET',
    path: '/admin/callers',
    action: 'caller:list',
    exemptBoth: ABOUT_NAMES,
    parse: (request) => parseQuery(Page, request),
    act: async (page) => {
      const { total, items } = directory.listCallers(page)
      return acted(200, { total, callers: items.map(callerRow) })
    },
  })
}

/** `GET /admin/callers/show?name=…`. */
export function showCallerRoute({ directory }: DirectoryRouteParts): Route<Named> {
  return adminRoute({
    name: 'caller_show',
    method: 'GET',
    path: '/admin/callers/show',
    action: 'caller:show',
    exemptBoth: ABOUT_NAMES,
    parse: (request) => parseQuery(Named, request),
    act: async ({ name }) => acted(200, callerAnswer(directory, knownCaller(directory, name))),
  })
}

/** `POST /admin/callers`: a user or service that has no key yet. */
export function createCallerRoute(parts: DirectoryRouteParts): Route<z.infer<typeof NewCaller>> {
  return adminRoute({
    name: 'caller_create',
    method: 'POST',
    path: '/admin/callers',
    action: 'caller:create',
    exemptBoth: ABOUT_NAMES,
    parse: (request) => parseBody(NewCaller, request),
    act: async ({ name, kind, space }, { id, caller }) => {
      const asked = { name, kind: KINDS[kind], createdBy: printRef(caller.ref) }
      const placed = space === null ? asked : { ...asked, space }
      return acted(201, callerRow(await carryOut(parts, id, () => parts.directory.createCaller(placed))))
    },
  })
}

/** `POST /admin/callers/disable`: refused with all its keys and tokens from the very next request on; and `enable`. */
export function activeCallerRoute(parts: DirectoryRouteParts, verb: 'disable' | 'enable'): Route<Named> {
  return adminRoute({
    name: `caller_${verb}`,
    method: 'POST',
    path: `/admin/callers/${verb}`,
    action: `caller:${verb}`,
    exemptBoth: ABOUT_NAMES,
    parse: (request) => parseBody(Named, request),
    act: async ({ name }, { id }) => {
      const { directory } = parts
      const plan = () => directory.setActive(knownCaller(directory, name), verb === 'enable')
      return acted(200, callerRow(await carryOut(parts, id, plan)))
    },
  })
}

/** `POST /admin/callers/space`: puts a caller into another space. */
export function placeCallerRoute(parts: DirectoryRouteParts): Route<z.infer<typeof InSpace>> {
  return adminRoute({
    name: 'caller_space',
    method: 'POST',
    path: '/admin/callers/space',
    action: 'caller:space',
    exemptBoth: ABOUT_NAMES,
    parse: (request) => parseBody(InSpace, request),
    act: async ({ name, space }, { id }) => {
      const { directory } = parts
      const plan = () => directory.setSpace(knownCaller(directory, name), space)
      return acted(200, callerRow(await carryOut(parts, id, plan)))
    },
  })
}

/** `POST /admin/callers/delete`: its keys are revoked for good; its name is free again. */
export function deleteCallerRoute(parts: DirectoryRouteParts): Route<Named> {
  return adminRoute({
    name: 'caller_delete',
    method: 'POST',
    path: '/admin/callers/delete',
    action: 'caller:delete',
    exemptBoth: ABOUT_NAMES,
    parse: (request) => parseBody(Named, request),
    act: async ({ name }, { id }) => {
      const { directory } = parts
      await carryOut(parts, id, () => directory.deleteCaller(knownCaller(directory, name)))
      return acted(200, { name })
    },
  })
}

function callerRow(caller: KnownCaller): CallerRow {
  const { id, name, kind, source, space, disabledAt, createdAt, createdBy } = caller
  return {
    id,
    name,
    kind,
    source,
    space: space.name,
    tenant: space.tenant.name,
    state: disabledAt === undefined ? 'live' : 'disabled',
    created_at: toTime(createdAt),
    created_by: createdBy,
  }
}

function callerAnswer(directory: Pick<Directory, 'factsOf'>, caller: KnownCaller): CallerAnswer & JsonObject {
  const [, ...above] = directory.factsOf(caller).entities
  return {
    ...callerRow(caller),
    groups: [...caller.groups].map(({ name }) => name).sort(),
    roles: [...caller.roles].sort(),
    external_id: caller.externalId ?? null,
    profile: caller.profile ?? null,
    limits: caller.limits ?? null,
    changed_at: toTime(caller.changedAt),
    is_in: above.map(({ ref }) => printRef(ref)).sort(),
  }
}
