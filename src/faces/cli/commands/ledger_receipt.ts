import { Fault } from '#base/fault.ts'
import { isEntryId } from '#base/ids.ts'
import { OWN_FIELDS, REQUEST_KINDS } from '#proof/receipts/own_fields.ts'
import type { Call, Command } from '../command.ts'
import { openHomeLedger } from '../home_ledger.ts'
import { wrongUsage } from '../usage.ts'

export const ledgerReceipt: Command = {
  name: 'ledger receipt',
  summary: 'print the receipts of a request, to be checked with verifier/',
  words: 'ID',
  wordCount: { least: 1, most: 1 },
  options: [
    {
      name: 'disclose',
      value: 'WHAT',
      says: 'values to show with their salts: own (default: those that are of the caller), all or none',
    },
  ],
  example: './gatehouse ledger receipt 7Qb2xL9fKc0TzR4m > request.receipt',
  run: async (call) => {
    const [id = ''] = call.words
    const mayShow = disclosed(call)
    const ledger = await openHomeLedger(call.home)
    const found = isEntryId(id) ? await ledger.read(id) : []
    const entries = found.filter(({ leaf }) => REQUEST_KINDS.has(leaf['kind']))
    if (entries.length === 0) throw new Fault('entry.unknown')
    const receipts = await ledger.receiptsOf(entries, mayShow)
    if (receipts === undefined)
      throw new Fault('receipt.pending', {}, { say: 'No checkpoint covers the entries of this request yet.' })
    // The text ends with the line break of its last line, which printing adds.
    const text = receipts.slice(0, -1)
    return { exit: 0, text, isExact: true, json: { entries: entries.length, receipts } }
  },
}

const WHAT: Readonly<Record<string, (name: string) => boolean>> = {
  own: (name) => OWN_FIELDS.has(name),
  all: () => true,
  none: () => false,
}

function disclosed(call: Call): (name: string) => boolean {
  const what = call.option('disclose') ?? 'own'
  const mayShow = Object.hasOwn(WHAT, what) ? WHAT[what] : undefined
  if (mayShow === undefined) throw wrongUsage('--disclose takes own, all or none.')
  return mayShow
}
