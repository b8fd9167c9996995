import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMITS } from '#base/limits.ts'
import { bytesOf, EntryQueue, type Waiting } from './entry_queue.ts'

/** One that takes so much of the room in all. */
function entry(bytes: number, reserved = false): Waiting {
  const leaf = new Uint8Array(bytes - bytesOf({ leaf: new Uint8Array(1), record: new Uint8Array(1) }) + 1)
  return { leaf, record: new Uint8Array(1), reserved, isAwaited: true, settle: () => undefined }
}

const ORDINARY = LIMITS.ledgerQueueBytes - LIMITS.ledgerReservedQueueBytes

test('bytesOf counts leaf, record and what stands around them', () => {
  const [some, more] = [
    bytesOf({ leaf: new Uint8Array(5), record: new Uint8Array(7) }),
    bytesOf(entry(1_000)),
  ]
  assert.equal(some - 12, bytesOf({ leaf: new Uint8Array(0), record: new Uint8Array(0) }))
  assert.ok(some > 12)
  assert.equal(more, 1_000)
})

test('EntryQueue takes what fits: the last part of the room is for reserved entries', () => {
  const queue = new EntryQueue()
  assert.ok(queue.offer(entry(ORDINARY - 100)))
  assert.ok(!queue.offer(entry(101)))
  assert.ok(queue.offer(entry(100)))
  assert.equal(queue.bytes, ORDINARY)
  assert.ok(!queue.offer(entry(100)))
  assert.ok(queue.offer(entry(LIMITS.ledgerReservedQueueBytes - 100, true)))
  assert.ok(!queue.offer(entry(101, true)))
  assert.ok(queue.offer(entry(100, true)))
  assert.deepEqual([queue.bytes, queue.count], [LIMITS.ledgerQueueBytes, 4])
})

test('EntryQueue gives entries in their order, until it is enough: one at least', () => {
  const queue = new EntryQueue()
  assert.ok(queue.isEmpty)
  assert.deepEqual(
    queue.take(() => false),
    [],
  )
  const entries = [100, 200, 300, 400].map((bytes) => entry(bytes))
  for (const each of entries) queue.offer(each)
  const asked: (readonly [number, number])[] = []
  const taken = queue.take((count, bytes) => {
    asked.push([count, bytes])
    return bytes >= 300
  })
  assert.deepEqual(taken, entries.slice(0, 2))
  assert.deepEqual(asked, [
    [1, 100],
    [2, 300],
  ])
  assert.deepEqual([queue.count, queue.bytes, queue.isEmpty], [2, 700, false])
  assert.deepEqual(
    queue.take(() => true),
    entries.slice(2, 3),
  )
  assert.deepEqual(
    queue.take(() => false),
    entries.slice(3),
  )
  assert.deepEqual([queue.count, queue.bytes, queue.isEmpty], [0, 0, true])
})
