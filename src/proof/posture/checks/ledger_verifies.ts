import { fail, ok, unknown, type Check } from '../check.ts'

export const ledgerVerifies: Check = {
  id: 'ledger-verifies',
  title: 'Ledger verifies',
  why: 'A flipped bit or a dropped entry shows here first.',
  run: ({ ledger }) => {
    if (ledger === undefined) return unknown('there is no ledger yet', 'Start the door once: npm start')
    const [first] = ledger.problems
    if (first !== undefined) {
      return fail(
        `${ledger.problems.length} problems, the first: ${first}`,
        'Keep a copy of the home, then run: gatehouse ledger verify',
      )
    }
    return ok(`internally consistent: ${ledger.entries} entries`)
  },
}
