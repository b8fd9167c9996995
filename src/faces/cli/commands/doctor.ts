import { CHECKS } from '#proof/posture/checks/all.ts'
import type { CheckState } from '#proof/posture/check.ts'
import { examine, type Examined, type Examination } from '#proof/posture/examine.ts'
import type { Command } from '../command.ts'
import { gatherFacts } from '../gather_facts.ts'
import { painter, type Paint } from '../style.ts'

const COLORS = { ok: 'green', warn: 'yellow', fail: 'red', unknown: 'yellow' } as const
/** Something must be mended. Warnings and unknowns alone leave it at 0. */
const FAILED = 1

export const doctor: Command = {
  name: 'doctor',
  summary: 'check the installation; every finding comes with its fix',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse doctor --json',
  run: async (call) => {
    const examination = examine(CHECKS, await gatherFacts(call))
    const { rows, counts } = examination
    const json = {
      counts,
      checks: rows.map(({ id, title, state, says, fix }) => ({ id, title, state, says, fix })),
    }
    return { exit: counts.fail > 0 ? FAILED : 0, text: draw(examination, painter(call.world)), json }
  },
}

function draw({ rows, counts }: Examination, paint: Paint): string {
  const width = Math.max(...rows.map(({ title }) => title.length))
  const lines = rows.flatMap((row) => rowLines(row, width, paint))
  const states: readonly CheckState[] = ['ok', 'warn', 'fail', 'unknown']
  return [...lines, '', states.map((state) => `${counts[state]} ${state}`).join(', ')].join('\n')
}

function rowLines({ title, state, says, fix }: Examined, width: number, paint: Paint): readonly string[] {
  const head = `${paint(COLORS[state], state.padEnd(7))}  ${title.padEnd(width)}  ${says}`
  return fix === '' ? [head] : [head, `${' '.repeat(width + 11)}${paint('dim', `fix: ${fix}`)}`]
}
