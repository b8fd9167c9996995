import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isEntryId, newEntryId, randomBase62 } from './ids.ts'

test('newEntryId makes ids of one form that do not repeat', () => {
  const ids = new Set(Array.from({ length: 20_000 }, newEntryId))
  assert.equal(ids.size, 20_000)
  for (const id of ids) assert.ok(isEntryId(id), id)
})

test('randomBase62 is fair: each of the 62 characters comes up within 10 % of its share', () => {
  const count = new Map<string, number>()
  const text = randomBase62(620_000)
  for (const character of text) count.set(character, (count.get(character) ?? 0) + 1)
  assert.equal(count.size, 62)
  for (const times of count.values()) assert.ok(times > 9_000 && times < 11_000, String(times))
})

const NOT_IDS: readonly (readonly [why: string, text: string])[] = [
  ['too short', 'abc'],
  ['a dash', 'abcdefghijklmno-'],
  ['too long', 'abcdefghijklmnopq'],
  ['a line end', 'abcdefghijklmno\n'],
]
for (const [why, text] of NOT_IDS) {
  test(`isEntryId is false: ${why}`, () => assert.equal(isEntryId(text), false))
}
