import { CallerRow } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'

export const callerDisable: Command = {
  name: 'caller disable',
  summary: 'refuse a caller with all its keys and tokens, from the very next request on',
  words: 'NAME',
  wordCount: { least: 1, most: 1 },
  options: [],
  example: './gatehouse caller disable reports',
  run: async (call) => {
    const [name = ''] = call.words
    const row = await askDoor(call, CallerRow, {
      method: 'POST',
      path: '/admin/callers/disable',
      body: { name },
    })
    return { exit: 0, text: `Caller ${row.name} is disabled.`, json: row }
  },
}
