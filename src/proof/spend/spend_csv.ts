import { printDollars } from '#base/nano_dollars.ts'
import type { SpendColumn, SpendRow } from './spend.ts'

const SUMS = ['requests', 'tokens_in', 'tokens_out', 'cost_usd', 'unknown_usd', 'unpriced_requests']

/** RFC 4180, with nine digits of dollars, so that sums of it are exact. */
export function spendCsv(by: readonly SpendColumn[], rows: readonly SpendRow[]): string {
  const lines = rows.map(({ of, requests, tokensIn, tokensOut, cost, unknown, unpriced }) =>
    [
      ...of.map(quoted),
      requests,
      tokensIn,
      tokensOut,
      printDollars(cost),
      printDollars(unknown),
      unpriced,
    ].join(','),
  )
  return [[...by, ...SUMS].join(','), ...lines].join('\r\n')
}

/** A text that a spreadsheet would take for a formula gets an apostrophe, by which it knows that it is none. */
function quoted(text: string): string {
  const plain = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return `"${plain.replaceAll('"', '""')}"`
}
