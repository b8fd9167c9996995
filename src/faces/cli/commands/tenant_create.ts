import { TenantRow } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'

export const tenantCreate: Command = {
  name: 'tenant create',
  summary: 'make a tenant',
  words: 'NAME',
  wordCount: { least: 1, most: 1 },
  options: [],
  example: './gatehouse tenant create acme',
  run: async (call) => {
    const [name = ''] = call.words
    const row = await askDoor(call, TenantRow, { method: 'POST', path: '/admin/tenants', body: { name } })
    return { exit: 0, text: `Tenant ${row.name} is made.`, json: row }
  },
}
