import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { POOL_LIMITS } from './pool_limits.ts'
import { RetryBudget } from './retry_budget.ts'

const { retriesPerHundred, retryReserve } = POOL_LIMITS

function spent(budget: RetryBudget, times: number): number {
  return Array.from({ length: times }, () => budget.spend()).filter(Boolean).length
}

test('RetryBudget has its reserve at first, and nothing after it', () => {
  assert.equal(spent(new RetryBudget(), 100), retryReserve)
})

test('RetryBudget earns one retry with ten requests', () => {
  const budget = new RetryBudget()
  spent(budget, 100)
  for (let at = 0; at < 9; at++) budget.earn()
  assert.equal(budget.spend(), false)
  budget.earn()
  assert.equal(budget.spend(), true)
  assert.equal(budget.spend(), false)
})

test('RetryBudget saves up to its reserve only: a quiet night buys no storm', () => {
  const budget = new RetryBudget()
  for (let at = 0; at < 10_000; at++) budget.earn()
  assert.equal(spent(budget, 1_000), retryReserve)
})

test('RetryBudget never gives more than its share of the requests and the reserve: in any order', () => {
  fc.assert(
    fc.property(fc.array(fc.boolean(), { maxLength: 2_000 }), (steps) => {
      const budget = new RetryBudget()
      let requests = 0
      let retries = 0
      for (const isRequest of steps) {
        if (isRequest) {
          requests += 1
          budget.earn()
        } else if (budget.spend()) retries += 1
        assert.ok(retries <= retryReserve + (requests * retriesPerHundred) / 100)
      }
    }),
    { seed: 20_261_122, numRuns: 300 },
  )
})
