import type { JsonObject } from '#base/json.ts'
import type { Route } from '#door/route.ts'
import { acted, adminRoute, parseNothing } from './admin_route.ts'
import type { HealthAnswer } from './answers.ts'

/** The states of a running door, as they are at the moment of asking. */
export interface Health {
  read(): HealthAnswer
}

/** `GET /admin/health`: the states that `doctor` reads. `/readyz` gives the same as one word, without a key. */
export function healthRoute(health: Health): Route<JsonObject> {
  return adminRoute({
    name: 'health',
    method: 'GET',
    path: '/admin/health',
    action: 'health:read',
    parse: parseNothing,
    act: async () => acted(200, health.read()),
  })
}
