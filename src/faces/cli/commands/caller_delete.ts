import { GoneAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'

export const callerDelete: Command = {
  name: 'caller delete',
  summary: 'delete a caller for good, and revoke all its keys',
  words: 'NAME',
  wordCount: { least: 1, most: 1 },
  options: [],
  example: './gatehouse caller delete reports',
  run: async (call) => {
    const [name = ''] = call.words
    const row = await askDoor(call, GoneAnswer, {
      method: 'POST',
      path: '/admin/callers/delete',
      body: { name },
    })
    return { exit: 0, text: `Caller ${row.name} is deleted, and its keys are revoked.`, json: row }
  },
}
