/** A model of the configuration, as far as pools look at it. */
export interface PooledModel {
  readonly provider: string
  readonly region?: string | undefined
  readonly members?: readonly { readonly model: string; readonly probe?: unknown }[] | undefined
}

export interface PoolProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
}

/** What is wrong with the members of pools: what one model alone cannot say. */
export function poolProblems(models: Readonly<Record<string, PooledModel>>): readonly PoolProblem[] {
  return Object.entries(models).flatMap(([name, pool]) =>
    (pool.members ?? []).flatMap((member, at) => {
      const place = [name, 'members', at]
      const model = Object.hasOwn(models, member.model) ? models[member.model] : undefined
      const isTwice = pool.members?.findIndex((other) => other.model === member.model) !== at
      const wrong = wrongModel(pool, model) ?? (isTwice ? 'is a member twice' : undefined)
      const problems = wrong === undefined ? [] : [{ path: [...place, 'model'], message: wrong }]
      if (member.probe !== undefined && model?.provider === 'echo')
        problems.push({ path: [...place, 'probe'], message: 'has no meaning for a built-in model' })
      return problems
    }),
  )
}

function wrongModel(pool: PooledModel, model: PooledModel | undefined): string | undefined {
  if (model === undefined) return 'is not a model of this configuration'
  // With pools of pools a request could go round in circles, and nobody could say how often it is tried.
  if (model.members !== undefined) return 'is a pool itself; name its members'
  if (pool.region !== undefined && pool.region !== model.region) return 'is not in the region of the pool'
  return undefined
}
