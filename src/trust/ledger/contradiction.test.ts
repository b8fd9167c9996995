import assert from 'node:assert/strict'
import { test } from 'node:test'
import { forked, outage, rolledBack, type HolderProblem } from './contradiction.ts'

const PROBLEMS: readonly (readonly [made: HolderProblem, expected: HolderProblem])[] = [
  [
    rolledBack('holds', 9, 3),
    { problem: 'holds 9 entries of this log, of which 3 are here: it was rolled back', contradicts: true },
  ],
  [
    forked('has cosigned'),
    { problem: 'has cosigned another history of this log: one of the two is a fork', contradicts: true },
  ],
  [outage('answers 500'), { problem: 'answers 500', contradicts: false }],
  // The words alone say nothing: another end could send them.
  [outage('git fails: it was rolled back'), { problem: 'git fails: it was rolled back', contradicts: false }],
]

for (const [made, expected] of PROBLEMS)
  test(`a problem with a holder says itself whether it is evidence: ${expected.problem}`, () =>
    assert.deepEqual(made, expected))
