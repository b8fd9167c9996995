import { SpaceListAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'
import { drawTable } from '../table.ts'

const HEAD = ['SPACE', 'TENANT', 'PARENT', 'INHERITS']

export const spaceList: Command = {
  name: 'space list',
  summary: 'list the spaces',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse space list',
  run: async (call) => {
    const { spaces: items } = await askDoor(call, SpaceListAnswer, { method: 'GET', path: '/admin/spaces' })
    const rows = items.map(({ name, tenant, parent, inherits }) => [
      name,
      tenant,
      parent ?? '-',
      inherits ? 'yes' : 'no',
    ])
    const text = rows.length === 0 ? 'There are no spaces.' : drawTable(HEAD, rows)
    return { exit: 0, text, json: { spaces: items } }
  },
}
