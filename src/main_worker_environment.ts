import type { Config } from './config.ts'

/**
 * What is taken out of the environment that a worker inherits: the variables of secrets that only the writer needs. A
 * worker calls providers and exports telemetry; whatever else the configuration names is not for it.
 */
export function environmentOf(config: Config): Readonly<Record<string, undefined>> {
  const { models, telemetry } = config
  const needed = new Set(variablesIn({ models, telemetry }))
  const others = variablesIn(config).filter((name) => !needed.has(name))
  return Object.fromEntries(others.map((name) => [name, undefined]))
}

/** By the form of a reference: a secret that the configuration learns to name tomorrow is found, too. */
function variablesIn(value: unknown): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  if ('from_env' in value && typeof value.from_env === 'string') return [value.from_env]
  return Object.values(value).flatMap(variablesIn)
}
