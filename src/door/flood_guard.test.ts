import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EntryDraft } from '#base/recorder.ts'
import { FLOOD_NUMBERS, FloodGuard, type FloodNumbers } from './flood_guard.ts'

/** What an entry takes on disk before its segment is sealed. */
const ENTRY_BYTES = 800
const TEN_MINUTES_MS = 600_000

function rig(numbers: FloodNumbers = FLOOD_NUMBERS): {
  guard: FloodGuard
  written: EntryDraft[]
  pass: (ms: number) => void
} {
  let now = 1_000
  const written: EntryDraft[] = []
  const guard = new FloodGuard({
    clock: { now: () => now, monotonic: () => now },
    recorder: { appendLater: (make) => written.push(make()) },
    newId: () => 'id',
    numbers,
  })
  return { guard, written, pass: (ms) => (now += ms) }
}

/** Takes the whole burst of a block. */
function drain(guard: FloodGuard, address: string): void {
  while (guard.charge(address) === undefined);
}

/** Takes all that a key has, and gives how much that was. */
function drainKey(guard: FloodGuard, kid: string): number {
  let taken = 0
  while (guard.chargeKey(kid) === undefined) taken += 1
  return taken
}

test('charge takes from the bucket of the block: burst, then one per second', () => {
  const { guard, pass } = rig()
  for (let at = 0; at < 20; at += 1) assert.equal(guard.charge('203.0.113.1'), undefined, `charge ${at}`)
  assert.equal(guard.charge('203.0.113.2'), 1, 'the same /24')
  assert.equal(guard.charge('203.0.114.1'), undefined, 'another /24')
  pass(999)
  assert.equal(guard.charge('203.0.113.1'), 1)
  pass(1)
  assert.equal(guard.charge('203.0.113.1'), undefined)
  assert.equal(guard.charge('203.0.113.1'), 1)
  pass(3_600_000)
  for (let at = 0; at < 20; at += 1)
    assert.equal(guard.charge('203.0.113.1'), undefined, 'never more than the burst')
  assert.equal(guard.charge('203.0.113.1'), 1)
})

test('counted is told of all that a digest will say, when it happens: its sum is that of the digests', () => {
  const told: string[] = []
  const written: EntryDraft[] = []
  const guard = new FloodGuard({
    clock: { now: () => 1, monotonic: () => 1 },
    recorder: { appendLater: (make) => written.push(make()) },
    newId: () => 'id',
    counted: (code) => told.push(code),
  })
  drain(guard, '203.0.113.1')
  drainKey(guard, 'aaaaaaaaaaaa')
  guard.refusesEarly('203.0.113.1', false)
  guard.note('203.0.113.1', 'route.unknown', true)
  guard.note('socket', 'route.unknown', false)
  guard.dropped('203.0.113.1')
  assert.deepEqual(told.toSorted(), [
    'caller.throttled',
    'connection.dropped',
    'route.unknown',
    'source.throttled',
    'source.throttled',
  ])
  guard.flush()
  assert.equal(
    written.reduce((sum, { fields }) => sum + Number(fields['count']), 0),
    told.length,
  )
})

test('charge takes from the global bucket: many blocks together are bounded too', () => {
  const { guard, pass } = rig()
  let taken = 0
  for (let block = 0; block < 200; block += 1) if (guard.charge(`10.0.${block}.1`) === undefined) taken += 1
  assert.equal(taken, 100)
  pass(1_000)
  taken = 0
  for (let block = 0; block < 200; block += 1) if (guard.charge(`10.1.${block}.1`) === undefined) taken += 1
  assert.equal(taken, 10)
})

test('chargeCaller bounds callers without a key as chargeKey bounds keys, and names them as callers', () => {
  const { guard, written } = rig()
  let taken = 0
  while (guard.chargeCaller('User::"alice"') === undefined) taken += 1
  assert.equal(taken, drainKey(guard, 'aaaaaaaaaaaa'))
  assert.equal(guard.chargeCaller('User::"bob"'), undefined, 'another caller')
  guard.flush()
  assert.deepEqual(
    written.map(({ fields }) => [fields['kid'], fields['caller'], fields['count']]),
    [
      ['aaaaaaaaaaaa', undefined, 1],
      [undefined, 'User::"alice"', 1],
    ],
  )
})

