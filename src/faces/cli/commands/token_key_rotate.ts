import { TokenKeyListAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'

export const tokenKeyRotate: Command = {
  name: 'token-key rotate',
  summary: 'let the next key sign tokens, and make another one to be next',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse token-key rotate',
  run: async (call) => {
    const path = '/admin/token-keys/rotate'
    const listed = await askDoor(call, TokenKeyListAnswer, { method: 'POST', path })
    const signing = listed.keys.find(({ state }) => state === 'signs')?.kid ?? ''
    const text = `Key ${signing} signs tokens now. The one before it is published until the last token it signed has ended.`
    return { exit: 0, text, json: listed }
  },
}
