import { resolve } from 'node:path'
import type { Command } from '../command.ts'
import type { ServingWitness } from '../world.ts'

export const witness: Command = {
  name: 'witness',
  summary: 'serve as a witness of other ledgers: cosign their checkpoints while they only grow',
  words: 'DIR',
  wordCount: { least: 1, most: 1 },
  options: [],
  example: './gatehouse witness /var/lib/gatehouse-witness',
  run: async (call) => {
    const { world, isJson, words } = call
    const serving = await world.startWitness(resolve(world.cwd, words[0] ?? ''))
    world.onStop(() => void serving.close())
    world.stdout.write(`${isJson ? JSON.stringify(serving.facts) : draw(serving)}\n`)
    await serving.stopped
    return { exit: 0, text: '', json: undefined }
  },
}

function draw({ facts, isNew }: ServingWitness): string {
  return [
    `${isNew ? 'First start: made' : 'Using'} ${facts.folder}`,
    '',
    `The witness ${facts.name} cosigns for ${facts.logs} logs at ${facts.url}`,
    ...(facts.logs === 0 ? [`Add them to ${facts.folder}/witness.yaml, and start again.`] : []),
    '',
    'Give these keys to the logs, and to all who check them:',
    '',
    ...facts.keys,
    '',
    'Stop with Ctrl-C.',
  ].join('\n')
}
