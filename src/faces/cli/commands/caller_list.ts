import { CallerListAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askPages } from '../pages.ts'
import { drawTable } from '../table.ts'

const HEAD = ['NAME', 'KIND', 'SPACE', 'STATE', 'MADE']

export const callerList: Command = {
  name: 'caller list',
  summary: 'list the users and services',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse caller list',
  run: async (call) => {
    const items = await askPages(
      call,
      { schema: CallerListAnswer, path: '/admin/callers' },
      ({ callers }) => callers,
    )
    const rows = items.map(({ name, kind, space, state, created_at }) => [
      name,
      kind,
      space,
      state,
      created_at,
    ])
    const text = rows.length === 0 ? 'There are no callers.' : drawTable(HEAD, rows)
    return { exit: 0, text, json: { total: items.length, callers: [...items] } }
  },
}
