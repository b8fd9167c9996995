import { SpaceRow } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'
import { spaceLine } from '../space_line.ts'
import { wrongUsage } from '../usage.ts'

export const spaceSet: Command = {
  name: 'space set',
  summary: 'give a space another parent, or let it inherit or not',
  words: 'NAME',
  wordCount: { least: 1, most: 1 },
  options: [
    { name: 'parent', value: 'SPACE', says: 'the space that it belongs to; none for none' },
    { name: 'inherits', value: 'YES', says: 'yes or no: whether policies see it in its parent' },
  ],
  example: './gatehouse space set research --parent default --inherits yes',
  run: async (call) => {
    const [name = ''] = call.words
    const above = call.option('parent')
    const parent = above === undefined ? {} : { parent: above === 'none' ? null : above }
    const inherits = inheritsOf(call.option('inherits'))
    const row = await askDoor(call, SpaceRow, {
      method: 'POST',
      path: '/admin/spaces/set',
      body: { name, ...parent, ...inherits },
    })
    return { exit: 0, text: spaceLine(row), json: row }
  },
}

function inheritsOf(text: string | undefined): { readonly inherits?: boolean } {
  if (text === undefined) return {}
  if (text !== 'yes' && text !== 'no') throw wrongUsage('--inherits takes yes or no.')
  return { inherits: text === 'yes' }
}
