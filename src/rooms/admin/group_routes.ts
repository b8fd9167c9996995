import * as z from 'zod'
import { LIMITS } from '#base/limits.ts'
import type { KnownGroup } from '#trust/access/directory.ts'
import type { Route } from '#door/route.ts'
import { acted, adminRoute, parseBody, parseQuery } from './admin_route.ts'
import type { GroupAnswer, GroupRow } from './answers.ts'
import { carryOut } from './changes.ts'
import {
  ABOUT_NAMES,
  knownCaller,
  knownGroup,
  Named,
  PAGE,
  Page,
  type DirectoryRouteParts,
} from './directory_parts.ts'
import { toTime } from './to_time.ts'

const NewGroup = z.strictObject({
  name: z.string(),
  /** Name of the group that it is in. */
  parent: z.string().nullable().default(null),
})
const Members = z.strictObject({
  name: z.string(),
  members: z.array(z.string()).min(1).max(LIMITS.listedAtOnce),
})
const Nested = z.strictObject({ name: z.string(), parent: z.string().nullable() })
const Shown = z.strictObject({ name: z.string(), ...PAGE })

/** `GET /admin/groups`. */
export function listGroupsRoute({ directory }: DirectoryRouteParts): Route<z.infer<typeof Page>> {
  return adminRoute({
    name: 'group_list',
    method: 'GET',
    path: '/admin/groups',
    action: 'group:list',
    exemptBoth: ABOUT_NAMES,
    parse: (request) => parseQuery(Page, request),
    act: async (page) => {
      const { total, items } = directory.listGroups(page)
      return acted(200, { total, groups: items.map(groupRow) })
    },
  })
}

/** `GET /admin/groups/show?name=…`: with a part of its members. */
export function showGroupRoute({ directory }: DirectoryRouteParts): Route<z.infer<typeof Shown>> {
  return adminRoute({
    name: 'group_show',
    method: 'GET',
    path: '/admin/groups/show',
    action: 'group:show',
    exemptBoth: ABOUT_NAMES,
    parse: (request) => parseQuery(Shown, request),
    act: async ({ name, start, count }) => acted(200, groupAnswer(knownGroup(directory, name), start, count)),
  })
}

/** `POST /admin/groups`. */
export function createGroupRoute(parts: DirectoryRouteParts): Route<z.infer<typeof NewGroup>> {
  return adminRoute({
    name: 'group_create',
    method: 'POST',
    path: '/admin/groups',
    action: 'group:create',
    exemptBoth: ABOUT_NAMES,
    parse: (request) => parseBody(NewGroup, request),
    act: async ({ name, parent }, { id }) => {
      const { directory } = parts
      // Checked first: a group must not be left behind that could not be put where it belongs.
      const above = parent === null ? undefined : knownGroup(directory, parent)
      const group = await carryOut(parts, id, () => directory.createGroup({ name, display: name }))
      if (above !== undefined) await carryOut(parts, id, () => directory.nest(group, above))
      return acted(201, groupRow(group))
    },
  })
}

/** `POST /admin/groups/add` and `remove`: seen by the very next request of each member. */
export function membersRoute(
  parts: DirectoryRouteParts,
  verb: 'add' | 'remove',
): Route<z.infer<typeof Members>> {
  return adminRoute({
    name: `group_${verb}`,
    method: 'POST',
    path: `/admin/groups/${verb}`,
    action: `group:${verb}`,
    exemptBoth: ABOUT_NAMES,
    parse: (request) => parseBody(Members, request),
    act: async ({ name, members }, { id }) => {
      const { directory } = parts
      const plan = () => {
        const group = knownGroup(directory, name)
        const callers = members.map((member) => knownCaller(directory, member))
        return verb === 'add' ? directory.addMembers(group, callers) : directory.removeMembers(group, callers)
      }
      return acted(200, groupRow(await carryOut(parts, id, plan)))
    },
  })
}

/** `POST /admin/groups/nest`: puts a group into another one, or with null into none. */
export function nestGroupRoute(parts: DirectoryRouteParts): Route<z.infer<typeof Nested>> {
  return adminRoute({
    name: 'group_nest',
    method: 'POST',
    path: '/admin/groups/nest',
    action: 'group:nest',
    exemptBoth: ABOUT_NAMES,
    parse: (request) => parseBody(Nested, request),
    act: async ({ name, parent }, { id }) => {
      const { directory } = parts
      const plan = () =>
        directory.nest(
          knownGroup(directory, name),
          parent === null ? undefined : knownGroup(directory, parent),
        )
      return acted(200, groupRow(await carryOut(parts, id, plan)))
    },
  })
}

/** `POST /admin/groups/delete`: its members are in it no more, and groups in it are in none. */
export function deleteGroupRoute(parts: DirectoryRouteParts): Route<Named> {
  return adminRoute({
    name: 'group_delete',
    method: 'POST',
    path: '/admin/groups/delete',
    action: 'group:delete',
    exemptBoth: ABOUT_NAMES,
    parse: (request) => parseBody(Named, request),
    act: async ({ name }, { id }) => {
      const { directory } = parts
      await carryOut(parts, id, () => directory.deleteGroup(knownGroup(directory, name)))
      return acted(200, { name })
    },
  })
}

function groupRow(group: KnownGroup): GroupRow {
  const { id, name, display, source, parent, roles, members, createdAt } = group
  return {
    id,
    name,
    display,
    source,
    parent: parent?.name ?? null,
    roles: [...roles].sort(),
    members: members.size,
    created_at: toTime(createdAt),
  }
}

function groupAnswer(group: KnownGroup, start: number, count: number): GroupAnswer {
  return {
    ...groupRow(group),
    groups: [...group.children].map(({ name }) => name).sort(),
    names: [...group.members].slice(start, start + count).map(({ name }) => name),
    limits: group.limits ?? null,
    changed_at: toTime(group.changedAt),
  }
}
