import type { EntityRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { isJsonObject, type JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { parseStrictJson } from '#base/strict_json.ts'
import {
  knownTarget,
  type ActContext,
  type ActedWhole,
  type Method,
  type RawRequest,
  type Route,
} from '#door/route.ts'
import { checkPermit } from '#trust/access/authorize.ts'
import { scimFault } from './scim_fault.ts'

/** What provisioning is done to: Gatehouse itself. */
const GATEHOUSE: EntityRef = { type: 'System', id: 'gatehouse' }
const TARGET = knownTarget(GATEHOUSE)
const PEOPLE =
  'It holds the names and addresses of people, which is what it is for, and goes to the directory alone.'

/** What differs between routes of SCIM. */
export interface ScimRouteParts<Input extends JsonObject> {
  readonly name: string
  readonly method: Method
  /** From `/scim/v2` on. */
  readonly path: string
  readonly action: 'scim:read' | 'scim:write'
  readonly parse: (request: RawRequest) => Input
  /** Runs with a permit that has been checked. */
  readonly act: (input: Input, context: ActContext) => Promise<ActedWhole>
}

/**
 * A route of SCIM, on the admin listener. Reading is recorded as calls are, and has no part of the reserves: a provider that
 * looks through everybody must not be what keeps an operator out. Writing is recorded as admin acts are.
 */
export function scimRoute<Input extends JsonObject>(parts: ScimRouteParts<Input>): Route<Input> {
  const { name, method, path, action, parse, act } = parts
  return {
    name,
    listener: 'admin',
    method,
    path: `/scim/v2${path}`,
    media: 'scim',
    envelope: 'scim',
    action,
    record: action === 'scim:write' ? 'strict' : 'grouped',
    inspect: { request: { exempt: PEOPLE }, response: { exempt: PEOPLE } },
    parse: (request) => Object.freeze(parse(request)),
    target: () => TARGET,
    act: async (permit, input, context) => {
      checkPermit(permit, action, GATEHOUSE)
      return await act(input, context)
    },
  }
}

/** The body, which is an object. Throws `input.invalid`. */
export function parseObject({ body }: RawRequest): JsonObject {
  if (body.length === 0) throw scimFault('invalidSyntax', 'This route takes a body.')
  const value = parseStrictJson(body, LIMITS)
  if (!isJsonObject(value)) throw scimFault('invalidSyntax', 'The body is an object.')
  return value
}

/** For routes that take none. */
export function checkNoBody({ body }: RawRequest): void {
  if (body.length > 0) throw scimFault('invalidSyntax', 'This route takes no body.')
}

/** Ids that we give are of this form; of others nothing need be looked up. */
const ID = /^[0-9A-Za-z]{1,64}$/

export function parseId({ params }: RawRequest): string {
  const { id = '' } = params
  if (!ID.test(id)) throw new Fault('resource.unknown', { asked: id })
  return id
}
