import type { JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { Attribute } from './attribute.ts'
import { ENTERPRISE_SCHEMA, GROUP, GROUP_SCHEMA, USER, USER_SCHEMA } from './resource_type.ts'
import type { ResourceType, Schema } from './resource_type.ts'

/** What this server can do (RFC 7643 section 5). */
export function serviceProviderConfig(baseUrl: string): JsonObject {
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig'],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: LIMITS.scimPage },
    changePassword: { supported: false },
    sort: { supported: true },
    etag: { supported: true },
    authenticationSchemes: [
      {
        type: 'oauthbearertoken',
        name: 'Key',
        description: 'A key of this door: gatehouse scim token makes one.',
        specUri: 'https://www.rfc-editor.org/info/rfc6750',
        primary: true,
      },
    ],
    meta: { resourceType: 'ServiceProviderConfig', location: `${baseUrl}/ServiceProviderConfig` },
  }
}

/** RFC 7643 section 6, by id. */
export function resourceTypes(baseUrl: string): ReadonlyMap<string, JsonObject> {
  return new Map([USER, GROUP].map((type) => [type.name, typeDocument(type, baseUrl)]))
}

/** RFC 7643 section 7, by id. */
export function schemas(baseUrl: string): ReadonlyMap<string, JsonObject> {
  return new Map(
    [USER_SCHEMA, ENTERPRISE_SCHEMA, GROUP_SCHEMA].map((schema) => [
      schema.id,
      schemaDocument(schema, baseUrl),
    ]),
  )
}

/** All of them on one page (RFC 7644 section 4). */
export function listDocument(documents: ReadonlyMap<string, JsonObject>): JsonObject {
  const count = documents.size
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    totalResults: count,
    startIndex: 1,
    itemsPerPage: count,
    Resources: [...documents.values()],
  }
}

function typeDocument(type: ResourceType, baseUrl: string): JsonObject {
  const { name, endpoint, description, schema, extensions } = type
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:ResourceType'],
    id: name,
    name,
    endpoint,
    description,
    schema: schema.id,
    schemaExtensions: extensions.map(({ id }) => ({ schema: id, required: false })),
    meta: { resourceType: 'ResourceType', location: `${baseUrl}/ResourceTypes/${name}` },
  }
}

function schemaDocument({ id, name, description, attributes }: Schema, baseUrl: string): JsonObject {
  return {
    schemas: ['urn:ietf:params:scim:schemas:core:2.0:Schema'],
    id,
    name,
    description,
    attributes: attributes.map(attributeDocument),
    meta: { resourceType: 'Schema', location: `${baseUrl}/Schemas/${id}` },
  }
}

function attributeDocument(attribute: Attribute): JsonObject {
  const { name, type, description, multiValued, required, caseExact } = attribute
  const { mutability, returned, uniqueness, canonicalValues, referenceTypes, subAttributes } = attribute
  return {
    name,
    type,
    description,
    multiValued,
    required,
    caseExact,
    mutability,
    returned,
    uniqueness,
    ...(canonicalValues === undefined ? {} : { canonicalValues }),
    ...(referenceTypes === undefined ? {} : { referenceTypes }),
    ...(type === 'complex' ? { subAttributes: subAttributes.map(attributeDocument) } : {}),
  }
}
