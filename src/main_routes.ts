import path from 'node:path'
import type { Clock } from '#base/clock.ts'
import { printRef } from '#base/decider.ts'
import { NODE_FILES } from '#base/files.ts'
import { DETECTORS } from '#door/detectors/all.ts'
import { guarded, type DoorParts } from '#door/door.ts'
import type { GuardedRoute } from '#door/guarded.ts'
import { redactText } from '#door/inspect.ts'
import type { HealthAnswer } from '#rooms/admin/answers.ts'
import { disableCallerRoute, enableCallerRoute, listCallersRoute } from '#rooms/admin/caller_routes.ts'
import { changesIn } from '#rooms/admin/changes.ts'
import { entryReader } from '#rooms/admin/entry_view.ts'
import { healthRoute } from '#rooms/admin/health_route.ts'
import { createKeyRoute, listKeysRoute, revokeKeyRoute, rotateKeyRoute } from '#rooms/admin/key_routes.ts'
import { applyPolicyRoute, checkPolicyRoute, showPolicyRoute } from '#rooms/admin/policy_routes.ts'
import { explainRoute, whyRoute } from '#rooms/admin/why_routes.ts'
import { Catalogue } from '#rooms/models/catalogue.ts'
import { chatRoute } from '#rooms/models/chat.ts'
import { listRoute, modelRoute } from '#rooms/models/list.ts'
import type { ModelSettings, ProviderKey } from '#rooms/models/provider.ts'
import { PROVIDERS } from '#rooms/models/providers/all.ts'
import { OPERATOR } from '#trust/access/caller_facts.ts'
import { pseudonymOf } from '#trust/ledger/pseudonym.ts'
import { resolveSecret, type ModelConfig } from './config.ts'
import { secretReader, type OpenHome } from './main_home.ts'

export interface RouteParts {
  readonly home: OpenHome
  readonly door: DoorParts
  readonly clock: Clock
  readonly catalogue: Catalogue
  readonly health: () => HealthAnswer
}

/** Every route there is, joined to the door. What is not in this list cannot be reached. */
export function allRoutes({ home, door, clock, catalogue, health }: RouteParts): readonly GuardedRoute[] {
  const { callers, keys, ledger, policies } = home
  const entries = entryReader({
    files: NODE_FILES,
    directory: path.join(home.directory, 'ledger'),
    sidecarKey: keys.sidecarKey,
    pseudonymOf: (caller) => pseudonymOf(keys.pseudonymKey, caller),
    callers: function* refs() {
      yield printRef(OPERATOR.ref)
      for (const { kind, name } of callers.listCallers()) yield printRef({ type: kind, id: name })
    },
  })
  const changes = changesIn(ledger, clock)
  const ofCallers = { callers, changes, clock }
  const ofPolicies = { policies, changes }
  return [
    guarded(door, chatRoute(catalogue)),
    guarded(door, listRoute(catalogue, policies)),
    guarded(door, modelRoute(catalogue, policies)),
    guarded(door, whyRoute(entries)),
    guarded(door, explainRoute(entries)),
    guarded(door, createKeyRoute(ofCallers)),
    guarded(door, listKeysRoute(ofCallers)),
    guarded(door, rotateKeyRoute(ofCallers)),
    guarded(door, revokeKeyRoute(ofCallers)),
    guarded(door, listCallersRoute(ofCallers)),
    guarded(door, disableCallerRoute(ofCallers)),
    guarded(door, enableCallerRoute(ofCallers)),
    guarded(door, showPolicyRoute(ofPolicies)),
    guarded(door, checkPolicyRoute(ofPolicies)),
    guarded(door, applyPolicyRoute(ofPolicies)),
    guarded(door, healthRoute({ read: health })),
  ]
}

type Environment = Readonly<Record<string, string | undefined>>

/** Opens the models of the configuration; a key that its reference does not give yet leaves the model unconfigured. */
export function openCatalogue({ config, configFolder }: OpenHome, clock: Clock, env: Environment): Catalogue {
  const redact = (text: string): string => redactText(DETECTORS, text)
  const settings = Object.entries(config.models).map(([name, model]) =>
    settingsOf(name, model, keyOf(model, configFolder, env)),
  )
  return new Catalogue(settings, PROVIDERS, { clock, redact })
}

function keyOf(model: ModelConfig, folder: string, env: Environment): ProviderKey {
  if (model.provider !== 'openai' || model.key === undefined) return { kind: 'none' }
  const secret = resolveSecret(model.key, env, secretReader(folder))
  return secret === undefined ? { kind: 'unresolved' } : { kind: 'present', secret }
}

function settingsOf(name: string, model: ModelConfig, key: ProviderKey): ModelSettings {
  const isRemote = model.provider === 'openai'
  return {
    name,
    provider: model.provider,
    baseUrl: isRemote ? model.base_url : undefined,
    model: isRemote ? model.model : name,
    auth: isRemote ? model.auth : 'bearer',
    key,
    region: model.region,
    extensions: model.extensions,
    timeoutMs: model.timeout_ms,
    maxAnswerBytes: model.max_answer_bytes,
  }
}
