import type { JsonObject } from '#base/json.ts'
import { ReindexAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'
import { progressOf } from '../progress.ts'

export const ledgerReindex: Command = {
  name: 'ledger reindex',
  summary: 'make tiles and filters of the ledger anew, where they are missing or wrong',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse ledger reindex',
  run: async (call) => {
    const tell = progressOf(call)
    const ask = async (body: JsonObject): Promise<ReindexAnswer> =>
      await askDoor(call, ReindexAnswer, { method: 'POST', path: '/admin/ledger/reindex', body })
    const total = { checked: 0, tiles: 0, filters: 0 }
    const gone: string[] = []
    // One answer is for ten seconds of work.
    for (let from: ReindexAnswer['next'] = null; ;) {
      const { checked, tiles, filters, removed, next } = await ask({ from })
      total.checked += checked
      total.tiles += tiles
      total.filters += filters
      gone.push(...removed)
      tell(() => `${total.checked} tiles and segments are checked`)
      if (next === null) break
      from = next
    }
    const { checked, tiles, filters } = total
    return {
      exit: 0,
      text: [
        `Checked ${checked} tiles and segments: ${tiles} tiles and ${filters} filters were made anew.`,
        ...gone.map((path) => `Removed ${path}: a tile of entries that are not there.`),
      ].join('\n'),
      json: { ...total, removed: gone },
    }
  },
}
