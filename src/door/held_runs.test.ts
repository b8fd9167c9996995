import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isDull, keyLineIn, restOfToken, restOfWord } from './held_runs.ts'

test('isDull holds for what can be no encoding', () => {
  assert.ok(isDull('-'.repeat(5_000)))
  assert.ok(isDull('010011'.repeat(500)))
  assert.ok(!isDull('0123456789abcdef'))
})

test('keyLineIn gives the place of a line of a key only', () => {
  const line = `${'Ab1'.repeat(21)}+`
  assert.equal(keyLineIn(`x ${line}`), 2)
  for (const other of ['', 'a'.repeat(64), '0123456789abcdef'.repeat(4), line.slice(0, 59)])
    assert.equal(keyLineIn(`x ${other}`), -1)
})

test('restOfWord counts what stands behind the last sign that ends a word', () => {
  for (const [text, count] of [
    ['a bcd', 3],
    ['abc', 3],
    ['a "https://x/y?z', 13],
    ['a\n', 0],
    ['', 0],
  ] as const)
    assert.equal(restOfWord(text), count)
})

test('restOfToken counts from the first letters that no sign outside of tokens follows', () => {
  for (const [text, count] of [
    ['a eyJab.cd-_', 10],
    ['eyJa+eyJb', 4],
    ['eyJaeyJb', 8],
    ['eyJa/b', 0],
    ['abey', 0],
    ['', 0],
  ] as const)
    assert.equal(restOfToken(text), count)
})
