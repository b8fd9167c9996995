import { LogKeyListAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'
import { parseDuration } from '../duration.ts'

const DEFAULT_OVERLAP = '30d'

export const ledgerKeyRotate: Command = {
  name: 'ledger key rotate',
  summary: 'sign the ledger with new keys; the old ones sign along for a while, and then are destroyed',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [
    {
      name: 'overlap',
      value: 'TIME',
      says: `how long the old keys sign along, 0 when they were stolen (default: ${DEFAULT_OVERLAP})`,
    },
  ],
  example: './gatehouse ledger key rotate --overlap 30d',
  run: async (call) => {
    const overlap = call.option('overlap') ?? DEFAULT_OVERLAP
    const overlapMs = overlap === '0' ? 0 : parseDuration(overlap, 'overlap')
    const answer = await askDoor(call, LogKeyListAnswer, {
      method: 'POST',
      path: '/admin/log-keys/rotate',
      body: { overlap_ms: overlapMs },
    })
    const signing = answer.keys.filter(({ state }) => state === 'signs').map(({ key }) => key)
    const until =
      overlapMs === 0
        ? 'The old keys are destroyed.'
        : `The old keys sign along for ${overlap}: until then, give the new ones to all who check this ledger.`
    return {
      exit: 0,
      text: ['These keys sign the ledger from now on:', ...signing, until].join('\n'),
      json: answer,
    }
  },
}
