import type { JsonObject } from '#base/json.ts'
import type { ActedWhole, Route } from '#door/route.ts'
import type { Change, KnownGroup } from '#trust/access/directory.ts'
import { checkUnchanged, etagOf } from './etag.ts'
import { editGroup, findGroup, findMember, memberIds, toGroupFacts } from './group_edit.ts'
import { groupsOf, membersOf, toGroupResource } from './group_resource.ts'
import { selectionOf } from './list_request.ts'
import { MemberList, type MemberEdits } from './member_list.ts'
import { applyPatch } from './patch.ts'
import { readOperations } from './patch_request.ts'
import { readResource } from './read_value.ts'
import { GROUP } from './resource_type.ts'
import { MEMBERS } from './group_attributes.ts'
import type { ResourceKind } from './resource_routes.ts'
import { answered, carryOut, silent, type ScimParts } from './scim_parts.ts'
import { wishesOf, type AskedOne, type SentOne, type Wishes } from './scim_request.ts'
import { parseId, parseObject, scimRoute } from './scim_route.ts'
import { locationOf } from './scim_terms.ts'
import { isSelected, select } from './selection.ts'

export const GROUP_KIND: ResourceKind<KnownGroup> = {
  name: 'group',
  path: '/Groups',
  listed: ({ directory, terms }) => groupsOf(directory, terms),
  find: ({ directory }, id) => findGroup(directory, id),
  remove: ({ directory }, group) => directory.deleteGroup(group),
  answer: (parts, group, asked) => answer(parts, group, { status: 200, asked }),
}

/** `POST /Groups`. Throws `resource.conflicting` for a name that another group has. */
export function createGroupRoute(parts: ScimParts): Route<Wishes & { readonly body: JsonObject }> {
  return scimRoute({
    name: 'scim_group_create',
    method: 'POST',
    path: '/Groups',
    action: 'scim:write',
    parse: (request) => ({ ...wishesOf(request), body: readResource(GROUP, parseObject(request)) }),
    act: async (sent, context) => {
      const { directory } = parts
      const facts = toGroupFacts(sent.body)
      const ids = [...memberIds(sent.body['members'])]
      const group = await carryOut(parts, context, () => {
        for (const id of ids) findMember(directory, id)
        return directory.createGroup({ ...facts, source: 'scim' })
      })
      if (ids.length > 0)
        await carryOut(parts, context, () =>
          directory.addMembers(
            group,
            ids.map((id) => findMember(directory, id)),
          ),
        )
      return answer(parts, group, { status: 201, asked: sent })
    },
  })
}

/** `PUT /Groups/{id}`: those who are not named are members no more. */
export function replaceGroupRoute(parts: ScimParts): Route<SentOne> {
  return scimRoute({
    name: 'scim_group_replace',
    method: 'PUT',
    path: '/Groups/{id}',
    action: 'scim:write',
    parse: (request) => ({
      ...wishesOf(request),
      id: parseId(request),
      body: readResource(GROUP, parseObject(request)),
    }),
    act: async (sent, context) => {
      const members = { isCleared: true, added: memberIds(sent.body['members']), removed: new Set<string>() }
      const group = await carryOut(parts, context, () => edit(parts, sent, () => [sent.body, members]))
      return answer(parts, group, { status: 200, asked: sent })
    },
  })
}

/** `PATCH /Groups/{id}`: with nothing in the reply, as groups may be large, unless attributes are asked for. */
export function patchGroupRoute(parts: ScimParts): Route<SentOne> {
  return scimRoute({
    name: 'scim_group_patch',
    method: 'PATCH',
    path: '/Groups/{id}',
    action: 'scim:write',
    parse: (request) => {
      const body = parseObject(request)
      readOperations(body)
      return { ...wishesOf(request), id: parseId(request), body }
    },
    act: async (sent, context) => {
      const operations = readOperations(sent.body)
      const group = await carryOut(parts, context, () =>
        edit(parts, sent, (resource, members) => {
          const lists = new Map([['members', members]])
          return [applyPatch({ type: GROUP, resource, lists }, operations), members]
        }),
      )
      const isAsked = sent.attributes !== null || sent.excluded !== null
      return isAsked ? answer(parts, group, { status: 200, asked: sent }) : silent(204, etagOf(group))
    },
  })
}

function edit(
  { directory, terms }: ScimParts,
  { id, ifMatch }: Pick<AskedOne, 'id' | 'ifMatch'>,
  change: (
    resource: JsonObject,
    members: MemberList,
  ) => readonly [resource: JsonObject, members: MemberEdits],
): Change<KnownGroup> {
  const group = findGroup(directory, id)
  checkUnchanged(group, ifMatch)
  const { display, externalId } = group
  const resource = { displayName: display, ...(externalId === undefined ? {} : { externalId }) }
  const before = new MemberList(MEMBERS, () => membersOf(group, terms))
  const [after, members] = change(resource, before)
  return editGroup(directory, group, { facts: toGroupFacts(after), members })
}

function answer(
  { terms }: ScimParts,
  group: KnownGroup,
  { status, asked }: { readonly status: number; readonly asked: Wishes },
): ActedWhole {
  const selection = selectionOf(asked)
  const resource = toGroupResource(group, terms, isSelected(GROUP, 'members', selection))
  const etag = etagOf(group)
  const location = locationOf(terms, '/Groups', group.id)
  return answered(status, select(GROUP, resource, selection), status === 201 ? { location, etag } : { etag })
}
