import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hasInvisible, isInvisible } from './invisible.ts'

const LAST = 0x10ffff

test('isInvisible says of every code point what the engine says', () => {
  for (let point = 0; point <= LAST; point++)
    if (isInvisible(point) !== hasInvisible(String.fromCodePoint(point))) assert.fail(point.toString(16))
})

test('isInvisible does not hold for tab, line ends and what shows', () => {
  for (const shown of '\t\n\r aé語🔑') assert.equal(isInvisible(shown.codePointAt(0) ?? 0), false)
})
