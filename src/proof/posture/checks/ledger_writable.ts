import { fail, ok, unknown, warn, type Check } from '../check.ts'

export const ledgerWritable: Check = {
  id: 'ledger-writable',
  title: 'Ledger can be written',
  why: 'Without a record nothing is done: a ledger that cannot write stops the door.',
  run: ({ ledger }) => {
    if (ledger === undefined) return unknown('there is no ledger yet', 'Start the door once: npm start')
    if (!ledger.isWritable)
      return fail('this user may not write it', 'Give HOME/ledger to the user of the door')
    const [notice] = ledger.notices
    if (notice !== undefined)
      return warn(
        `it can be written, but ${notice}`,
        'Mend the named place; until then the record is held in one place only',
      )
    return ok('it can be written')
  },
}
