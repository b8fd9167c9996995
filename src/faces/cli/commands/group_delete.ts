import { GoneAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'

export const groupDelete: Command = {
  name: 'group delete',
  summary: 'delete a group; its members are in it no more',
  words: 'GROUP',
  wordCount: { least: 1, most: 1 },
  options: [],
  example: './gatehouse group delete engineers',
  run: async (call) => {
    const [name = ''] = call.words
    const row = await askDoor(call, GoneAnswer, {
      method: 'POST',
      path: '/admin/groups/delete',
      body: { name },
    })
    return { exit: 0, text: `Group ${row.name} is deleted.`, json: row }
  },
}
