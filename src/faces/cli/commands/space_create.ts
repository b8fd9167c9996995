import { SpaceRow } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'
import { spaceLine } from '../space_line.ts'

export const spaceCreate: Command = {
  name: 'space create',
  summary: 'make a space',
  words: 'NAME',
  wordCount: { least: 1, most: 1 },
  options: [
    {
      name: 'tenant',
      value: 'TENANT',
      says: 'the tenant that holds it (default: that of the parent, or default)',
    },
    { name: 'parent', value: 'SPACE', says: 'the space that it belongs to' },
    { name: 'inherits', value: undefined, says: 'what policies allow in the parent, they allow in it' },
  ],
  example: './gatehouse space create research --parent default --inherits',
  run: async (call) => {
    const [name = ''] = call.words
    const order = {
      tenant: call.option('tenant') ?? null,
      parent: call.option('parent') ?? null,
      inherits: call.isOn('inherits'),
    }
    const row = await askDoor(call, SpaceRow, {
      method: 'POST',
      path: '/admin/spaces',
      body: { name, ...order },
    })
    return { exit: 0, text: spaceLine(row), json: row }
  },
}
