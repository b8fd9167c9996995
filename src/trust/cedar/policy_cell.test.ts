import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { CompiledPolicy } from './compile_policy.ts'
import { PolicyCell } from './policy_cell.ts'

const ANY = { kind: 'any' } as const

function policy(id: string): CompiledPolicy {
  return { id, effect: 'permit', principal: ANY, actions: [ANY], resource: ANY, test: undefined }
}

/** Ids that a cell with these keys gives to a question that meets those. */
function find(cellKeys: readonly number[], keys: readonly number[]): string[] {
  const cell = new PolicyCell()
  for (const [index, key] of cellKeys.entries()) cell.add(key, policy(`${key}.${index}`))
  cell.seal(1_000)
  const met = new Float64Array(1_000)
  for (const key of keys) met[key] = 7
  const found: (readonly CompiledPolicy[])[] = []
  cell.find(keys, { met, question: 7 }, found)
  return found
    .flat()
    .map(({ id }) => id)
    .sort((a, b) => (a < b ? -1 : 1))
}

test('find gives the policies under the keys of the question, whichever list is shorter', () => {
  const many = Array.from({ length: 100 }, (_, index) => index * 9)
  const some = Array.from({ length: 20 }, (_, index) => index * 3)
  const rows: readonly (readonly [why: string, cell: number[], keys: number[], expected: string[]])[] = [
    ['an empty cell', [], [1, 2], []],
    ['no keys', [1], [], []],
    ['a small cell, many keys', [1, 3, 5], [3, 4, 5, 6], ['3.1', '5.2']],
    ['a small cell, fewer keys', [1, 3, 5, 7], [7, 8], ['7.3']],
    ['two policies under one key', [3, 3], [3], ['3.0', '3.1']],
    ['a large cell, few keys', many, [0, 1, 9, 32, 891, 999], ['0.0', '891.99', '9.1']],
    [
      'a large cell, more keys',
      [...some, 901],
      many,
      ['0.0', '18.6', '27.9', '36.12', '45.15', '54.18', '9.3'],
    ],
    ['keys that share a word of bits', many, [33, 63, 64, 95], ['63.7']],
  ]
  for (const [why, cell, keys, expected] of rows)
    assert.deepEqual(
      find(cell, keys),
      expected.toSorted((a, b) => (a < b ? -1 : 1)),
      why,
    )
})

test('find leaves out no key of a large cell, up to the last that there is', () => {
  for (const count of [33, 63, 64, 65, 96, 127, 128, 500]) {
    const cell = new PolicyCell()
    for (let key = 0; key < count; key++) cell.add(key, policy(`${key}`))
    cell.seal(count)
    for (let key = 0; key < count; key++) {
      const met = new Float64Array(count)
      met[key] = 7
      const found: (readonly CompiledPolicy[])[] = []
      cell.find([key], { met, question: 7 }, found)
      assert.deepEqual(
        found.flat().map(({ id }) => id),
        [`${key}`],
        `${key} of ${count}`,
      )
    }
  }
})
