import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { compileComparison } from './compile_comparison.ts'
import { EntityPart, EntityStore } from './entities.ts'
import { EntityAccount } from './entity_account.ts'
import { EvaluationError } from './evaluation_error.ts'
import { Evaluation } from './evaluation.ts'
import { callExtension } from './extensions.ts'
import { EMPTY_RECORD } from './policy_value.ts'
import type { Comparison } from './syntax.ts'
import { EntityValue, SetValue, type Value } from './values.ts'

const ANN = new EntityValue('User', 'ann')
const STAFF = new EntityValue('Group', 'staff')
const OTHERS = new EntityValue('Group', 'others')

const EVALUATION = new Evaluation(
  { principal: ANN, action: { type: 'Action', id: 'read' }, resource: ANN, context: () => EMPTY_RECORD },
  new EntityStore(
    [new EntityPart([new EntityAccount(ANN, [STAFF], EMPTY_RECORD, EMPTY_RECORD)])],
    new EntityPart([]),
  ),
)

function compare(operator: Comparison, left: Value, right: Value): boolean | string {
  const test = compileComparison(
    operator,
    () => left,
    () => right,
  )
  try {
    return test(EVALUATION)
  } catch (error) {
    if (error instanceof EvaluationError) return error.reason
    throw error
  }
}

const make = (name: string, text: string): Value => callExtension(name, [text])

suite('compileComparison', () => {
  test('compileComparison orders integers, datetimes and durations: less, equal and more', () => {
    const rows: readonly (readonly [why: string, less: Value, more: Value])[] = [
      ['small integers', -1, 0],
      ['a small and a large integer', 2 ** 53 - 1, 2n ** 60n],
      ['large integers', 2n ** 60n, 2n ** 60n + 1n],
      ['datetimes', make('datetime', '2024-01-01'), make('datetime', '2024-01-02')],
      ['durations', make('duration', '-1ms'), make('duration', '1ms')],
    ]
    for (const [why, less, more] of rows) {
      const results = (left: Value, right: Value): unknown[] =>
        (['<', '<=', '>', '>=', '==', '!='] as const).map((operator) => compare(operator, left, right))
      assert.deepEqual(results(less, more), [true, true, false, false, false, true], `${why}: less`)
      assert.deepEqual(results(more, less), [false, false, true, true, false, true], `${why}: more`)
      assert.deepEqual(results(less, less), [false, true, false, true, true, false], `${why}: equal`)
    }
  })

  test('compileComparison refuses to order what has no common order', () => {
    const rows: readonly (readonly [why: string, left: Value, right: Value])[] = [
      ['a text and an integer', '1', 1],
      ['an integer and a text', 1, '1'],
      ['an integer and a duration', 1, make('duration', '1ms')],
      ['a duration and an integer', make('duration', '1ms'), 1],
      ['a duration and a text', make('duration', '1ms'), '1ms'],
      ['a datetime and a duration', make('datetime', '1970-01-01'), make('duration', '1ms')],
      ['decimals, which have functions of their own', make('decimal', '1.0'), make('decimal', '2.0')],
      ['addresses', make('ip', '10.0.0.1'), make('ip', '10.0.0.2')],
      ['truths', false, true],
      ['entities', ANN, STAFF],
    ]
    for (const [why, left, right] of rows)
      for (const operator of ['<', '<=', '>', '>='] as const)
        assert.equal(compare(operator, left, right), 'wrong type', `${why}: ${operator}`)
  })

  test('in holds for what an entity is in, and for a set where it is in one of it', () => {
    const rows: readonly (readonly [why: string, left: Value, right: Value, found: boolean | string])[] = [
      ['itself', ANN, ANN, true],
      ['its parent', ANN, STAFF, true],
      ['another group', ANN, OTHERS, false],
      ['the other way round', STAFF, ANN, false],
      ['a set with its parent', ANN, new SetValue([OTHERS, STAFF]), true],
      ['a set without', ANN, new SetValue([OTHERS]), false],
      ['an empty set', ANN, new SetValue([]), false],
      ['a set that holds more than entities', ANN, new SetValue([STAFF, 1]), 'wrong type'],
      ['a text', ANN, 'staff', 'wrong type'],
      ['no entity on the left', 'ann', STAFF, 'wrong type'],
    ]
    for (const [why, left, right, found] of rows) assert.equal(compare('in', left, right), found, why)
  })
})
