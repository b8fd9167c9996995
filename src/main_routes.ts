import path from 'node:path'
import type { Clock, Millis } from '#base/clock.ts'
import { printRef, type EntityRef } from '#base/decider.ts'
import { NODE_FILES } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { guarded, type DoorParts } from '#door/door.ts'
import type { GuardedRoute } from '#door/guarded.ts'
import type { HealthAnswer, LimitListAnswer } from '#rooms/admin/answers.ts'
import { changesIn } from '#rooms/admin/changes.ts'
import { entryReader } from '#rooms/admin/entry_view.ts'
import { rotateLogKeyRoute } from '#rooms/admin/log_key_routes.ts'
import { receiptRoute } from '#proof/receipts/receipt_route.ts'
import { healthRoute } from '#rooms/admin/health_route.ts'
import { backupRoute, compactRoute } from '#rooms/admin/home_routes.ts'
import { createKeyRoute, listKeysRoute, revokeKeyRoute, rotateKeyRoute } from '#rooms/admin/key_routes.ts'
import { listLimitsRoute } from '#rooms/admin/limit_routes.ts'
import { applyPolicyRoute, checkPolicyRoute, showPolicyRoute } from '#rooms/admin/policy_routes.ts'
import { reindexRoute } from '#rooms/admin/reindex_route.ts'
import { listTokenKeysRoute, rotateTokenKeyRoute } from '#rooms/admin/token_key_routes.ts'
import { explainRoute, whyRoute } from '#rooms/admin/why_routes.ts'
import { scimRoutes } from '#rooms/identity/scim/scim_routes.ts'
import { bundleRoutes } from '#rooms/log/bundle_route.ts'
import type { Catalogue } from '#rooms/models/catalogue.ts'
import { inferRoutes } from '#rooms/models/infer_routes.ts'
import { listRoute, modelRoute } from '#rooms/models/list.ts'
import type { Policies } from '#trust/access/authorize.ts'
import { OPERATOR } from '#trust/access/caller_facts.ts'
import { compact } from '#trust/ledger/compact.ts'
import { EntryFinder } from '#trust/ledger/entry_finder.ts'
import type { HeldOutside } from '#trust/ledger/held_outside.ts'
import { pseudonymOf } from '#trust/ledger/pseudonym.ts'
import { ReceiptMaker } from '#trust/ledger/receipt_maker.ts'
import { reindex } from '#trust/ledger/reindex.ts'
import type { TiledLogs } from '#trust/ledger/tiled_logs.ts'
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
  readonly held: () => HeldOutside
  readonly logs: TiledLogs
}

/** The routes of models: all that a worker does itself. */
export function modelRoutes(
  door: DoorParts,
  catalogue: Catalogue,
  policies: Policies,
): readonly GuardedRoute[] {
  return [
    ...inferRoutes(catalogue).map((route) => guarded(door, route)),
    guarded(door, listRoute(catalogue, policies)),
    guarded(door, modelRoute(catalogue, policies)),
  ]
}

/** Every route there is, joined to the door. What is not in this list cannot be reached. */
export function allRoutes(parts: RouteParts): readonly GuardedRoute[] {
  const { home, door, clock, catalogue, exchange, limits, health, held, logs } = parts
  const { callers, keys, ledger, policies } = home
  const directory = path.join(home.directory, 'ledger')
  const finder = new EntryFinder({ files: NODE_FILES, directory, sidecarKey: keys.sidecarKey })
  const receipts = new ReceiptMaker(NODE_FILES, logs)
  const toPseudonym = (caller: string): string => pseudonymOf(keys.pseudonymKey, caller)
  const since = ({ id }: EntityRef): Millis => callers.directory.find(id)?.createdAt ?? 0
  const entries = entryReader({
    finder,
    pseudonymOf: toPseudonym,
    since,
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
    ...modelRoutes(door, catalogue, policies),
    guarded(door, exchange(policies)),
    guarded(door, whyRoute(entries, held)),
    guarded(door, explainRoute(entries, held)),
    guarded(
      door,
      receiptRoute({
        find: async (id, asker) => await finder.find(id, asker),
        pseudonymOf: toPseudonym,
        since,
        receiptsOf: async (found, mayShow) => await receipts.receiptsOf(found, mayShow),
      }),
    ),
    ...bundleRoutes(logs).map((route) => guarded(door, route)),
    guarded(door, createKeyRoute(ofCallers)),
    guarded(door, listKeysRoute(ofCallers)),
    guarded(door, rotateKeyRoute(ofCallers)),
    guarded(door, revokeKeyRoute(ofCallers)),
    ...directoryRoutes(door, { directory: callers.directory, changes }),
    ...scimRoutes(scimParts(home, changes), (route) => guarded(door, route)),
    guarded(door, listTokenKeysRoute({ tokenKeys: home.tokenKeys, changes })),
    guarded(door, rotateTokenKeyRoute({ tokenKeys: home.tokenKeys, changes })),
    guarded(door, rotateLogKeyRoute({ logKeys: home.logKeys, changes, clock })),
    guarded(door, backupRoute({ ledger })),
    guarded(
      door,
      compactRoute({
        clock,
        compact: async (goOn) => {
          const { sidecarKey } = keys
          return await compact({ files: NODE_FILES, directory, sidecarKey, ledger }, goOn)
        },
      }),
    ),
    guarded(
      door,
      reindexRoute({
        clock,
        reindex: async (from, goOn) => await reindex({ files: NODE_FILES, directory }, from, goOn),
      }),
    ),
    guarded(door, showPolicyRoute(ofPolicies)),
    guarded(door, checkPolicyRoute(ofPolicies)),
    guarded(door, applyPolicyRoute(ofPolicies)),
    guarded(door, listLimitsRoute({ read: limits })),
    guarded(door, healthRoute({ read: health })),
  ]
}
