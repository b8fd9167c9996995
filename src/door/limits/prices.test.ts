import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { costOf, mostCost, PriceTable, type Price } from './prices.ts'

const PRICE: Price = {
  input: 2_500_000_000,
  output: 10_000_000_000,
  cachedInput: 1_250_000_000,
  cacheWrite: 0,
}

test('PriceTable gives the price that holds at a time', () => {
  const early = { ...PRICE, from: 100 }
  const late = { ...PRICE, input: 1, from: 200 }
  const table = new PriceTable(new Map([['m', [early, late]]]))
  const cases: readonly (readonly [at: number, model: string, price: Price | undefined])[] = [
    [99, 'm', undefined],
    [100, 'm', early],
    [199, 'm', early],
    [200, 'm', late],
    [200, 'other', undefined],
  ]
  for (const [at, model, price] of cases) assert.deepEqual(table.of(model, at), price)
})

test('costOf counts what came from a cache and went into one at their own prices', () => {
  const tokens = { tokensIn: 1_000, tokensOut: 100, cached: 600, written: 300 }
  assert.equal(costOf(PRICE, tokens), 100 * 2_500 + 600 * 1_250 + 100 * 10_000)
})

test('costOf is exact, and counts a part of a nano-dollar as one', () => {
  const price = fc.integer({ min: 0, max: 1_000_000_000_000 })
  const count = fc.integer({ min: 0, max: 10_000_000 })
  fc.assert(
    fc.property(price, price, count, count, (input, output, tokensIn, tokensOut) => {
      const exact = BigInt(tokensIn) * BigInt(input) + BigInt(tokensOut) * BigInt(output)
      const whole = { input, output, cachedInput: 0, cacheWrite: 0 }
      const cost = costOf(whole, { tokensIn, tokensOut, cached: 0, written: 0 })
      assert.equal(BigInt(cost), (exact + 999_999n) / 1_000_000n)
    }),
    { seed: 5, numRuns: 1_000 },
  )
})

test('mostCost is no less than the cost, whatever caches hold', () => {
  const price = fc.integer({ min: 0, max: 100_000_000_000 })
  const prices = fc.record({ input: price, output: price, cachedInput: price, cacheWrite: price })
  const count = fc.integer({ min: 0, max: 100_000 })
  fc.assert(
    fc.property(prices, fc.tuple(count, count, count, count), (all, [plain, cached, written, tokensOut]) => {
      const tokensIn = plain + cached + written
      assert.ok(mostCost(all, tokensIn, tokensOut) >= costOf(all, { tokensIn, tokensOut, cached, written }))
    }),
    { seed: 6, numRuns: 1_000 },
  )
})
