import type { InspectionAction } from '#door/detector.ts'
import { DETECTORS } from '#door/detectors/all.ts'
import { actionsOf, type RuleActions } from '#door/inspection_actions.ts'
import type { Direction, InspectorParts } from '#door/inspector.ts'
import type { Config } from './config.ts'

/** What inspection does, as the configuration says. */
export function inspectorParts(inspection: Config['inspection']): InspectorParts {
  const actionsOn = (route: RouteInspection = {}): InspectorParts['actions'] => ({
    request: actionsIn(inspection, route, 'request'),
    response: actionsIn(inspection, route, 'response'),
  })
  return {
    detectors: DETECTORS,
    actions: actionsOn(),
    routes: new Map(Object.entries(inspection.routes).map(([name, route]) => [name, actionsOn(route)])),
    encoded: inspection.long_encoded_runs,
  }
}

type RouteInspection = NonNullable<Config['inspection']['routes']['chat']>

/** What a route says of a group counts before what is said of all. */
function actionsIn(all: Config['inspection'], route: RouteInspection, direction: Direction): RuleActions {
  const action = (group: 'credentials' | 'hidden' | 'personal'): InspectionAction =>
    route[group]?.[direction] ?? all[group][direction]
  return actionsOf({
    credential: action('credentials'),
    hidden: action('hidden'),
    personal: action('personal'),
  })
}
