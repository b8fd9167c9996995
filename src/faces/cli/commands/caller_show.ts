import { CallerAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'
import { drawFacts } from '../draw_facts.ts'
import { limitsLine } from '../limit_options.ts'

export const callerShow: Command = {
  name: 'caller show',
  summary: 'show a caller and everything that it is in',
  words: 'NAME',
  wordCount: { least: 1, most: 1 },
  options: [],
  example: './gatehouse caller show ann@example.org',
  run: async (call) => {
    const [name = ''] = call.words
    const path = `/admin/callers/show?name=${encodeURIComponent(name)}`
    const shown = await askDoor(call, CallerAnswer, { method: 'GET', path })
    const text = drawFacts([
      [shown.kind, shown.name],
      ['Id', shown.id],
      ['State', shown.state],
      ['Space', `${shown.space}, of tenant ${shown.tenant}`],
      ['Groups', shown.groups.join(', ')],
      ['Roles', shown.roles.join(', ')],
      ['Is in', shown.is_in.join(', ')],
      ['Limits', limitsLine(shown.limits)],
      ['Kept by', shown.source === 'scim' ? 'provisioning' : 'operators'],
      ['Made', `${shown.created_at} by ${shown.created_by}`],
    ])
    return { exit: 0, text, json: shown }
  },
}
