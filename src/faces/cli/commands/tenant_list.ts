import { TenantListAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'
import { drawTable } from '../table.ts'

const HEAD = ['TENANT', 'SPACES', 'MADE']

export const tenantList: Command = {
  name: 'tenant list',
  summary: 'list the tenants',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse tenant list',
  run: async (call) => {
    const { tenants: items } = await askDoor(call, TenantListAnswer, {
      method: 'GET',
      path: '/admin/tenants',
    })
    const rows = items.map(({ name, spaces, created_at }) => [name, String(spaces), created_at])
    const text = rows.length === 0 ? 'There are no tenants.' : drawTable(HEAD, rows)
    return { exit: 0, text, json: { tenants: items } }
  },
}
