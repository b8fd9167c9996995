import type * as z from 'zod'
import type { EntityRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { deepFreeze, type JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { parseStrictJson } from '#base/strict_json.ts'
import { checkPermit, type Permit } from '#trust/access/authorize.ts'
import {
  knownTarget,
  type ActContext,
  type ActedWhole,
  type Inspected,
  type Method,
  type RawRequest,
  type Route,
} from '#door/route.ts'

/** The one resource of admin acts: Gatehouse itself. */
export const GATEHOUSE: EntityRef = { type: 'System', id: 'gatehouse' }
const TARGET = knownTarget(GATEHOUSE)

/** What differs between admin routes; the rest is the same for all of them. */
export interface AdminRouteParts<Input extends JsonObject> {
  readonly name: string
  readonly method: Method
  readonly path: string
  readonly action: string
  /** Why the response is not inspected; undefined inspects it. */
  readonly exempt?: string
  /** Why neither request nor response are inspected. */
  readonly exemptBoth?: string
  readonly parse: (request: RawRequest) => Input
  /** Runs with a permit that has been checked. */
  readonly act: (input: Input, context: ActContext) => Promise<ActedWhole>
}

/** A route of the admin listener: on `System::"gatehouse"`, recorded strictly, refused with a bare problem. */
export function adminRoute<Input extends JsonObject>(parts: AdminRouteParts<Input>): Route<Input> {
  const { name, method, path, action, exemptBoth, exempt = exemptBoth, parse, act } = parts
  return {
    name,
    listener: 'admin',
    method,
    path,
    media: 'json',
    envelope: 'problem',
    action,
    record: 'strict',
    inspect: { request: inspected(exemptBoth), response: inspected(exempt) },
    parse,
    target: () => TARGET,
    act: async (permit: Permit, input: Input, context: ActContext) => {
      checkPermit(permit, action, GATEHOUSE)
      return await act(input, context)
    },
  }
}

function inspected(exempt: string | undefined): Inspected {
  return exempt === undefined ? 'all' : { exempt }
}

/** For a route that takes nothing: a body or a query is refused, so that nothing is carried past the checks. */
export function parseNothing(request: RawRequest): JsonObject {
  checkNoQuery(request)
  if (request.body.length > 0) throw invalid('This route takes no body.')
  return deepFreeze({})
}

/** The body, checked against a strict schema and frozen. Throws `input.invalid` naming the fields, never values. */
export function parseBody<Schema extends z.ZodType<JsonObject>>(
  schema: Schema,
  request: RawRequest,
): z.infer<Schema> {
  checkNoQuery(request)
  const parsed = schema.safeParse(parseStrictJson(request.body, LIMITS))
  if (!parsed.success) throw invalid(parsed.error.issues.map(printIssue).join(' '))
  return deepFreeze(parsed.data)
}

/** The query as an object of texts, checked as `parseBody` does; a body is refused. Throws `input.invalid`. */
export function parseQuery<Schema extends z.ZodType<JsonObject>>(
  schema: Schema,
  { query, body }: RawRequest,
): z.infer<Schema> {
  if (body.length > 0) throw invalid('This route takes no body.')
  const names = new Set(query.map(([name]) => name))
  if (names.size < query.length) throw invalid('A name stands in the query twice.')
  const parsed = schema.safeParse(Object.fromEntries(query))
  if (!parsed.success) throw invalid(parsed.error.issues.map(printIssue).join(' '))
  return deepFreeze(parsed.data)
}

function checkNoQuery({ query }: RawRequest): void {
  if (query.length > 0) throw invalid('This route takes no query.')
}

/** What an act came to, with facts for the outcome entry. */
export function acted(status: number, body: JsonObject, facts: JsonObject = {}): ActedWhole {
  return { kind: 'whole', status, body, facts }
}

function invalid(say: string): Fault {
  return new Fault('input.invalid', {}, { say })
}

/** Zod's own sentences hold our words and limits only; the names of unknown members are the caller's and stay out. */
function printIssue(issue: z.core.$ZodIssue): string {
  const place = issue.path.length === 0 ? 'The body' : `Field ${issue.path.map(String).join('.')}`
  return issue.code === 'unrecognized_keys'
    ? `${place} has a member that is not known.`
    : `${place}: ${issue.message}.`
}
