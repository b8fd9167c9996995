import type { EntryView } from '#rooms/admin/entry_view.ts'
import type { Answer, Call, Command } from '../command.ts'
import { entryJson, entryLine } from '../entry_lines.ts'
import { openHomeLedger, type HomeLedger } from '../home_ledger.ts'
import { visibleJson, visibleText } from '../visible.ts'
import { parseWholeNumber } from '../whole_number.ts'

const DEFAULT_LINES = 20
const MOST_LINES = 1_000
/** Often enough to watch; one look reads the last segment only. */
const LOOK_EVERY_MS = 500

export const ledgerTail: Command = {
  name: 'ledger tail',
  summary: 'print the last entries, and with --follow the new ones as they come',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [
    { name: 'lines', value: 'N', says: `how many (default: ${DEFAULT_LINES}, at most ${MOST_LINES})` },
    { name: 'follow', value: undefined, says: 'go on until stopped; with --json one object a line' },
  ],
  example: './gatehouse ledger tail --lines 5',
  run: async (call) => {
    const ledger = await openHomeLedger(call.home)
    const lines = parseWholeNumber(call.option('lines') ?? String(DEFAULT_LINES), 'lines', MOST_LINES)
    if (call.isOn('follow')) return await follow(call, ledger, lines)
    const entries = await ledger.tail(lines)
    return { exit: 0, text: entries.map(entryLine).join('\n'), json: { entries: entries.map(entryJson) } }
  },
}

/** More than `MOST_LINES` new entries between two looks are skipped but for the last: this is for watching. */
async function follow(call: Call, ledger: HomeLedger, lines: number): Promise<Answer> {
  const stop = stopOf(call)
  // The entry before the first to print: all after it is new.
  const first = await ledger.tail(lines + 1)
  let seen = first.length > lines ? first[0] : undefined
  while (!stop.isAsked()) {
    const fresh = newerThan(await ledger.tail(MOST_LINES), seen)
    for (const entry of fresh) call.world.stdout.write(`${lineOf(call, entry)}\n`)
    seen = fresh.at(-1) ?? seen
    await stop.orAfter(LOOK_EVERY_MS)
  }
  return { exit: 0, text: '', json: undefined }
}

function newerThan(entries: readonly EntryView[], seen: EntryView | undefined): readonly EntryView[] {
  const at = entries.findIndex((entry) => entry.origin === seen?.origin && entry.index === seen.index)
  return entries.slice(at + 1)
}

function lineOf(call: Call, entry: EntryView): string {
  return call.isJson ? visibleJson(entryJson(entry)) : visibleText(entryLine(entry))
}

function stopOf({ world }: Call) {
  let isAsked = false
  let wake = (): void => undefined
  world.onStop(() => {
    isAsked = true
    wake()
  })
  const orAfter = async (milliseconds: number): Promise<void> =>
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      wake = () => {
        clearTimeout(timer)
        resolve()
      }
      if (isAsked) wake()
    })
  return { isAsked: () => isAsked, orAfter }
}
