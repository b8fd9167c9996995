import assert from 'node:assert/strict'
import { test } from 'node:test'
import { choose, type Candidate, type Choice } from './choose.ts'

const DRAWS = 10_000

function candidates(...costs: readonly number[]): readonly Candidate[] {
  return costs.map((cost) => ({ weight: 1, cost: () => cost }))
}

/** Numbers that look random and are the same each time (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

function counts(choice: Choice, of: readonly Candidate[]): readonly number[] {
  const random = seeded(20_261_122)
  const found = of.map(() => 0)
  for (let at = 0; at < DRAWS; at++) {
    const place = choose(choice, of, random)
    found[place] = (found[place] ?? 0) + 1
  }
  return found
}

test('choose takes the first in order, whatever it costs', () => {
  assert.equal(
    choose('order', candidates(9, 1), () => 0.99),
    0,
  )
})

const WEIGHTS: readonly (readonly number[])[] = [
  [1],
  [1, 1],
  [3, 1],
  [1, 3],
  [1, 2, 3, 4],
  [1_000, 1],
  [1, 1, 1, 1, 1],
]

for (const weights of WEIGHTS) {
  test(`choose keeps to weights over 10,000 draws: ${weights.join(':')}`, () => {
    const total = weights.reduce((sum, weight) => sum + weight, 0)
    const found = counts(
      'weight',
      weights.map((weight) => ({ weight, cost: () => 0 })),
    )
    weights.forEach((weight, at) => {
      const share = weight / total
      // Five standard deviations of the binomial distribution.
      const slack = 5 * Math.sqrt(DRAWS * share * (1 - share)) + 1
      assert.ok(
        Math.abs((found[at] ?? 0) - DRAWS * share) <= slack,
        `${String(found)} for ${String(weights)}`,
      )
    })
  })
}

const EDGES: readonly (readonly [random: number, place: number])[] = [
  [0, 0],
  [0.749_999, 0],
  [0.75, 1],
  [0.999_999_999_999_999_9, 1],
]

for (const [random, place] of EDGES) {
  test(`choose by weight takes place ${place}: ${random}`, () => {
    const of = [
      { weight: 3, cost: () => 0 },
      { weight: 1, cost: () => 0 },
    ]
    assert.equal(
      choose('weight', of, () => random),
      place,
    )
  })
}

test('choose by latency never takes the slowest of several, and takes the fastest of two always', () => {
  assert.deepEqual(counts('latency', candidates(9, 1)), [0, DRAWS])
  const [fast = 0, middle = 0, slow] = counts('latency', candidates(1, 5, 9))
  assert.equal(slow, 0)
  // The fastest is in two of three pairs.
  assert.ok(Math.abs(fast - (DRAWS * 2) / 3) < 300, String(fast))
  assert.ok(Math.abs(middle - DRAWS / 3) < 300, String(middle))
})

test('choose by latency spreads calls over equals', () => {
  for (const count of counts('latency', candidates(1, 1, 1))) assert.ok(Math.abs(count - DRAWS / 3) < 300)
})

test('choose by latency takes the only one', () => {
  assert.deepEqual(counts('latency', candidates(7)), [DRAWS])
})
