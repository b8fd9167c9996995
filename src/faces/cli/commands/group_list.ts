import { GroupListAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askPages } from '../pages.ts'
import { drawTable } from '../table.ts'

const HEAD = ['NAME', 'IN', 'MEMBERS', 'ROLES', 'KEPT BY']

export const groupList: Command = {
  name: 'group list',
  summary: 'list the groups',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse group list',
  run: async (call) => {
    const items = await askPages(
      call,
      { schema: GroupListAnswer, path: '/admin/groups' },
      ({ groups }) => groups,
    )
    const rows = items.map(({ name, parent, members, roles, source }) => [
      name,
      parent ?? '-',
      String(members),
      roles.join(',') || '-',
      source === 'scim' ? 'provisioning' : 'operators',
    ])
    const text = rows.length === 0 ? 'There are no groups.' : drawTable(HEAD, rows)
    return { exit: 0, text, json: { total: items.length, groups: [...items] } }
  },
}
