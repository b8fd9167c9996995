import { CallerRow } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'

export const callerEnable: Command = {
  name: 'caller enable',
  summary: 'let a disabled caller in again',
  words: 'NAME',
  wordCount: { least: 1, most: 1 },
  options: [],
  example: './gatehouse caller enable reports',
  run: async (call) => {
    const [name = ''] = call.words
    const row = await askDoor(call, CallerRow, {
      method: 'POST',
      path: '/admin/callers/enable',
      body: { name },
    })
    return { exit: 0, text: `Caller ${row.name} is enabled.`, json: row }
  },
}
