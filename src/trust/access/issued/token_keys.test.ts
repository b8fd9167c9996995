import assert from 'node:assert/strict'
import { test } from 'node:test'
import { calculateJwkThumbprint } from 'jose'
import { StillClock } from '../../../../test/support/door_parts.ts'
import { TokenKeys, type KeptTokenKey, type TokenKeyStore } from './token_keys.ts'

class MemoryStore implements TokenKeyStore {
  keys: readonly KeptTokenKey[] = []

  load(): readonly KeptTokenKey[] {
    return this.keys
  }

  add(key: KeptTokenKey): void {
    this.keys = [...this.keys, key]
  }

  remove(madeAt: number): void {
    this.keys = this.keys.filter((key) => key.madeAt !== madeAt)
  }
}

const kids = (keys: TokenKeys): readonly string[] => keys.published().map(({ kid }) => kid)

test('TokenKeys makes two keys: the newest is published and does not sign yet', async () => {
  const store = new MemoryStore()
  const keys = await TokenKeys.open(store, new StillClock())
  assert.equal(store.keys.length, 2)
  const [next, signing] = keys.published()
  assert.equal(signing?.kid, keys.signing.kid)
  assert.notEqual(next?.kid, signing?.kid)
  assert.equal(next?.kid, await calculateJwkThumbprint({ ...next }))
  assert.deepEqual([next?.alg, next?.use, next?.kty, next?.crv], ['ES256', 'sig', 'EC', 'P-256'])
  assert.equal(JSON.stringify(keys.published()).includes('"d"'), false)
})

test('TokenKeys goes on with the keys that are kept', async () => {
  const store = new MemoryStore()
  const clock = new StillClock()
  const before = await TokenKeys.open(store, clock)
  const after = await TokenKeys.open(store, clock)
  assert.deepEqual(kids(after), kids(before))
  assert.equal(after.signing.kid, before.signing.kid)
})

test('TokenKeys publishes a key until the last token that it signed has ended', async () => {
  const store = new MemoryStore()
  const clock = new StillClock()
  const keys = await TokenKeys.open(store, clock)
  const [second, first] = kids(keys)
  clock.advance(1_000)
  const rotated = await keys.rotate()
  assert.deepEqual([rotated.signing, kids(keys)], [second, [rotated.next, second, first]])
  const found = keys.source.keyFor({ kid: first, algorithm: 'ES256' })
  assert.ok(!(found instanceof Promise))
  clock.advance(960_000 - 1)
  assert.equal(keys.source.has(found), true)
  clock.advance(1)
  assert.deepEqual(kids(keys), [rotated.next, second])
  assert.equal(keys.source.has(found), false)
  assert.throws(() => keys.source.keyFor({ kid: first, algorithm: 'ES256' }), {
    code: 'caller.unknown',
    detail: { reason: 'token.key_unknown' },
  })
  assert.equal(store.keys.length, 3)
  await TokenKeys.open(store, clock)
  assert.equal(store.keys.length, 2, 'what has ended is removed at the next start')
})

test('TokenKeys may be rotated twice at once, on a clock that stands still or goes back', async () => {
  const store = new MemoryStore()
  const clock = new StillClock()
  const keys = await TokenKeys.open(store, clock)
  clock.advance(-5_000)
  await Promise.all([keys.rotate(), keys.rotate()])
  assert.equal(new Set(store.keys.map(({ madeAt }) => madeAt)).size, store.keys.length)
  assert.equal(new Set(kids(keys)).size, 4)
  const again = await TokenKeys.open(store, clock)
  assert.equal(again.signing.kid, keys.signing.kid)
})

test('TokenKeys is a source of keys for one algorithm', async () => {
  const { source, signing } = await TokenKeys.open(new MemoryStore(), new StillClock())
  for (const query of [
    { kid: signing.kid, algorithm: 'RS256' },
    { kid: undefined, algorithm: 'ES256' },
    { kid: 'other', algorithm: 'ES256' },
  ])
    assert.throws(() => source.keyFor(query), { code: 'caller.unknown' })
  assert.deepEqual([source.state().kind, source.state().keys], ['fresh', 2])
})
