import type { JsonObject } from '#base/json.ts'
import type { Route } from '#door/route.ts'
import { acted, adminRoute, parseNothing } from './admin_route.ts'
import type { LimitListAnswer } from './answers.ts'

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
