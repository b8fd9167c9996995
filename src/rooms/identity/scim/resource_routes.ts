import type { ActedWhole, Route } from '#door/route.ts'
import type { Change, Known } from '#trust/access/directory.ts'
import { checkUnchanged, etagOf, isHeld } from './etag.ts'
import { list } from './list.ts'
import { parseListQuery, type ListRequest } from './list_request.ts'
import { carryOut, silent, type ScimParts } from './scim_parts.ts'
import { parseAskedOne, type AskedOne, type Wishes } from './scim_request.ts'
import { checkNoBody, scimRoute } from './scim_route.ts'

/** What tells users and groups apart where they are listed, shown and deleted. */
export interface ResourceKind<Record extends Known> {
  /** As in the names of routes. */
  readonly name: 'user' | 'group'
  readonly path: '/Users' | '/Groups'
  readonly listed: (parts: ScimParts) => Parameters<typeof list>[0][number]
  /** Throws `resource.unknown`. */
  readonly find: (parts: ScimParts, id: string) => Record
  readonly remove: (parts: ScimParts, record: Record) => Change<void>
  readonly answer: (parts: ScimParts, record: Record, asked: Wishes) => ActedWhole
}

/** `GET /Users` and `GET /Groups`. */
export function listRoute<Record extends Known>(
  parts: ScimParts,
  { name, path, listed }: ResourceKind<Record>,
): Route<ListRequest> {
  return scimRoute({
    name: `scim_${name}_list`,
    method: 'GET',
    path,
    action: 'scim:read',
    parse: (request) => {
      checkNoBody(request)
      return parseListQuery(request.query)
    },
    act: async (asked) => {
      const body = await list([listed(parts)], asked, async () => parts.turns.next())
      return { kind: 'whole', status: 200, body, facts: {} }
    },
  })
}

/** `GET /Users/{id}` and `GET /Groups/{id}`. */
export function showRoute<Record extends Known>(
  parts: ScimParts,
  { name, path, find, answer }: ResourceKind<Record>,
): Route<AskedOne> {
  return scimRoute({
    name: `scim_${name}_show`,
    method: 'GET',
    path: `${path}/{id}`,
    action: 'scim:read',
    parse: parseAskedOne,
    act: async (asked) => {
      const record = find(parts, asked.id)
      return isHeld(record, asked.ifNoneMatch) ? silent(304, etagOf(record)) : answer(parts, record, asked)
    },
  })
}

/** `DELETE /Users/{id}`: its keys are revoked, and its name is free again. `DELETE /Groups/{id}`: its members stay users. */
export function deleteRoute<Record extends Known>(
  parts: ScimParts,
  { name, path, find, remove }: ResourceKind<Record>,
): Route<AskedOne> {
  return scimRoute({
    name: `scim_${name}_delete`,
    method: 'DELETE',
    path: `${path}/{id}`,
    action: 'scim:write',
    parse: parseAskedOne,
    act: async (asked, context) => {
      await carryOut(parts, context, () => {
        const record = find(parts, asked.id)
        checkUnchanged(record, asked.ifMatch)
        return remove(parts, record)
      })
      return silent(204)
    },
  })
}
