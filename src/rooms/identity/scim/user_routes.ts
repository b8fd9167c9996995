import { printRef } from '#base/decider.ts'
import type { JsonObject } from '#base/json.ts'
import type { ActedWhole, Route } from '#door/route.ts'
import type { Change, KnownCaller } from '#trust/access/directory.ts'
import { checkUnchanged, etagOf } from './etag.ts'
import { selectionOf } from './list_request.ts'
import { applyPatch } from './patch.ts'
import { readOperations } from './patch_request.ts'
import { readResource } from './read_value.ts'
import { USER } from './resource_type.ts'
import type { ResourceKind } from './resource_routes.ts'
import { answered, carryOut, type ScimParts } from './scim_parts.ts'
import { wishesOf, type AskedOne, type SentOne, type Wishes } from './scim_request.ts'
import { parseId, parseObject, scimRoute } from './scim_route.ts'
import { locationOf } from './scim_terms.ts'
import { select } from './selection.ts'
import { editUser, findUser, toFacts } from './user_edit.ts'
import { toUserResource, toWritable, usersOf } from './user_resource.ts'

export const USER_KIND: ResourceKind<KnownCaller> = {
  name: 'user',
  path: '/Users',
  listed: ({ directory, terms }) => usersOf(directory, terms),
  find: ({ directory }, id) => findUser(directory, id),
  remove: ({ directory }, user) => directory.deleteCaller(user),
  answer: (parts, user, asked) => answer(parts, user, { status: 200, asked }),
}

/** `POST /Users`. Throws `resource.conflicting` for a userName that is taken, whatever its letter cases; nothing is changed. */
export function createUserRoute(parts: ScimParts): Route<Wishes & { readonly body: JsonObject }> {
  return scimRoute({
    name: 'scim_user_create',
    method: 'POST',
    path: '/Users',
    action: 'scim:write',
    parse: (request) => ({ ...wishesOf(request), body: readResource(USER, parseObject(request)) }),
    act: async (sent, context) => {
      const { directory, terms } = parts
      const facts = toFacts(sent.body, terms)
      const createdBy = printRef(context.caller.ref)
      const user = await carryOut(parts, context, () =>
        directory.createCaller({ ...facts, kind: 'User', source: 'scim', space: terms.space, createdBy }),
      )
      return answer(parts, user, { status: 201, asked: sent })
    },
  })
}

/** `PUT /Users/{id}`: what is left out is taken away, but `active` stays as it is: an omission lets nobody in. */
export function replaceUserRoute(parts: ScimParts): Route<SentOne> {
  return scimRoute({
    name: 'scim_user_replace',
    method: 'PUT',
    path: '/Users/{id}',
    action: 'scim:write',
    parse: (request) => ({
      ...wishesOf(request),
      id: parseId(request),
      body: readResource(USER, parseObject(request)),
    }),
    act: async (sent, context) => {
      const user = await carryOut(parts, context, () =>
        edit(parts, sent, ({ active }) => ({ active: active ?? true, ...sent.body })),
      )
      return answer(parts, user, { status: 200, asked: sent })
    },
  })
}

/** `PATCH /Users/{id}`. */
export function patchUserRoute(parts: ScimParts): Route<SentOne> {
  return scimRoute({
    name: 'scim_user_patch',
    method: 'PATCH',
    path: '/Users/{id}',
    action: 'scim:write',
    parse: (request) => {
      const body = parseObject(request)
      readOperations(body)
      return { ...wishesOf(request), id: parseId(request), body }
    },
    act: async (sent, context) => {
      const operations = readOperations(sent.body)
      const user = await carryOut(parts, context, () =>
        edit(parts, sent, (resource) => applyPatch({ type: USER, resource }, operations)),
      )
      return answer(parts, user, { status: 200, asked: sent })
    },
  })
}

/** Looks at the user only when it is its turn: what another request has changed is seen. */
function edit(
  { directory, terms }: ScimParts,
  { id, ifMatch }: Pick<AskedOne, 'id' | 'ifMatch'>,
  change: (resource: JsonObject) => JsonObject,
): Change<KnownCaller> {
  const user = findUser(directory, id)
  checkUnchanged(user, ifMatch)
  const facts = toFacts(change(toWritable(user, terms)), terms)
  return editUser(directory, user, facts)
}

function answer(
  { terms }: ScimParts,
  user: KnownCaller,
  { status, asked }: { readonly status: number; readonly asked: Wishes },
): ActedWhole {
  const body = select(USER, toUserResource(user, terms), selectionOf(asked))
  const etag = etagOf(user)
  const location = locationOf(terms, '/Users', user.id)
  return answered(status, body, status === 201 ? { location, etag } : { etag })
}
