import { ok, unknown, warn, type Check } from '../check.ts'

export const modelsHaveKeys: Check = {
  id: 'models-have-keys',
  title: 'Provider keys',
  why: 'A model without its provider key answers 503.',
  run: ({ models }) => {
    if (models === undefined) return unknown('the configuration cannot be read', 'Run gatehouse config check')
    const missing = models.filter(({ key }) => key === 'missing').map(({ name }) => name)
    if (missing.length > 0) {
      return warn(
        `no provider key for ${missing.join(', ')}`,
        'Set the environment variable or file that the key of the model refers to, and restart',
      )
    }
    return ok(`${models.length} models, none waits for a key`)
  },
}
