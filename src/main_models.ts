import type { Clock } from '#base/clock.ts'
import type { Metrics } from '#base/metrics.ts'
import { DETECTORS } from '#door/detectors/all.ts'
import { redactText } from '#door/inspect.ts'
import { CallMetrics } from '#rooms/models/call_metrics.ts'
import { Catalogue } from '#rooms/models/catalogue.ts'
import { PoolMetrics } from '#rooms/models/pool/pool_metrics.ts'
import type { PoolSettings } from '#rooms/models/pool/pool_settings.ts'
import type { EchoSettings, ModelSettings, ProviderKey } from '#rooms/models/provider.ts'
import { PROVIDERS } from '#rooms/models/providers/all.ts'
import type { Policies } from '#trust/access/authorize.ts'
import { resolveSecret, type ModelConfig } from './config.ts'
import { secretReader } from './main_config.ts'
import type { OpenHome } from './main_home.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface ModelSurroundings {
  readonly clock: Clock
  readonly env: Environment
  readonly metrics: Metrics
}

/** What is needed of a home. */
export interface ModelsHome extends Pick<OpenHome, 'config' | 'configFolder'> {
  readonly policies: Policies
}

/** Opens the models of the configuration; a key that its reference does not give yet leaves the model unconfigured. */
export function openCatalogue(home: ModelsHome, { clock, env, metrics }: ModelSurroundings): Catalogue {
  const { config, configFolder, policies } = home
  const redact = (text: string): string => redactText(DETECTORS, text)
  const settings = Object.entries(config.models).map(([name, model]) =>
    settingsOf(name, model, keyOf(model, configFolder, env)),
  )
  // Which of its members a pool asks is no secret.
  const pools = { policies, metrics: new PoolMetrics(metrics), random: () => Math.random() }
  return new Catalogue(settings, PROVIDERS, { clock, redact, calls: new CallMetrics(metrics), pools })
}

function keyOf(model: ModelConfig, folder: string, env: Environment): ProviderKey {
  if (!('key' in model) || model.key === undefined) return { kind: 'none' }
  const secret = resolveSecret(model.key, env, secretReader(folder))
  return secret === undefined ? { kind: 'unresolved' } : { kind: 'present', secret }
}

type Of<Provider extends ModelConfig['provider']> = Extract<ModelConfig, { provider: Provider }>

function settingsOf(name: string, model: ModelConfig, key: ProviderKey): ModelSettings {
  const { provider, region, timeout_ms: timeoutMs, max_output_tokens: maxOutputTokens } = model
  const shared = { name, provider, region, timeoutMs, key, maxOutputTokens }
  if (model.provider === 'pool') return { ...shared, ...BUILT_IN, model: name, pool: poolOf(model) }
  const answers = {
    extensions: model.extensions,
    maxAnswerBytes: model.max_answer_bytes,
    maxInputTokens: model.max_input_tokens,
  }
  if (model.provider === 'echo')
    return { ...shared, ...BUILT_IN, ...answers, model: name, echo: echoOf(model) }
  return {
    ...shared,
    ...answers,
    baseUrl: model.base_url,
    model: model.model,
    auth: model.provider === 'openai' ? model.auth : 'bearer',
    network: model.network,
    phases: { connectMs: model.connect_ms, firstByteMs: model.first_byte_ms, idleMs: model.idle_ms },
  }
}

/** A pool leaves the limits of answers, and what requests may hold, to its members. */
const BUILT_IN = {
  baseUrl: undefined,
  auth: 'bearer',
  extensions: 'pass',
  maxAnswerBytes: Number.POSITIVE_INFINITY,
} as const

function echoOf({ says, piece_characters, piece_ms }: Of<'echo'>): EchoSettings {
  return { says, pieceCharacters: piece_characters, pieceMs: piece_ms }
}

function poolOf({ members, choose, tries, breaker }: Of<'pool'>): PoolSettings {
  return {
    choose,
    tries,
    members: members.map(({ model, weight, probe }) => ({
      model,
      weight,
      probe: probe === undefined ? undefined : { everyMs: probe.every_ms, path: probe.path },
    })),
    breaker: {
      failures: breaker.failures,
      failurePercent: breaker.failure_percent,
      windowMs: breaker.window_ms,
      openMs: breaker.open_ms,
    },
  }
}
