import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import { installStryker, mutate, placeOf, TARGETS } from '../../tools/mutation.ts'

const PERCENT_MIN = 80

suite('mutation', () => {
  let absent: string | undefined

  before(() => {
    absent = installStryker()
  })

  for (const target of TARGETS) {
    test(`the tests of ${placeOf(target)} notice ${PERCENT_MIN} % of the changes that Stryker makes`, (context) => {
      if (absent !== undefined) return context.skip(`Stryker is not there: ${absent}`)
      const { percent, mutants, list } = mutate(target)
      context.diagnostic(`${percent.toFixed(1)} % of ${mutants}; the others: ${list}`)
      assert.ok(percent >= PERCENT_MIN, `${percent.toFixed(1)} % of ${mutants} mutants; the others: ${list}`)
    })
  }
})
