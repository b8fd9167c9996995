import { KeyRow } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'

export const keyRevoke: Command = {
  name: 'key revoke',
  summary: 'end a key; the very next request with it is refused',
  words: 'KID',
  wordCount: { least: 1, most: 1 },
  options: [],
  example: './gatehouse key revoke 4fK2mQ9xYb1Z',
  run: async (call) => {
    const [kid = ''] = call.words
    const path = `/admin/keys/${encodeURIComponent(kid)}/revoke`
    const row = await askDoor(call, KeyRow, { method: 'POST', path })
    return { exit: 0, text: `Key ${row.kid} of ${row.name} is revoked.`, json: row }
  },
}
