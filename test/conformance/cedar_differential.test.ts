import assert from 'node:assert/strict'
import test from 'node:test'
import { compareCases, compareTexts, compareTypes } from '../support/cedar_differential.ts'

/** Another seed, another 2,000 cases: GATEHOUSE_CEDAR_SEED=7 npm test cedar_differential */
const SEED = Number(process.env['GATEHOUSE_CEDAR_SEED'] ?? 1)
const CASES = 2_000

test(`our engine and cedar-wasm decide ${CASES} generated cases alike (seed ${SEED})`, (context) => {
  const { differences, decided } = compareCases(SEED, CASES)
  context.diagnostic(`seed ${SEED}: ${JSON.stringify(decided)}`)
  assert.deepEqual(differences, [])
  // Cases that never get anywhere would prove nothing.
  assert.ok(decided.allow > CASES / 20 && decided.forbidden > CASES / 20 && decided.erred > CASES / 10)
})

test(`our parser and cedar-wasm take and refuse the same of ${CASES} spoiled texts (seed ${SEED})`, (context) => {
  const { differences, taken } = compareTexts(SEED, CASES)
  context.diagnostic(`seed ${SEED}: ${taken} taken`)
  assert.deepEqual(differences, [])
  assert.ok(taken > CASES / 50)
})

test(`our type checker and cedar-wasm say the same of ${CASES} policies (seed ${SEED})`, (context) => {
  const { differences, verdicts } = compareTypes(SEED, CASES)
  context.diagnostic(`seed ${SEED}: ${JSON.stringify(verdicts)}`)
  assert.deepEqual(differences, [])
  for (const [verdict, count] of Object.entries(verdicts)) assert.ok(count > CASES / 50, verdict)
  assert.ok(verdicts.good > CASES / 3 && verdicts.bad > CASES / 5)
})
