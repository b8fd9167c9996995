import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMITS } from '#base/limits.ts'
import { StreamChannels } from './stream_channels.ts'

const NOWHERE = (): string => 'place'

test('StreamChannels takes texts, asks for a place once, and lets empty ones pass', () => {
  const channels = new StreamChannels<string>()
  let asked = 0
  const place = (): string => `place ${(asked += 1)}`
  assert.equal(channels.take('0.a', '', place), false)
  assert.equal(channels.isAnyOpen, false)
  assert.equal(channels.take('0.a', 'x', place), true)
  assert.equal(channels.take('0.a', 'y', place), true)
  assert.equal(channels.place('0.a'), 'place 1')
  assert.equal(asked, 1)
  assert.equal(channels.isAnyOpen, true)
})

test('StreamChannels ends a channel or a scope, and no other that begins alike', () => {
  const channels = new StreamChannels<string>()
  for (const name of ['1.a', '1.a.b', '1.ab', '10.a', '1.c']) channels.take(name, 'x', NOWHERE)
  assert.deepEqual(channels.end('1.a'), ['1.a', '1.a.b'])
  assert.deepEqual(channels.end('1'), ['1.ab', '1.c'])
  assert.deepEqual(channels.end('1'), [])
  assert.deepEqual(channels.end('2'), [])
  assert.equal(channels.isAnyOpen, true)
  assert.equal(channels.place('1.c'), 'place')
})

test('StreamChannels refuses a text where its channel or a scope of it has ended, but no empty one', () => {
  const channels = new StreamChannels<string>()
  channels.take('1.a', 'x', NOWHERE)
  channels.end('1.a')
  channels.end('2')
  for (const name of ['1.a', '1.a.b', '2', '2.a', '2.a.b']) {
    assert.throws(() => channels.take(name, 'x', NOWHERE), { code: 'upstream.invalid' })
    assert.equal(channels.take(name, '', NOWHERE), false)
  }
  assert.equal(channels.take('1.ab', 'x', NOWHERE), true)
  assert.equal(channels.take('20.a', 'x', NOWHERE), true)
})

test('StreamChannels bounds what it remembers: channels and ends', () => {
  const channels = new StreamChannels<string>()
  const half = LIMITS.streamChannels / 2
  for (let at = 0; at < half; at++) channels.take(`0.${at}`, 'x', NOWHERE)
  for (let at = 0; at < half; at++) channels.end(`1.${at}`)
  channels.end('1.0')
  assert.throws(() => channels.take('0.a', 'x', NOWHERE), { code: 'upstream.invalid' })
  assert.throws(() => channels.end('2'), { code: 'upstream.invalid' })
  assert.equal(channels.take('0.0', 'x', NOWHERE), true)
})
