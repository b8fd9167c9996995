import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import { EvaluationError } from './evaluation_error.ts'
import {
  addLong,
  divideLong,
  floorRest,
  multiplyLong,
  negateLong,
  subtractLong,
  toLong,
  type Long,
} from './long.ts'

const SEED = 20_260_301
const MIN = -(2n ** 63n)
const MAX = 2n ** 63n - 1n

/** Integers everywhere, and close to the edges of both forms. */
const integer = fc.oneof(
  fc.bigInt({ min: MIN, max: MAX }),
  fc.bigInt({ min: -20n, max: 20n }),
  fc
    .tuple(
      fc.constantFrom(MIN, MAX, 2n ** 53n, -(2n ** 53n), 2n ** 31n, 3_037_000_500n),
      fc.bigInt({ min: -3n, max: 3n }),
    )
    .map(([edge, by]) => (edge + by > MAX || edge + by < MIN ? edge : edge + by)),
)

function long(value: bigint): Long {
  return toLong(value) ?? assert.fail('beyond 64 bits')
}

/** The exact result, or `overflow`; one form for each integer, and no negative zero. */
function outcome(run: () => Long): string {
  try {
    const value = run()
    assert.equal(
      typeof value === 'number',
      Number.isSafeInteger(Number(value)) && BigInt(value) === BigInt(Number(value)),
    )
    assert.ok(!Object.is(value, -0), 'a negative zero')
    return String(value)
  } catch (error) {
    assert.ok(error instanceof EvaluationError && error.reason === 'integer overflow')
    return 'overflow'
  }
}

function exact(value: bigint): string {
  return value < MIN || value > MAX ? 'overflow' : String(value)
}

suite('long', () => {
  test('arithmetic agrees with exact arithmetic, and overflows where 64 bits end', () => {
    fc.assert(
      fc.property(integer, integer, (left, right) => {
        const [a, b] = [long(left), long(right)]
        assert.equal(
          outcome(() => addLong(a, b)),
          exact(left + right),
        )
        assert.equal(
          outcome(() => subtractLong(a, b)),
          exact(left - right),
        )
        assert.equal(
          outcome(() => multiplyLong(a, b)),
          exact(left * right),
        )
        assert.equal(
          outcome(() => negateLong(a)),
          exact(-left),
        )
        assert.equal(
          outcome(() => divideLong(a, 1_000)),
          exact(left / 1_000n),
        )
        const rest = floorRest(a, 86_400_000)
        assert.equal(BigInt(rest), ((left % 86_400_000n) + 86_400_000n) % 86_400_000n)
        assert.ok(!Object.is(rest, -0))
      }),
      { seed: SEED, numRuns: 3_000 },
    )
  })

  test('toLong keeps numbers where they are safe', () => {
    const rows: readonly (readonly [why: string, value: bigint, expected: Long | undefined])[] = [
      ['small', 5n, 5],
      ['the last safe one', 2n ** 53n - 1n, Number.MAX_SAFE_INTEGER],
      ['the first that is not', 2n ** 53n, 2n ** 53n],
      ['the first safe one', -(2n ** 53n) + 1n, Number.MIN_SAFE_INTEGER],
      ['the largest', MAX, MAX],
      ['too large', MAX + 1n, undefined],
      ['the smallest', MIN, MIN],
      ['too small', MIN - 1n, undefined],
    ]
    for (const [why, value, expected] of rows) assert.equal(toLong(value), expected, why)
  })
})
