import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KeptTokens } from './kept_tokens.ts'

test('KeptTokens never holds more than it may, and forgets those that were not used', () => {
  const kept = new KeptTokens<number>(10)
  for (let at = 0; at < 1_000; at++) {
    kept.set(`t${at}`, at)
    kept.get('t0')
    assert.ok(kept.size <= 10, String(kept.size))
  }
  assert.equal(kept.get('t0'), 0)
  assert.equal(kept.get('t1'), undefined)
  assert.equal(kept.get('t999'), 999)
})

test('KeptTokens forgets what is deleted, wherever it is', () => {
  const kept = new KeptTokens<number>(4)
  for (let at = 0; at < 4; at++) kept.set(`t${at}`, at)
  for (let at = 0; at < 4; at++) {
    kept.delete(`t${at}`)
    assert.equal(kept.get(`t${at}`), undefined)
  }
  assert.equal(kept.size, 0)
})

test('KeptTokens keeps the newest value of a name', () => {
  const kept = new KeptTokens<number>(4)
  for (const value of [1, 2, 3]) kept.set('t', value)
  assert.equal(kept.get('t'), 3)
  assert.equal(kept.size, 1)
})

test('KeptTokens holds fewer of what weighs more', () => {
  const kept = new KeptTokens<number>(100, (value) => value)
  const held = (): number =>
    Array.from({ length: 1_000 }, (_, at) => kept.get(`t${at}`) ?? 0).reduce((sum, one) => sum + one, 0)
  for (let at = 0; at < 1_000; at++) kept.set(`t${at}`, 1 + (at % 50))
  assert.ok(held() <= 100, String(held()))
  assert.equal(kept.get('t999'), 50)
  kept.set('t999', 51)
  assert.equal(kept.get('t999'), undefined, 'one of more than half')
})
