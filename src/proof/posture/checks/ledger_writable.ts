import { fail, ok, unknown, warn, type Check } from '../check.ts'

export const ledgerWritable: Check = {
  id: 'ledger-writable',
  title: 'Ledger can be written',
  why: 'Without a record nothing is done: a ledger that cannot write stops the door.',
  run: ({ ledger }) => {
    if (ledger === undefined) return unknown('there is no ledger yet', 'Start the door once: npm start')
    if (ledger.reason !== undefined)
      return fail(
        `nothing is recorded, and so nothing is done: ${ledger.reason}`,
        'Free space in the home, or raise ledger.max_bytes; for any other reason look at the disk and the lock, then start the door again: docs/how-to/restore-a-home.md',
      )
    if (!ledger.isWritable)
      return fail('this user may not write it', 'Give HOME/ledger to the user of the door')
    const { notices } = ledger
    if (notices.length > 0)
      return warn(
        `it can be written, but ${notices.join('; ')}`,
        'Look up what it says: docs/how-to/restore-a-home.md of the home, run-a-witness.md and anchor-checkpoints.md of those who hold the ledger outside',
      )
    return ok('it can be written')
  },
}
