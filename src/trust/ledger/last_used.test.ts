import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LastUsed } from './last_used.ts'

const KEYS = ['a', 'b', 'c']

const CASES: readonly [why: string, puts: string, kept: string][] = [
  ['as many as it may', 'ab', 'ab'],
  ['one more than it may', 'abc', 'bc'],
  ['one that is used again stays', 'abac', 'ac'],
  ['the last one used again', 'abb', 'ab'],
]

for (const [why, puts, kept] of CASES)
  test(`LastUsed keeps two values at most: ${why}`, () => {
    const values = new LastUsed<string, string>(2)
    for (const key of puts) values.put(key, `${key}!`)
    assert.deepEqual(
      KEYS.map((key) => values.get(key)),
      KEYS.map((key) => (kept.includes(key) ? `${key}!` : undefined)),
    )
  })

test('LastUsed gives the newest value of a key', () => {
  const values = new LastUsed<string, number>(2)
  values.put('a', 1)
  values.put('a', 2)
  assert.equal(values.get('a'), 2)
})
