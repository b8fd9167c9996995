import { LIMITS } from '#base/limits.ts'
import { GroupRow } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'

export const groupAdd: Command = {
  name: 'group add',
  summary: 'put callers into a group, seen by their very next requests',
  words: 'GROUP NAME...',
  wordCount: { least: 2, most: LIMITS.listedAtOnce },
  options: [],
  example: './gatehouse group add engineers ann@example.org',
  run: async (call) => {
    const [name = '', ...members] = call.words
    const row = await askDoor(call, GroupRow, {
      method: 'POST',
      path: '/admin/groups/add',
      body: { name, members },
    })
    return { exit: 0, text: `Group ${row.name} has ${row.members} members.`, json: row }
  },
}
