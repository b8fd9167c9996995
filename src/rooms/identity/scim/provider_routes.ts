import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import type { Method, RawRequest, Route } from '#door/route.ts'
import { groupsOf } from './group_resource.ts'
import { list, type Collection } from './list.ts'
import { parseSearch, type ListRequest } from './list_request.ts'
import { listDocument, resourceTypes, schemas, serviceProviderConfig } from './provider_documents.ts'
import { scimFault } from './scim_fault.ts'
import type { ScimParts } from './scim_parts.ts'
import { checkNoBody, parseObject, scimRoute } from './scim_route.ts'
import { usersOf } from './user_resource.ts'

/** `GET /ServiceProviderConfig`, `/ResourceTypes` and `/Schemas`, and single ones of the latter two. */
export function documentRoutes({ terms: { baseUrl } }: ScimParts): readonly Route<JsonObject>[] {
  const config = serviceProviderConfig(baseUrl)
  return [
    document('scim_config', '/ServiceProviderConfig', () => config),
    ...documents('scim_resource_type', '/ResourceTypes', resourceTypes(baseUrl)),
    ...documents('scim_schema', '/Schemas', schemas(baseUrl)),
  ]
}

/** `POST /.search` below all resources, or below those of one type (RFC 7644 section 3.4.3). */
export function searchRoutes(parts: ScimParts): readonly Route<ListRequest>[] {
  const { directory, terms } = parts
  const users = usersOf(directory, terms)
  const groups = groupsOf(directory, terms)
  return [
    search(parts, { name: 'scim_search', path: '/.search' }, [users, groups]),
    search(parts, { name: 'scim_user_search', path: '/Users/.search' }, [users]),
    search(parts, { name: 'scim_group_search', path: '/Groups/.search' }, [groups]),
  ]
}

/** `/Me` and `/Bulk`: the standard leaves them to the server (RFC 7644 sections 3.7 and 3.11). */
export function unsupportedRoutes(): readonly Route<JsonObject>[] {
  return [
    ...(['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const).map((method) => unsupported(method, '/Me')),
    unsupported('POST', '/Bulk'),
  ]
}

function document(
  name: string,
  path: string,
  find: (id: string) => JsonObject | undefined,
): Route<JsonObject> {
  return scimRoute({
    name,
    method: 'GET',
    path,
    action: 'scim:read',
    parse: parseDocument,
    act: async ({ id }) => {
      const body = typeof id === 'string' ? find(id) : undefined
      if (body === undefined) throw new Fault('resource.unknown')
      return Promise.resolve({ kind: 'whole', status: 200, body, facts: {} })
    },
  })
}

function documents(
  name: string,
  path: string,
  known: ReadonlyMap<string, JsonObject>,
): readonly Route<JsonObject>[] {
  const whole = listDocument(known)
  return [
    document(`${name}_list`, path, () => whole),
    document(`${name}_show`, `${path}/{id}`, (id) => known.get(id)),
  ]
}

/** RFC 7644 section 4: these are not filtered; other parameters mean nothing here. */
function parseDocument(request: RawRequest): JsonObject {
  checkNoBody(request)
  if (request.query.some(([name]) => name.toLowerCase() === 'filter'))
    throw scimFault('invalidFilter', 'What the server says of itself is not filtered.')
  return { id: request.params['id'] ?? '' }
}

function search(
  { turns }: ScimParts,
  { name, path }: { readonly name: string; readonly path: string },
  collections: readonly Collection[],
): Route<ListRequest> {
  return scimRoute({
    name,
    method: 'POST',
    path,
    action: 'scim:read',
    parse: (request) => parseSearch(parseObject(request)),
    act: async (asked) => {
      const body = await list(collections, asked, async () => turns.next())
      return { kind: 'whole', status: 200, body, facts: {} }
    },
  })
}

function unsupported(method: Method, path: '/Me' | '/Bulk'): Route<JsonObject> {
  return scimRoute<JsonObject>({
    name: `scim_${path.slice(1).toLowerCase()}_${method.toLowerCase()}`,
    method,
    path,
    action: method === 'GET' ? 'scim:read' : 'scim:write',
    parse: () => {
      throw new Fault('feature.unsupported', { reason: path.slice(1).toLowerCase() })
    },
    act: async () => Promise.reject(new Fault('feature.unsupported')),
  })
}
