import { ok, unknown, warn, type Check } from '../check.ts'

export const outcomesKnown: Check = {
  id: 'outcomes-known',
  title: 'Outcomes',
  why: 'A door that was killed leaves requests of which nobody knows whether they were done.',
  run: ({ ledger }) => {
    const count = ledger?.unknownOutcomes
    if (count === undefined) return unknown('only a running door tells', 'Start it: npm start')
    if (count === 0) return ok('every request that was begun has an outcome')
    return warn(
      `of ${count} requests that were begun nobody knows what became of them`,
      'Find them: gatehouse ledger tail --lines 1000 | grep outcome.unknown',
    )
  },
}
