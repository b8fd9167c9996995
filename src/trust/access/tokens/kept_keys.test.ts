import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { utf8 } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { makeIssuerKey, type IssuerKey } from '../../../../test/fakes/issuer.ts'
import { StillClock } from '../../../../test/support/door_parts.ts'
import { COOLDOWN_MS, FRESH_MS, KeptKeys, STALE_MS } from './kept_keys.ts'

let one: IssuerKey
let two: IssuerKey
before(async () => {
  one = await makeIssuerKey('one')
  two = await makeIssuerKey('two')
})

/** Keys whose issuer does as it is told, and answers when it is told to. */
function rig(published: readonly IssuerKey[]) {
  const clock = new StillClock()
  const results: string[] = []
  const state = { published, isDown: false, reads: 0, gate: Promise.resolve() }
  const keys = new KeptKeys({
    clock,
    algorithms: new Set(['ES256']),
    read: async () => {
      state.reads += 1
      await state.gate
      if (state.isDown) throw new Fault('upstream.failed', { reason: 'ECONNREFUSED' })
      return utf8(JSON.stringify({ keys: state.published.map(({ publicJwk }) => publicJwk) }))
    },
    onRead: (result) => void results.push(result),
  })
  const find = async (kid: string): Promise<string> => {
    try {
      return (await keys.keyFor({ kid, algorithm: 'ES256' })).kid ?? ''
    } catch (thrown) {
      assert.ok(thrown instanceof Fault && thrown.code === 'caller.unknown', String(thrown))
      return JSON.stringify(thrown.detail['reason']).slice(1, -1)
    }
  }
  return { clock, keys, state, results, find }
}

/** Lets a read in the background end. */
async function settle(): Promise<void> {
  for (let at = 0; at < 20; at++) await turn()
}

test('keyFor reads the keys once, and answers at once from then on', async () => {
  const { keys, state, find } = rig([one])
  assert.equal(keys.state().kind, 'waiting')
  assert.equal(await find('one'), 'one')
  assert.ok(!(keys.keyFor({ kid: 'one', algorithm: 'ES256' }) instanceof Promise))
  assert.equal(state.reads, 1)
  const { kind, keys: count, problems } = keys.state()
  assert.deepEqual([kind, count, problems], ['fresh', 1, []])
})

test('keyFor lets all that wait share one read', async () => {
  const { state, find } = rig([one])
  const gate = Promise.withResolvers<void>()
  state.gate = gate.promise
  const found = Array.from({ length: 100 }, async () => find('one'))
  gate.resolve()
  assert.deepEqual(new Set(await Promise.all(found)), new Set(['one']))
  assert.equal(state.reads, 1)
})

test('keyFor finds a key that the issuer has just made: a rotation needs no restart', async () => {
  const { keys, state, find } = rig([one])
  const before = await keys.keyFor({ kid: 'one', algorithm: 'ES256' })
  state.published = [two]
  assert.equal(await find('two'), 'two')
  assert.equal(keys.has(before), false, 'the key that was taken back no longer counts')
  state.published = [two, one]
  assert.equal(await find('one'), 'one')
  assert.equal(state.reads, 3)
})

test('keyFor asks no more than once in a while for keys that nobody has', async () => {
  const { clock, state, find } = rig([one])
  assert.equal(await find('one'), 'one')
  for (let at = 0; at < 50; at++) assert.equal(await find(`made-up-${at}`), 'token.key_unknown')
  assert.equal(state.reads, 2)
  clock.advance(COOLDOWN_MS)
  assert.equal(await find('made-up'), 'token.key_unknown')
  assert.equal(state.reads, 3)
})

test('keyFor reads an old set again without holding anybody up', async () => {
  const { clock, keys, state, find } = rig([one])
  assert.equal(await find('one'), 'one')
  clock.advance(FRESH_MS)
  assert.ok(!(keys.keyFor({ kid: 'one', algorithm: 'ES256' }) instanceof Promise))
  await settle()
  assert.equal(state.reads, 2)
  assert.equal(await find('one'), 'one')
  assert.equal(state.reads, 2)
})

test('has reads an old set again too, so that a key that was taken back ends', async () => {
  const { clock, keys, state } = rig([one, two])
  const key = await keys.keyFor({ kid: 'one', algorithm: 'ES256' })
  state.published = [two]
  assert.equal(keys.has(key), true)
  clock.advance(FRESH_MS)
  assert.equal(keys.has(key), true)
  await settle()
  assert.equal(keys.has(key), false)
})

test('keyFor goes on with what it read while the issuer cannot be reached, for a day', async () => {
  const { clock, keys, state, results, find } = rig([one])
  const key = await keys.keyFor({ kid: 'one', algorithm: 'ES256' })
  state.isDown = true
  clock.advance(FRESH_MS)
  assert.equal(await find('one'), 'one')
  await settle()
  assert.equal(keys.state().kind, 'stale')
  assert.match(keys.state().problems[0] ?? '', /ECONNREFUSED/)
  assert.deepEqual(results, ['ok', 'failed'])
  clock.advance(STALE_MS - FRESH_MS - 1)
  assert.equal(await find('one'), 'one')
  assert.equal(keys.has(key), true)
  clock.advance(1)
  assert.equal(await find('one'), 'issuer.unreachable')
  assert.equal(keys.has(key), false)
  assert.deepEqual([keys.state().kind, keys.state().keys], ['none', 0])
  state.isDown = false
  clock.advance(COOLDOWN_MS)
  assert.equal(await find('one'), 'one')
  assert.equal(keys.state().kind, 'fresh')
  assert.deepEqual(keys.state().problems, [])
})

test('keyFor does not hammer an issuer that is down', async () => {
  const { clock, keys, state, find } = rig([one])
  state.isDown = true
  for (let at = 0; at < 50; at++) assert.equal(await find('one'), 'issuer.unreachable')
  assert.equal(state.reads, 1)
  assert.equal(keys.state().kind, 'none')
  clock.advance(COOLDOWN_MS)
  state.isDown = false
  assert.equal(await find('one'), 'one')
})

test('keyFor asks for the id of a key where there are several', async () => {
  const { keys } = rig([one, two])
  await assert.rejects(
    async () => keys.keyFor({ kid: undefined, algorithm: 'ES256' }),
    (thrown) => thrown instanceof Fault && thrown.detail['reason'] === 'token.key_missing',
  )
})

test('state says when a set has no key that can be used: an issuer that publishes none has taken all back', async () => {
  const { keys, state, find } = rig([one])
  assert.equal(await find('one'), 'one')
  state.published = []
  assert.equal(await find('two'), 'token.key_unknown')
  assert.equal(await find('one'), 'token.key_unknown')
  assert.match(keys.state().problems.join(), /no key that can be used/)
})