test('chargeKey takes from the bucket of the key alone: burst, then five per second, then one digest per key', () => {
  const { guard, written, pass } = rig()
  drainKey(guard, 'aaaaaaaaaaaa')
  assert.equal(guard.chargeKey('aaaaaaaaaaaa'), 1)
  assert.equal(guard.chargeKey('bbbbbbbbbbbb'), undefined, 'another key')
  drain(guard, '203.0.113.1')
  drainKey(guard, 'bbbbbbbbbbbb')
  pass(1_000)
  assert.equal(drainKey(guard, 'aaaaaaaaaaaa'), 5)
  pass(9_000)
  guard.tick()
  assert.deepEqual(
    written.filter(({ fields }) => 'kid' in fields).map(({ kind, fields }) => ({ kind, ...fields })),
    [
      {
        kind: 'digest',
        kid: 'aaaaaaaaaaaa',
        count: 3,
        codes: { 'caller.throttled': 3 },
        window_ms: 10_000,
      },
      {
        kind: 'digest',
        kid: 'bbbbbbbbbbbb',
        count: 1,
        codes: { 'caller.throttled': 1 },
        window_ms: 10_000,
      },
    ],
  )
})

test('dropped counts connections in the digest of their block', () => {
  const { guard, written } = rig()
  guard.dropped('203.0.113.1')
  guard.dropped('203.0.113.2')
  guard.flush()
  assert.deepEqual(written[0]?.fields, {
    block: '203.0.113.0/24',
    count: 2,
    codes: { 'connection.dropped': 2 },
    window_ms: 0,
  })
})

test('refusesEarly lets through what looks real: a flood from its own block does not touch a key', () => {
  const { guard } = rig()
  assert.equal(guard.refusesEarly('127.0.0.1', false), undefined, 'nothing spent yet')
  drain(guard, '127.0.0.1')
  assert.equal(guard.refusesEarly('::1', false), 1, 'loopback is one block')
  assert.equal(guard.refusesEarly('127.0.0.1', true), undefined)
  assert.equal(guard.refusesEarly('203.0.113.1', false), undefined, 'another block')
  for (let block = 0; block < 100; block += 1) guard.charge(`10.0.${block}.1`)
  assert.equal(guard.refusesEarly('203.0.113.1', false), 1, 'the global bucket is empty')
  assert.equal(guard.refusesEarly('203.0.113.1', true), undefined)
})

test('FloodGuard spares the admin socket: its owner is no stranger', () => {
  const { guard, written } = rig()
  for (let at = 0; at < 1_000; at += 1) {
    assert.equal(guard.charge('socket'), undefined)
    assert.equal(guard.refusesEarly('socket', false), undefined)
    assert.equal(guard.note('socket', 'route.unknown', false), undefined)
  }
  guard.flush()
  assert.equal(written.length, 0)
})

test('note counts always and charges only strangers: no entry of its own is written for it', () => {
  const { guard, written } = rig()
  for (let at = 0; at < 50; at += 1) assert.equal(guard.note('203.0.113.1', 'route.unknown', true), undefined)
  for (let at = 0; at < 20; at += 1) assert.equal(guard.note('203.0.113.1', 'method.wrong', false), undefined)
  assert.equal(guard.note('203.0.113.1', 'method.wrong', false), 1)
  guard.flush()
  assert.deepEqual(
    written.map((draft) => draft.fields),
    [
      {
        block: '203.0.113.0/24',
        count: 71,
        codes: { 'route.unknown': 50, 'method.wrong': 20, 'source.throttled': 1 },
        window_ms: 0,
      },
    ],
  )
})

