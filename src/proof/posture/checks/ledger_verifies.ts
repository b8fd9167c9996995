import { fail, ok, unknown, warn, type Check } from '../check.ts'

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
    const [contradiction] = ledger.contradictions
    if (contradiction !== undefined) {
      return fail(
        `internally consistent, but not what it was: ${contradiction}`,
        'Keep a copy of the home and of what is held outside, they are evidence; find out who put an older ledger here, and put the newest copy back: docs/how-to/restore-a-home.md',
      )
    }
    if (ledger.lost > 0) {
      return warn(
        `internally consistent, but ${ledger.lost} entries were lost when the home was restored to an older state`,
        'Find out who restored it, and keep the newer copy of the ledger if there is one',
      )
    }
    return ok(`internally consistent: ${ledger.entries} entries`)
  },
}
