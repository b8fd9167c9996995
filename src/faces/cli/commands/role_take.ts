import { RoleAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'

export const roleTake: Command = {
  name: 'role take',
  summary: 'take a role from a caller or a group',
  words: 'ROLE NAME',
  wordCount: { least: 2, most: 2 },
  options: [{ name: 'group', value: undefined, says: 'NAME is that of a group' }],
  example: './gatehouse role take reader engineers --group',
  run: async (call) => {
    const [role = '', name = ''] = call.words
    const to = call.isOn('group') ? 'group' : 'caller'
    const row = await askDoor(call, RoleAnswer, {
      method: 'POST',
      path: '/admin/roles/take',
      body: { role, to, name },
    })
    return { exit: 0, text: `${row.holder} has the role ${row.role} no more.`, json: row }
  },
}
