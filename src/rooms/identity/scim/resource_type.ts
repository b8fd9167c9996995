import { complex, reference, text, time, type Attribute } from './attribute.ts'
import type { AttributePath } from './attribute_path.ts'
import { GROUP_ATTRIBUTES } from './group_attributes.ts'
import { ENTERPRISE_ATTRIBUTES, USER_ATTRIBUTES } from './user_attributes.ts'

export interface Schema {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly attributes: readonly Attribute[]
}

export interface ResourceType {
  readonly name: 'User' | 'Group'
  readonly endpoint: '/Users' | '/Groups'
  readonly description: string
  readonly schema: Schema
  readonly extensions: readonly Schema[]
  /** All that a resource may hold at its top; an extension is a complex attribute named by its URN. */
  readonly attributes: readonly Attribute[]
}

/** RFC 7643 section 3.1: every resource has these, and no schema lists them. */
const COMMON: readonly Attribute[] = [
  reference('schemas', 'URNs of the schemas of the resource.', ['uri'], {
    multiValued: true,
    mutability: 'readOnly',
    returned: 'always',
    caseExact: false,
  }),
  text('id', 'Given by this door, for good.', {
    caseExact: true,
    mutability: 'readOnly',
    returned: 'always',
    uniqueness: 'server',
  }),
  text('externalId', 'What the provider knows the resource by.', { caseExact: true, uniqueness: 'server' }),
  complex(
    'meta',
    'Facts about the resource itself.',
    [
      text('resourceType', 'User or Group.', { caseExact: true, mutability: 'readOnly' }),
      time('created', 'When it was made.', { mutability: 'readOnly' }),
      time('lastModified', 'When it was last changed.', { mutability: 'readOnly' }),
      reference('location', 'Where it is.', ['uri'], { mutability: 'readOnly' }),
      text('version', 'Its entity tag.', { caseExact: true, mutability: 'readOnly' }),
    ],
    { mutability: 'readOnly' },
  ),
]

export const USER_SCHEMA: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:User',
  name: 'User',
  description: 'A person who may call.',
  attributes: USER_ATTRIBUTES,
}

export const ENTERPRISE_SCHEMA: Schema = {
  id: 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User',
  name: 'EnterpriseUser',
  description: 'What an organization knows of a person.',
  attributes: ENTERPRISE_ATTRIBUTES,
}

export const GROUP_SCHEMA: Schema = {
  id: 'urn:ietf:params:scim:schemas:core:2.0:Group',
  name: 'Group',
  description: 'A group that policies may speak of.',
  attributes: GROUP_ATTRIBUTES,
}

export const USER: ResourceType = {
  name: 'User',
  endpoint: '/Users',
  description: 'Users',
  schema: USER_SCHEMA,
  extensions: [ENTERPRISE_SCHEMA],
  attributes: [...COMMON, ...USER_ATTRIBUTES, asAttribute(ENTERPRISE_SCHEMA)],
}

export const GROUP: ResourceType = {
  name: 'Group',
  endpoint: '/Groups',
  description: 'Groups',
  schema: GROUP_SCHEMA,
  extensions: [],
  attributes: [...COMMON, ...GROUP_ATTRIBUTES],
}

function asAttribute({ id, description, attributes }: Schema): Attribute {
  return complex(id, description, attributes)
}

/** The attributes that a path leads through, from the top of a resource; undefined when one of them is not known. */
export function resolve(
  { schema, extensions, attributes }: ResourceType,
  path: AttributePath,
): readonly Attribute[] | undefined {
  const { urn, name, sub } = path
  if (urn === undefined) return walk(attributes, name, sub)
  const whole = `${urn}:${name}`.toLowerCase()
  const extension = attributes.find(({ key }) => key === whole)
  // The URN of an extension looks like that of an attribute `User` in it.
  if (extension !== undefined) return sub === undefined ? [extension] : undefined
  if (schema.id.toLowerCase() === urn.toLowerCase()) return walk(schema.attributes, name, sub)
  const known = extensions.find(({ id }) => id.toLowerCase() === urn.toLowerCase())
  const outer = known === undefined ? undefined : findAttribute(attributes, known.id)
  const inner = outer === undefined ? undefined : walk(outer.subAttributes, name, sub)
  return outer === undefined || inner === undefined ? undefined : [outer, ...inner]
}

/** By its name in any case. */
export function findAttribute(attributes: readonly Attribute[], name: string): Attribute | undefined {
  const key = name.toLowerCase()
  return attributes.find((attribute) => attribute.key === key)
}

function walk(
  attributes: readonly Attribute[],
  name: string,
  sub: string | undefined,
): readonly Attribute[] | undefined {
  const outer = findAttribute(attributes, name)
  if (outer === undefined || sub === undefined) return outer && [outer]
  const inner = findAttribute(outer.subAttributes, sub)
  return inner && [outer, inner]
}
