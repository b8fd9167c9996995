import * as z from 'zod'
import { isJsonObject, type JsonObject } from '#base/json.ts'
import type { Route } from '#door/route.ts'
import type { Directory, LimitedRef } from '#trust/access/directory.ts'
import { toLimitTerms } from '#trust/access/limit_terms.ts'
import { acted, adminRoute, parseBody, parseNothing } from './admin_route.ts'
import type { LimitListAnswer } from './answers.ts'
import { carryOut } from './changes.ts'
import { ABOUT_NAMES, knownCaller, type DirectoryRouteParts } from './directory_parts.ts'

/** Where limits stand at the moment of asking. */
export interface LimitReader {
  read(): LimitListAnswer
}

/** `GET /admin/limits`. */
export function listLimitsRoute(limits: LimitReader): Route<JsonObject> {
  return adminRoute({
    name: 'limit_list',
    method: 'GET',
    path: '/admin/limits',
    action: 'limit:list',
    parse: parseNothing,
    act: async () => acted(200, limits.read()),
  })
}

const LimitOrder = z.strictObject({
  of: z.enum(['caller', 'group', 'space', 'tenant']),
  name: z.string(),
  /** All of them, in place of those before; null for none. */
  limits: z.custom<JsonObject>(isJsonObject).nullable(),
})

/** `POST /admin/limits/set`: holds from the very next request on, beside all other limits. */
export function setLimitsRoute(parts: DirectoryRouteParts): Route<z.infer<typeof LimitOrder>> {
  return adminRoute({
    name: 'limit_set',
    method: 'POST',
    path: '/admin/limits/set',
    action: 'limit:set',
    exemptBoth: ABOUT_NAMES,
    parse: (request) => parseBody(LimitOrder, request),
    act: async ({ of, name, limits }, { id }) => {
      const { directory } = parts
      const isAny = toLimitTerms(limits ?? undefined) !== undefined
      const set = isAny ? limits : null
      await carryOut(parts, id, () => directory.setLimits(refOf(directory, of, name), set ?? undefined))
      return acted(200, { of, name, limits: set })
    },
  })
}

const TYPES = { group: 'Group', space: 'Space', tenant: 'Tenant' } as const

function refOf(
  directory: Pick<Directory, 'find'>,
  of: z.infer<typeof LimitOrder>['of'],
  name: string,
): LimitedRef {
  return { type: of === 'caller' ? knownCaller(directory, name).kind : TYPES[of], id: name }
}
