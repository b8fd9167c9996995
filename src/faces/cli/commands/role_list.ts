import { RoleListAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'
import { drawTable } from '../table.ts'

const HEAD = ['ROLE', 'CALLERS', 'GROUPS']

export const roleList: Command = {
  name: 'role list',
  summary: 'list the roles that somebody has',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse role list',
  run: async (call) => {
    const { roles: items } = await askDoor(call, RoleListAnswer, { method: 'GET', path: '/admin/roles' })
    const rows = items.map(({ name, callers, groups }) => [name, String(callers), groups.join(',') || '-'])
    const text = rows.length === 0 ? 'Nobody has a role.' : drawTable(HEAD, rows)
    return { exit: 0, text, json: { roles: items } }
  },
}
