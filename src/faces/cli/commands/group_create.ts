import { GroupRow } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'

export const groupCreate: Command = {
  name: 'group create',
  summary: 'make a group',
  words: 'NAME',
  wordCount: { least: 1, most: 1 },
  options: [{ name: 'in', value: 'GROUP', says: 'the group that it is in' }],
  example: './gatehouse group create engineers --in staff',
  run: async (call) => {
    const [name = ''] = call.words
    const parent = call.option('in') ?? null
    const row = await askDoor(call, GroupRow, {
      method: 'POST',
      path: '/admin/groups',
      body: { name, parent },
    })
    return { exit: 0, text: `Group ${row.name} is made.`, json: row }
  },
}
