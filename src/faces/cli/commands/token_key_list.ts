import { TokenKeyListAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'
import { drawTable } from '../table.ts'

export const tokenKeyList: Command = {
  name: 'token-key list',
  summary: 'list the keys that sign tokens: the next, the one that signs, and those that end',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse token-key list',
  run: async (call) => {
    const listed = await askDoor(call, TokenKeyListAnswer, { method: 'GET', path: '/admin/token-keys' })
    const rows = listed.keys.map(({ kid, state }) => [kid, state])
    return { exit: 0, text: drawTable(['KID', 'STATE'], rows), json: listed }
  },
}
