import { LimitListAnswer, type LimitRow } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'
import { drawTable } from '../table.ts'

const HEAD = ['WHO', 'LIMIT', 'USED', 'RESERVED', 'MOST']

export const limits: Command = {
  name: 'limits',
  summary: 'show where limits stand now, the fullest first',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse limits --json',
  run: async (call) => {
    const listed = await askDoor(call, LimitListAnswer, { method: 'GET', path: '/admin/limits' })
    const text =
      listed.limits.length === 0 ? 'There are no limits.' : drawTable(HEAD, listed.limits.map(lineOf))
    return { exit: 0, text, json: listed }
  },
}

function lineOf({ of, limit, most, used, reserved }: LimitRow): readonly string[] {
  const print = (amount: number): string =>
    limit.startsWith('dollars') ? `$${amount.toFixed(DOLLAR_DIGITS).replace(/0{1,4}$/, '')}` : String(amount)
  return [of, limit.replaceAll('_', ' '), print(used), print(reserved), print(most)]
}

/** Cents, and further down as far as there is anything. */
const DOLLAR_DIGITS = 6
