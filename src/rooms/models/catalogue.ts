import type { EntityRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { knownTarget, type Target } from '#door/route.ts'
import { PoolConnection, type PoolParts } from './pool/pool_connection.ts'
import { memberOf, poolMember } from './pool/pool_member.ts'
import {
  placeOf,
  type ModelConnection,
  type ModelSettings,
  type Provider,
  type ProviderParts,
} from './provider.ts'

/** A model behind the door. */
export interface CatalogueModel {
  readonly settings: ModelSettings
  readonly target: Target
  readonly connection: ModelConnection
}

export interface CatalogueParts extends ProviderParts {
  readonly pools: PoolParts
}

const SPACE: EntityRef = { type: 'Space', id: 'default' }

/** The models of the configuration, opened once. Throws `config.invalid` for settings that a provider refuses. */
export class Catalogue {
  readonly #models: ReadonlyMap<string, CatalogueModel>

  constructor(models: readonly ModelSettings[], providers: readonly Provider[], parts: CatalogueParts) {
    const all = { models: new Map(models.map((settings) => [settings.name, settings])), providers, parts }
    this.#models = new Map(models.map((settings) => [settings.name, open(settings, all)]))
  }

  get all(): Iterable<CatalogueModel> {
    return this.#models.values()
  }

  find(name: string): CatalogueModel | undefined {
    return this.#models.get(name)
  }

  /** What a name refers to. One that is no model has no facts, so that no policy about models matches. */
  target(name: string): Target {
    return this.#models.get(name)?.target ?? { ref: modelRef(name), entities: [], known: false }
  }

  /** Ends all connections; calls under way fail. */
  async close(): Promise<void> {
    await Promise.all([...this.#models.values()].map(({ connection }) => connection.close()))
  }
}

interface Everything {
  readonly models: ReadonlyMap<string, ModelSettings>
  readonly providers: readonly Provider[]
  readonly parts: CatalogueParts
}

function open(settings: ModelSettings, all: Everything): CatalogueModel {
  const target = targetOf(settings)
  const { pool } = settings
  if (pool === undefined) return { settings, target, connection: connect(settings, all) }
  const opened = pool.members.map((member) => {
    const of = memberOf(settings, member.model, all.models)
    // It answers under the name of the pool: who asked for that gets no other name.
    const connection = connect({ ...of, name: settings.name }, all)
    return { of, member: poolMember(of, member, { target: targetOf(of), connection }) }
  })
  const { name, timeoutMs } = settings
  const members = opened.map(({ member }) => member)
  const connection = new PoolConnection(
    { name, settings: pool, timeoutMs, members },
    all.parts.pools,
    all.parts.clock,
  )
  // What one member does not take cannot be sent to the pool, which may send it there.
  const isStrict = opened.some(({ of }) => of.extensions === 'refuse')
  const sized = {
    ...settings,
    ...sizeOf(
      settings,
      opened.map(({ of }) => of),
    ),
  }
  return {
    settings: isStrict ? { ...sized, extensions: 'refuse' } : sized,
    target: Object.freeze({ ...target, via: Object.freeze(members.map((member) => member.target)) }),
    connection,
  }
}

/** Every member takes the shortest of their answers; what a pool reads is what the largest of them reads. */
function sizeOf(
  { maxOutputTokens }: ModelSettings,
  members: readonly ModelSettings[],
): Pick<ModelSettings, 'maxOutputTokens' | 'maxInputTokens'> {
  const lengths = members.flatMap((member) => member.maxOutputTokens ?? [])
  const inputs = members.flatMap((member) => member.maxInputTokens ?? [])
  return {
    maxOutputTokens: maxOutputTokens ?? (lengths.length === 0 ? undefined : Math.min(...lengths)),
    maxInputTokens: inputs.length === members.length ? Math.max(...inputs) : undefined,
  }
}

function connect(settings: ModelSettings, { providers, parts }: Everything): ModelConnection {
  const provider = providers.find(({ id }) => id === settings.provider)
  if (provider !== undefined) return provider.open(settings, parts)
  const say = `models.${settings.name}.provider is not a known provider.`
  throw new Fault('config.invalid', {}, { say })
}

function targetOf(settings: ModelSettings): Target {
  return knownTarget(modelRef(settings.name), placeOf(settings), [SPACE])
}

function modelRef(name: string): EntityRef {
  return { type: 'Model', id: name }
}
