import { stringify } from 'yaml'
import type { Command } from '../command.ts'

export const configShow: Command = {
  name: 'config show',
  summary: 'print the whole configuration with its defaults, secrets as references',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse config show',
  run: async ({ home, config, world }) => {
    const { redacted } = await world.readConfig(home, config)
    return { exit: 0, text: stringify(redacted).trimEnd(), json: redacted }
  },
}
