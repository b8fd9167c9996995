import { join } from 'node:path'
import { FAULTS } from '#base/fault_table.ts'
import { NODE_FILES } from '#base/files.ts'
import { checkAnswer } from '#rooms/admin/policy_routes.ts'
import { openPolicies } from '#trust/access/policy_set.ts'
import { SCHEMA } from '#trust/cedar/schema.ts'
import { cedarEngine as engine } from '#trust/cedar/engine.ts'
import type { Command } from '../command.ts'
import { problemLines } from '../problem_lines.ts'

const SHOWN_OF_HASH = 12

export const policyCheck: Command = {
  name: 'policy check',
  summary: 'check the policy files against the schema, without putting them in force',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse policy check',
  run: async ({ home, config, world }) => {
    const { policies: directory } = await world.readConfig(home, config)
    const stateDirectory = join(home, 'policy')
    const keeper = await openPolicies({
      directory,
      stateDirectory,
      engine,
      schema: SCHEMA,
      files: NODE_FILES,
    })
    const checked = checkAnswer(await keeper.check())
    const { valid, set, policies, problems } = checked
    const good = `The policies are valid: ${policies.length} policies, set ${set?.slice(0, SHOWN_OF_HASH)}.`
    return {
      exit: valid ? 0 : FAULTS['policy.invalid'].exit,
      text: valid ? good : [...problemLines(problems), `${problems.length} problems.`].join('\n'),
      json: checked,
    }
  },
}
