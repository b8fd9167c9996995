import { CompactAnswer } from '#rooms/admin/answers.ts'
import type { Command } from '../command.ts'
import { askDoor } from '../door_line.ts'
import { printBytes, progressOf } from '../progress.ts'

export const ledgerCompact: Command = {
  name: 'ledger compact',
  summary: 'seal all full segments of the ledger now, and remove leftovers',
  words: '',
  wordCount: { least: 0, most: 0 },
  options: [],
  example: './gatehouse ledger compact',
  run: async (call) => {
    const tell = progressOf(call)
    const ask = async (): Promise<CompactAnswer> =>
      await askDoor(call, CompactAnswer, { method: 'POST', path: '/admin/ledger/compact' })
    let last = await ask()
    const total = { ...last }
    // One answer is for ten seconds of work. What no work changes cannot be sealed, and is told by doctor.
    while (last.waiting > 0 && last.sealed > 0) {
      tell(() => `${last.waiting} segments wait`)
      last = await ask()
      total.sealed += last.sealed
      total.removed += last.removed
    }
    const { bytes_after: after, waiting } = last
    const lines = [
      `Sealed ${total.sealed} segments and removed ${total.removed} files: ${printBytes(total.bytes_before)} are now ${printBytes(after)}.`,
      ...(waiting === 0 ? [] : [`${waiting} segments could not be sealed: see gatehouse doctor.`]),
    ]
    return { exit: 0, text: lines.join('\n'), json: { ...total, bytes_after: after, waiting } }
  },
}
