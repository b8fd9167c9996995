import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { PolicyValue } from '#base/decider.ts'
import { toCedarEntity, toCedarRecord } from './cedar_wasm_value.ts'

suite('wasm_value', () => {
  test('toCedarRecord gives each value its form', () => {
    const rows: readonly (readonly [why: string, value: PolicyValue, expected: unknown])[] = [
      ['a text', 'eu', 'eu'],
      ['a truth', true, true],
      ['a number', 2 ** 53 - 1, 9_007_199_254_740_991],
      ['a set', ['a', ['b']], ['a', ['b']]],
      ['an entity', { type: 'Model', id: 'echo' }, { __entity: { type: 'Model', id: 'echo' } }],
      ['a record', { type: 'Model', id: 3 }, { type: 'Model', id: 3 }],
      ['a larger record', { type: 'a', id: 'b', more: 'c' }, { type: 'a', id: 'b', more: 'c' }],
    ]
    for (const [why, value, expected] of rows)
      assert.deepEqual(toCedarRecord({ value }), { value: expected }, why)
  })

  test('toCedarRecord refuses what would arrive as another value', () => {
    const rows: readonly (readonly [why: string, value: PolicyValue])[] = [
      ['beyond 2^53', 2 ** 53],
      ['a fraction', 0.5],
      ['no number', Number.NaN],
      ['an entity by the back door', { __entity: 'Model' }],
      ['an extension by the back door', [{ __extn: 'ip' }]],
    ]
    for (const [why, value] of rows) assert.throws(() => toCedarRecord({ value }), TypeError, why)
  })

  test('toCedarEntity keeps reference, attributes and parents', () => {
    assert.deepEqual(
      toCedarEntity({
        ref: { type: 'Model', id: 'echo' },
        attributes: { provider: 'echo' },
        parents: [{ type: 'Space', id: 'default' }],
      }),
      {
        uid: { type: 'Model', id: 'echo' },
        attrs: { provider: 'echo' },
        parents: [{ type: 'Space', id: 'default' }],
      },
    )
  })
})
