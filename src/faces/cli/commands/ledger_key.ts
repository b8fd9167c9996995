import type { Command } from '../command.ts'
import { readLogKeys } from '../log_keys.ts'

export const ledgerKey: Command = {
  name: 'ledger key',
  summary: 'print the verification keys of the ledger, to be noted where this machine cannot change them',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse ledger key',
  run: async (call) => {
    const { origin, keys } = await readLogKeys(call)
    const lines = keys.flatMap(({ key, state, ends_at }) => [
      state === 'signs' ? '' : state === 'ended' ? `ended ${ends_at}:` : `signs along until ${ends_at}:`,
      key,
    ])
    return { exit: 0, text: lines.filter((line) => line !== '').join('\n'), json: { origin, keys } }
  },
}
