import { GroupAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'
import { drawFacts } from '../draw_facts.ts'
import { limitsLine } from '../limit_options.ts'

export const groupShow: Command = {
  name: 'group show',
  summary: 'show a group, with the first thousand of its members',
  words: 'GROUP',
  wordCount: { least: 1, most: 1 },
  options: [],
  example: './gatehouse group show engineers',
  run: async (call) => {
    const [name = ''] = call.words
    const path = `/admin/groups/show?name=${encodeURIComponent(name)}`
    const shown = await askDoor(call, GroupAnswer, { method: 'GET', path })
    const more = shown.members - shown.names.length
    const text = drawFacts([
      ['Group', shown.name],
      ['Id', shown.id],
      ['In', shown.parent ?? ''],
      ['Groups', shown.groups.join(', ')],
      ['Roles', shown.roles.join(', ')],
      ['Members', `${shown.names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`],
      ['Limits', limitsLine(shown.limits)],
      ['Kept by', shown.source === 'scim' ? 'provisioning' : 'operators'],
    ])
    return { exit: 0, text, json: shown }
  },
}
