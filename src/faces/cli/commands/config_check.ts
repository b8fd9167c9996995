import type { Command } from '../command.ts'

export const configCheck: Command = {
  name: 'config check',
  summary:
    'read the configuration, report every problem at once, and say whether a door may listen like this',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse config check --config gatehouse.yaml',
  run: async ({ home, config, world }) => {
    const { path, models } = await world.checkConfig(home, config)
    const from = path ?? 'no file: the defaults hold'
    return {
      exit: 0,
      text: `The configuration is valid (${from}); ${models.length} models.`,
      json: { valid: true, path, models: models.map(({ name }) => name) },
    }
  },
}
