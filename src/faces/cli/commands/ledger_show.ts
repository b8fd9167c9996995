import { Fault } from '#base/fault.ts'
import { isEntryId } from '#base/ids.ts'
import type { EntryView } from '#rooms/admin/entry_view.ts'
import type { Call, Command } from '../command.ts'
import { entryBlock, entryJson, entryLine } from '../entry_lines.ts'
import { openHomeLedger, type HomeLedger } from '../home_ledger.ts'
import { wrongUsage } from '../usage.ts'
import { parseWholeNumber } from '../whole_number.ts'

/** Entries that one call prints; more is for an export. */
const MOST_ENTRIES = 1_000
const DEFAULT_ENTRIES = 20

export const ledgerShow: Command = {
  name: 'ledger show',
  summary: 'print entries: of one request, or a range of the newest log',
  words: '[ID]',
  wordCount: { least: 0, most: 1 },
  options: [
    { name: 'from', value: 'N', says: `the first entry, from 0 (default: the last ${DEFAULT_ENTRIES})` },
    { name: 'to', value: 'M', says: `the entry before which to stop; at most ${MOST_ENTRIES} are printed` },
  ],
  example: './gatehouse ledger show --from 0 --to 10',
  run: async (call) => {
    const ledger = await openHomeLedger(call.home)
    const [id] = call.words
    const entries = id === undefined ? await inRange(ledger, call) : await ofRequest(ledger, id)
    const text = id === undefined ? entries.map(entryLine).join('\n') : entries.map(entryBlock).join('\n\n')
    return { exit: 0, text, json: { entries: entries.map(entryJson) } }
  },
}

async function ofRequest(ledger: HomeLedger, id: string): Promise<readonly EntryView[]> {
  const entries = isEntryId(id) ? await ledger.find(id) : []
  if (entries.length === 0) throw new Fault('entry.unknown')
  return entries
}

async function inRange(ledger: HomeLedger, call: Call): Promise<readonly EntryView[]> {
  const from = call.option('from')
  const to = call.option('to')
  if (from === undefined && to === undefined) return await ledger.tail(DEFAULT_ENTRIES)
  const first = parseWholeNumber(from ?? '0', 'from')
  const end = to === undefined ? first + MOST_ENTRIES : parseWholeNumber(to, 'to')
  if (end < first) throw wrongUsage('--to must not be before --from.')
  return await ledger.range(first, Math.min(end - first, MOST_ENTRIES))
}