test('tick writes digests when the window is over: one per block, the largest first, the rest summed', () => {
  const { guard, written, pass } = rig()
  for (let block = 0; block < 40; block += 1)
    for (let times = 0; times <= block; times += 1) guard.note(`10.0.${block}.1`, 'route.unknown', true)
  pass(9_999)
  guard.tick()
  assert.equal(written.length, 0)
  pass(1)
  guard.tick()
  guard.tick()
  assert.equal(written.length, 33)
  assert.deepEqual(written[0], {
    kind: 'digest',
    id: 'id',
    at: 11_000,
    fields: { block: '10.0.39.0/24', count: 40, codes: { 'route.unknown': 40 }, window_ms: 10_000 },
    reserved: false,
  })
  assert.deepEqual(written[32]?.fields, {
    block: 'other blocks',
    blocks: 8,
    count: 36,
    codes: { 'route.unknown': 36 },
    window_ms: 10_000,
  })
  pass(10_000)
  guard.tick()
  guard.flush()
  assert.equal(written.length, 33, 'a window without refusals writes nothing')
})

test('a refusal after its window writes the old window first: even when no timer runs', () => {
  const { guard, written, pass } = rig()
  guard.note('203.0.113.1', 'route.unknown', true)
  pass(10_000)
  guard.note('203.0.113.1', 'route.unknown', true)
  assert.equal(written.length, 1)
  guard.flush()
  assert.equal(written.length, 2)
})

test('FloodGuard bounds its memory: newcomers share a bucket until an old one is full again', () => {
  const numbers = {
    ...FLOOD_NUMBERS,
    blocks: 4,
    block: { burst: 2, perSecond: 1 },
    global: { burst: 1_000, perSecond: 10 },
  }
  const { guard, written, pass } = rig(numbers)
  for (let block = 0; block < 4; block += 1) guard.charge(`10.0.${block}.1`)
  assert.equal(guard.charge('10.1.0.1'), undefined)
  assert.equal(guard.charge('10.1.1.1'), undefined)
  assert.equal(guard.charge('10.1.2.1'), 1, 'the shared bucket is empty')
  assert.equal(guard.refusesEarly('10.1.3.1', false), 1)
  assert.equal(guard.charge('10.0.0.1'), undefined, 'a remembered block has its own')
  pass(1_000)
  assert.equal(guard.charge('10.1.4.1'), undefined, 'the oldest is full and forgotten')
  for (let block = 0; block < 10; block += 1) guard.note(`10.2.${block}.1`, 'route.unknown', true)
  guard.flush()
  const blocks = written.map((draft) => draft.fields['block'])
  assert.equal(blocks.length, 5)
  assert.equal(blocks[0], 'unremembered blocks')
})

/** Ten minutes in steps of 10 ms, `perStep` requests each, as face and door would do it. Gives the entries written. */
function flood(blocks: number, perStep: number, looksReal: boolean): { entries: number; refused: number } {
  const { guard, written, pass } = rig()
  let refusals = 0
  let refused = 0
  let request = 0
  for (let ms = 0; ms < TEN_MINUTES_MS; ms += 10) {
    for (let at = 0; at < perStep; at += 1) {
      const block = request++ % blocks
      const address = `${1 + (block >> 16)}.${(block >> 8) & 255}.${block & 255}.7`
      if (guard.refusesEarly(address, looksReal) !== undefined || guard.charge(address) !== undefined)
        refused += 1
      else refusals += 1
    }
    if (ms % 1_000 === 0) guard.tick()
    pass(10)
  }
  guard.flush()
  const counted = written.reduce((sum, draft) => sum + Number(draft.fields['count']), 0)
  assert.equal(counted, refused, 'every refusal is in a digest')
  return { entries: refusals + written.length, refused }
}

test('ten minutes of flood leave at most 10 MB: from one block or from 100,000, with or without a real-looking key', () => {
  for (const blocks of [1, 100, 100_000])
    for (const looksReal of [false, true]) {
      const { entries, refused } = flood(blocks, 5, looksReal)
      const bytes = entries * ENTRY_BYTES
      assert.ok(bytes <= 10_000_000, `${blocks} blocks: ${bytes} bytes`)
      assert.ok(refused > 250_000, 'the flood was one')
    }
})
