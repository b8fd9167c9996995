import path from 'node:path'
import type { Clock } from '#base/clock.ts'
import { printRef } from '#base/decider.ts'
import { NODE_FILES } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { guarded, type DoorParts } from '#door/door.ts'
import type { GuardedRoute } from '#door/guarded.ts'
import type { HealthAnswer, LimitListAnswer } from '#rooms/admin/answers.ts'
import { changesIn } from '#rooms/admin/changes.ts'
import { entryReader } from '#rooms/admin/entry_view.ts'
import { healthRoute } from '#rooms/admin/health_route.ts'
import { createKeyRoute, listKeysRoute, revokeKeyRoute, rotateKeyRoute } from '#rooms/admin/key_routes.ts'
import { listLimitsRoute } from '#rooms/admin/limit_routes.ts'
import { applyPolicyRoute, checkPolicyRoute, showPolicyRoute } from '#rooms/admin/policy_routes.ts'
import { listTokenKeysRoute, rotateTokenKeyRoute } from '#rooms/admin/token_key_routes.ts'
import { explainRoute, whyRoute } from '#rooms/admin/why_routes.ts'
import { scimRoutes } from '#rooms/identity/scim/scim_routes.ts'
import type { Catalogue } from '#rooms/models/catalogue.ts'
import { inferRoutes } from '#rooms/models/infer_routes.ts'
import { listRoute, modelRoute } from '#rooms/models/list.ts'
import { OPERATOR } from '#trust/access/caller_facts.ts'
import { pseudonymOf } from '#trust/ledger/pseudonym.ts'
import type { OpenExchange } from './main_exchange.ts'
import { directoryRoutes } from './main_directory.ts'
import type { OpenHome } from './main_home.ts'
import { scimParts } from './main_scim.ts'

export interface RouteParts {
  readonly home: OpenHome
  readonly door: DoorParts
  readonly clock: Clock
  readonly catalogue: Catalogue
  readonly exchange: OpenExchange['route']
  readonly limits: () => LimitListAnswer
  readonly health: () => HealthAnswer
}

/** Every route there is, joined to the door. What is not in this list cannot be reached. */
export function allRoutes(parts: RouteParts): readonly GuardedRoute[] {
  const { home, door, clock, catalogue, exchange, limits, health } = parts
  const { callers, keys, ledger, policies } = home
  const entries = entryReader({
    files: NODE_FILES,
    directory: path.join(home.directory, 'ledger'),
    sidecarKey: keys.sidecarKey,
    pseudonymOf: (caller) => pseudonymOf(keys.pseudonymKey, caller),
    callers: function* refs() {
      yield printRef(OPERATOR.ref)
      const { items } = callers.directory.listCallers({ start: 0, count: LIMITS.callers })
      for (const { kind, name } of items) yield printRef({ type: kind, id: name })
    },
  })
  const changes = changesIn(ledger, clock)
  const ofCallers = { callers, changes, clock }
  const ofPolicies = { policies, changes }
  return [
    ...inferRoutes(catalogue).map((route) => guarded(door, route)),
    guarded(door, listRoute(catalogue, policies)),
    guarded(door, modelRoute(catalogue, policies)),
    guarded(door, exchange(policies)),
    guarded(door, whyRoute(entries)),
    guarded(door, explainRoute(entries)),
    guarded(door, createKeyRoute(ofCallers)),
    guarded(door, listKeysRoute(ofCallers)),
    guarded(door, rotateKeyRoute(ofCallers)),
    guarded(door, revokeKeyRoute(ofCallers)),
    ...directoryRoutes(door, { directory: callers.directory, changes }),
    ...scimRoutes(scimParts(home, changes), (route) => guarded(door, route)),
    guarded(door, listTokenKeysRoute({ tokenKeys: home.tokenKeys, changes })),
    guarded(door, rotateTokenKeyRoute({ tokenKeys: home.tokenKeys, changes })),
    guarded(door, showPolicyRoute(ofPolicies)),
    guarded(door, checkPolicyRoute(ofPolicies)),
    guarded(door, applyPolicyRoute(ofPolicies)),
    guarded(door, listLimitsRoute({ read: limits })),
    guarded(door, healthRoute({ read: health })),
  ]
}
