import { CallerRow } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'

export const callerSetSpace: Command = {
  name: 'caller set-space',
  summary: 'put a caller into another space',
  words: 'NAME SPACE',
  wordCount: { least: 2, most: 2 },
  options: [],
  example: './gatehouse caller set-space reports research',
  run: async (call) => {
    const [name = '', space = ''] = call.words
    const row = await askDoor(call, CallerRow, {
      method: 'POST',
      path: '/admin/callers/space',
      body: { name, space },
    })
    return { exit: 0, text: `Caller ${row.name} is in space ${row.space}.`, json: row }
  },
}
