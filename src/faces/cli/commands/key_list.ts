import { KeyListAnswer, type KeyRow } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askPages } from '../pages.ts'
import { drawTable } from '../table.ts'

const HEAD = ['KID', 'NAME', 'STATE', 'MODELS', 'EXPIRES', 'LAST USED']

export const keyList: Command = {
  name: 'key list',
  summary: 'list the keys, never their secrets',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse key list --json',
  run: async (call) => {
    const keys = await askPages(call, { schema: KeyListAnswer, path: '/admin/keys' }, (answer) => answer.keys)
    const text = keys.length === 0 ? 'There are no keys.' : drawTable(HEAD, keys.map(lineOf))
    return { exit: 0, text, json: { total: keys.length, keys: [...keys] } }
  },
}

function lineOf({ kid, name, state, models, secrets }: KeyRow): readonly string[] {
  const newest = secrets.at(-1)
  const used = secrets
    .flatMap(({ last_used }) => last_used ?? [])
    .sort()
    .at(-1)
  return [kid, name, state, models?.join(',') ?? 'by policy', newest?.expires_at ?? '-', used ?? 'never']
}
