import { GroupRow } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'

export const groupNest: Command = {
  name: 'group nest',
  summary: 'put a group into another one, or into none',
  words: 'GROUP [PARENT]',
  wordCount: { least: 1, most: 2 },
  options: [],
  example: './gatehouse group nest engineers staff',
  run: async (call) => {
    const [name = '', parent = null] = call.words
    const row = await askDoor(call, GroupRow, {
      method: 'POST',
      path: '/admin/groups/nest',
      body: { name, parent },
    })
    return {
      exit: 0,
      text:
        row.parent === null ? `Group ${row.name} is in no group.` : `Group ${row.name} is in ${row.parent}.`,
      json: row,
    }
  },
}
