import { PolicyAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'
import { problemLines } from '../problem_lines.ts'

export const policyShow: Command = {
  name: 'policy show',
  summary: 'show the policy set in force',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse policy show',
  run: async (call) => {
    const shown = await askDoor(call, PolicyAnswer, { method: 'GET', path: '/admin/policy' })
    const lines = [
      `State     ${shown.state}`,
      `Set       ${shown.set ?? 'none: everything is refused'}`,
      `Files     ${shown.files.map(({ name }) => name).join(', ')}`,
      ...problemLines(shown.problems),
    ]
    return { exit: 0, text: lines.join('\n'), json: shown }
  },
}
