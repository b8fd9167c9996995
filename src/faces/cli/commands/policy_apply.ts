import { PolicyApplyAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'

const SHOWN_OF_HASH = 12

export const policyApply: Command = {
  name: 'policy apply',
  summary: 'put the policy files in force, or change nothing when any is not valid',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse policy apply',
  run: async (call) => {
    const applied = await askDoor(call, PolicyApplyAnswer, { method: 'POST', path: '/admin/policy/apply' })
    const before = applied.before?.slice(0, SHOWN_OF_HASH) ?? 'none'
    const after = applied.after.slice(0, SHOWN_OF_HASH)
    return {
      exit: 0,
      text: `In force: set ${after} of ${applied.files} files (before: ${before}).`,
      json: applied,
    }
  },
}
