import type { JsonObject } from '#base/json.ts'
import { SetLimitsAnswer } from '#rooms/admin/answers.ts'
import type { Call, Command } from '../command.ts'
import { askDoor } from '../door_line.ts'
import { limitOptions, limitsOf } from '../limit_options.ts'
import { wrongUsage } from '../usage.ts'

const KINDS = ['caller', 'group', 'space', 'tenant']

export const limitSet: Command = {
  name: 'limit set',
  summary: 'set the limits of a caller, or those that all of a group, a space or a tenant share',
  words: 'KIND NAME',
  wordCount: { least: 2, most: 2 },
  options: [
    { name: 'none', value: undefined, says: 'take all limits away that were set so' },
    ...limitOptions('it'),
  ],
  example: './gatehouse limit set group engineers --dollars-per-month 200 --concurrent 20',
  run: async (call) => {
    const [kind = '', name = ''] = call.words
    if (!KINDS.includes(kind)) throw wrongUsage(`KIND is one of ${KINDS.join(', ')}.`)
    const body = { of: kind, name, limits: orderOf(call) }
    const set = await askDoor(call, SetLimitsAnswer, { method: 'POST', path: '/admin/limits/set', body })
    const text =
      set.limits === null
        ? `The ${kind} ${name} has no limits of its own.`
        : `The ${kind} ${name} has limits.`
    return { exit: 0, text, json: set }
  },
}

function orderOf(call: Call): JsonObject | null {
  const limits = limitsOf(call)
  if ((limits === undefined) !== call.isOn('none'))
    throw wrongUsage(
      '"gatehouse limit set" needs limits as in --requests-per-day 10, all of them; or --none.',
    )
  return limits ?? null
}
