import type { JsonObject } from '#base/json.ts'
import { printDollars, shortDollars } from '#base/nano_dollars.ts'
import {
  SPEND_COLUMNS,
  SpendBook,
  totalOf,
  type SpendColumn,
  type SpendRow,
  type Spent,
} from '#proof/spend/spend.ts'
import { spendCsv } from '#proof/spend/spend_csv.ts'
import { Fault } from '#base/fault.ts'
import type { Command } from '../command.ts'
import { openHomeLedger } from '../home_ledger.ts'
import { drawTable } from '../table.ts'
import { wrongUsage } from '../usage.ts'

const DEFAULT_BY = 'space,model'

export const spend: Command = {
  name: 'spend',
  summary: 'add up what requests to models took, from the ledger, which is verified first',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [
    { name: 'from', value: 'DATE', says: 'the first day, UTC (default: the first of this month)' },
    { name: 'to', value: 'DATE', says: 'the day before which to stop, UTC (default: none)' },
    {
      name: 'by',
      value: 'A,B',
      says: `a line for each of these: ${SPEND_COLUMNS.join(', ')} (default: ${DEFAULT_BY})`,
    },
    { name: 'csv', value: undefined, says: 'print comma-separated values with nine digits of dollars' },
  ],
  example: './gatehouse spend --from 2026-11-01 --by space,model --csv',
  run: async (call) => {
    const by = columnsOf(call.option('by') ?? DEFAULT_BY)
    const from = timeOf(call.option('from'), 'from') ?? monthOf(call.world.clock.now())
    const to = timeOf(call.option('to'), 'to') ?? Number.MAX_SAFE_INTEGER
    const ledger = await openHomeLedger(call.home)
    const report = await ledger.verify(undefined)
    if (!report.ok) throw new Fault('ledger.corrupt', { problems: report.problems.length })
    const book = new SpendBook({ from, to, by, pseudonymOf: ledger.pseudonymOf })
    for await (const entry of ledger.all()) book.add(entry)
    const rows = book.rows()
    const isExact = call.isOn('csv')
    return {
      exit: 0,
      text: isExact ? spendCsv(by, rows) : drawSpend(by, rows),
      isExact,
      json: { by: [...by], rows: rows.map((row) => rowJson(by, row)), total: sumsJson(totalOf(rows)) },
    }
  },
}

function columnsOf(text: string): readonly SpendColumn[] {
  const columns = text.split(',').map((one) => {
    const known = SPEND_COLUMNS.find((column) => column === one.trim())
    if (known === undefined) throw wrongUsage(`--by takes ${SPEND_COLUMNS.join(', ')}.`)
    return known
  })
  return [...new Set(columns)]
}

function timeOf(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined
  const at = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(at)) throw wrongUsage(`--${option} takes a day such as 2026-11-01.`)
  return at
}

function monthOf(at: number): number {
  const date = new Date(at)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth())
}

function drawSpend(by: readonly SpendColumn[], rows: readonly SpendRow[]): string {
  if (rows.length === 0) return 'Nothing was spent.'
  const head = [
    ...by.map((column) => column.toUpperCase()),
    'REQUESTS',
    'TOKENS IN',
    'TOKENS OUT',
    'COST',
    'OF IT UNKNOWN',
    'UNPRICED',
  ]
  const total = [...by.map((_, at) => (at === 0 ? 'total' : '')), ...sumsLine(totalOf(rows))]
  return drawTable(head, [
    ...rows.map((row) => [...row.of.map((text) => text || '-'), ...sumsLine(row)]),
    total,
  ])
}

function sumsLine({ requests, tokensIn, tokensOut, cost, unknown, unpriced }: Spent): readonly string[] {
  return [requests, tokensIn, tokensOut, shortDollars(cost), shortDollars(unknown), unpriced].map(String)
}

function rowJson(by: readonly SpendColumn[], row: SpendRow): JsonObject {
  return { ...Object.fromEntries(by.map((column, at) => [column, row.of[at] ?? ''])), ...sumsJson(row) }
}

/** Money as text: binary fractions are none. */
function sumsJson({ requests, tokensIn, tokensOut, cost, unknown, unpriced }: Spent): JsonObject {
  return {
    requests,
    tokens_in: tokensIn,
    tokens_out: tokensOut,
    cost_usd: printDollars(cost),
    unknown_usd: printDollars(unknown),
    unpriced_requests: unpriced,
  }
}
