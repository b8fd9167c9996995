import { CallerListAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'
import { drawTable } from '../table.ts'

const HEAD = ['NAME', 'KIND', 'SPACE', 'STATE', 'MADE']

export const callerList: Command = {
  name: 'caller list',
  summary: 'list the callers',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse caller list',
  run: async (call) => {
    const listed = await askDoor(call, CallerListAnswer, { method: 'GET', path: '/admin/callers' })
    const rows = listed.callers.map(({ name, kind, space, state, created_at }) => [
      name,
      kind,
      space,
      state,
      created_at,
    ])
    return {
      exit: 0,
      text: rows.length === 0 ? 'There are no callers.' : drawTable(HEAD, rows),
      json: listed,
    }
  },
}
