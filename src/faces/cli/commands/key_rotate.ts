import { MadeKeyAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'

export const keyRotate: Command = {
  name: 'key rotate',
  summary: 'give a key a new secret; the old one lives on for a while',
  words: 'KID',
  wordCount: { least: 1, most: 1 },
  options: [],
  example: './gatehouse key rotate 4fK2mQ9xYb1Z',
  run: async (call) => {
    const [kid = ''] = call.words
    const path = `/admin/keys/${encodeURIComponent(kid)}/rotate`
    const made = await askDoor(call, MadeKeyAnswer, { method: 'POST', path })
    const told = `Key ${made.kid} has a new secret, until ${made.expires_at}; the old one ends within a day.`
    return { exit: 0, text: [made.key, '', `${told} It is not shown again.`].join('\n'), json: made }
  },
}
