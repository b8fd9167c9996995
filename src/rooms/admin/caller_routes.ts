import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import type { CallerView } from '#trust/access/caller_view.ts'
import type { Callers } from '#trust/access/callers.ts'
import type { RawRequest, Route } from '#door/route.ts'
import { acted, adminRoute, parseNothing } from './admin_route.ts'
import type { CallerRow } from './answers.ts'
import type { Changes } from './changes.ts'
import { toTime } from './to_time.ts'

/** What the routes of callers work with. */
export interface CallerRouteParts {
  readonly callers: Pick<Callers, 'listCallers' | 'disableCaller' | 'enableCaller'>
  readonly changes: Changes
}

type CallerName = { readonly name: string }

/** The form of a caller's name; any other names nobody. */
const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/

/** `GET /admin/callers`. */
export function listCallersRoute({ callers }: CallerRouteParts): Route<JsonObject> {
  return adminRoute({
    name: 'caller_list',
    method: 'GET',
    path: '/admin/callers',
    action: 'caller:list',
    parse: parseNothing,
    act: async () => acted(200, { callers: callers.listCallers().map(callerRow) }),
  })
}

/** `POST /admin/callers/{name}/disable`: all keys of the caller are refused from the very next request on. */
export function disableCallerRoute({ callers, changes }: CallerRouteParts): Route<CallerName> {
  return adminRoute({
    name: 'caller_disable',
    method: 'POST',
    path: '/admin/callers/{name}/disable',
    action: 'caller:disable',
    parse: parseName,
    act: async ({ name }, { id }) => {
      checkKnown(callers, name)
      await changes.record(id, 'caller:disable', { name })
      return acted(200, callerRow(callers.disableCaller(name)))
    },
  })
}

/** `POST /admin/callers/{name}/enable`. */
export function enableCallerRoute({ callers, changes }: CallerRouteParts): Route<CallerName> {
  return adminRoute({
    name: 'caller_enable',
    method: 'POST',
    path: '/admin/callers/{name}/enable',
    action: 'caller:enable',
    parse: parseName,
    act: async ({ name }, { id }) => {
      checkKnown(callers, name)
      await changes.record(id, 'caller:enable', { name })
      return acted(200, callerRow(callers.enableCaller(name)))
    },
  })
}

function parseName(request: RawRequest): CallerName {
  parseNothing(request)
  const { name } = request.params
  if (name === undefined || !NAME.test(name)) throw new Fault('caller.missing')
  return Object.freeze({ name })
}

function checkKnown(callers: CallerRouteParts['callers'], name: string): void {
  if (!callers.listCallers().some((caller) => caller.name === name)) throw new Fault('caller.missing')
}

function callerRow({ name, kind, space, state, created_at, created_by }: CallerView): CallerRow {
  return { name, kind, space, state, created_at: toTime(created_at), created_by }
}
