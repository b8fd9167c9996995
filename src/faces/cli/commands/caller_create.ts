import { CallerRow } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'

export const callerCreate: Command = {
  name: 'caller create',
  summary: 'make a user or a service that needs no key yet',
  words: 'NAME',
  wordCount: { least: 1, most: 1 },
  options: [
    { name: 'kind', value: 'KIND', says: 'user or service (default: user)' },
    { name: 'space', value: 'SPACE', says: 'the space that it is in (default: default)' },
  ],
  example: './gatehouse caller create ann@example.org --kind user',
  run: async (call) => {
    const [name = ''] = call.words
    const kind = call.option('kind') ?? 'user'
    const space = call.option('space') ?? null
    const row = await askDoor(call, CallerRow, {
      method: 'POST',
      path: '/admin/callers',
      body: { name, kind, space },
    })
    return { exit: 0, text: `${row.kind} ${row.name} is made, in space ${row.space}.`, json: row }
  },
}
