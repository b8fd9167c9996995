import type { EntityRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { knownTarget, type Target } from '#door/route.ts'
import type { ModelConnection, ModelSettings, Provider, ProviderParts } from './provider.ts'

/** A model behind the door. */
export interface CatalogueModel {
  readonly settings: ModelSettings
  readonly target: Target
  readonly connection: ModelConnection
}

const SPACE: EntityRef = { type: 'Space', id: 'default' }

/** The models of the configuration, opened once. Throws `config.invalid` for settings that a provider refuses. */
export class Catalogue {
  readonly #models: ReadonlyMap<string, CatalogueModel>

  constructor(models: readonly ModelSettings[], providers: readonly Provider[], parts: ProviderParts) {
    this.#models = new Map(models.map((settings) => [settings.name, open(settings, providers, parts)]))
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

function open(settings: ModelSettings, providers: readonly Provider[], parts: ProviderParts): CatalogueModel {
  const provider = providers.find(({ id }) => id === settings.provider)
  if (provider === undefined) {
    throw new Fault(
      'config.invalid',
      {},
      { say: `models.${settings.name}.provider is not a known provider.` },
    )
  }
  const region = settings.region === undefined ? {} : { region: settings.region }
  return {
    settings,
    target: knownTarget(modelRef(settings.name), { provider: provider.id, ...region }, [SPACE]),
    connection: provider.open(settings, parts),
  }
}

function modelRef(name: string): EntityRef {
  return { type: 'Model', id: name }
}
