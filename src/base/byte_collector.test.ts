import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ByteCollector } from './byte_collector.ts'
import { Fault } from './fault.ts'

const SEED = 20_270_114
const MOST = 10_000_000

/** Counts what is claimed, up to a limit. */
function memoryOf(limit: number): { claimed: number; claim: (bytes: number) => void } {
  return {
    claimed: 0,
    claim(bytes) {
      if (this.claimed + bytes > limit) throw new Fault('load.exceeded')
      this.claimed += bytes
    },
  }
}

test('ByteCollector gives all bytes in order, whatever the pieces, in at most twice the room', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 30_000 }), { maxLength: 12 }),
      fc.boolean(),
      (pieces, isAnnounced) => {
        const whole = Buffer.concat(pieces)
        const memory = memoryOf(Number.MAX_SAFE_INTEGER)
        const collector = new ByteCollector(memory, isAnnounced ? whole.length : undefined, MOST)
        for (const piece of pieces) collector.add(piece)
        assert.deepEqual(Buffer.from(collector.take()), whole)
        assert.equal(collector.size, whole.length)
        if (isAnnounced) assert.equal(memory.claimed, whole.length)
        else assert.ok(memory.claimed >= whole.length && memory.claimed <= Math.max(16_384, 2 * whole.length))
      },
    ),
    { seed: SEED, numRuns: 200 },
  )
})

test('ByteCollector keeps what comes whole as it is: no copy', () => {
  for (const announced of [5, undefined]) {
    const piece = Buffer.from('whole')
    const collector = new ByteCollector(memoryOf(5), announced, MOST)
    collector.add(piece)
    assert.equal(collector.take(), piece)
  }
})

test('ByteCollector claims before it keeps: the announced length at once, the rest as it grows', () => {
  assert.throws(() => new ByteCollector(memoryOf(99), 100, MOST), { code: 'load.exceeded' })
  const collector = new ByteCollector(memoryOf(20_000), undefined, MOST)
  collector.add(Buffer.alloc(9_000))
  assert.throws(() => collector.add(Buffer.alloc(9_000)), { code: 'load.exceeded' })
})

test('ByteCollector never claims more than there may be: doubling ends at the limit', () => {
  const memory = memoryOf(100_000)
  const collector = new ByteCollector(memory, undefined, 50_000)
  for (let at = 0; at < 5; at += 1) collector.add(Buffer.alloc(10_000))
  assert.equal(memory.claimed, 50_000)
})

test('ByteCollector goes on beyond a length that was announced too short', () => {
  const memory = memoryOf(100_000)
  const collector = new ByteCollector(memory, 2, MOST)
  for (const letter of 'abc') collector.add(Buffer.from(letter))
  assert.equal(Buffer.from(collector.take()).toString(), 'abc')
  assert.equal(memory.claimed, 16_384)
})

test('ByteCollector holds a body of a million pieces in little more than its bytes', () => {
  const collector = new ByteCollector(memoryOf(Number.MAX_SAFE_INTEGER), undefined, MOST)
  const before = process.memoryUsage().rss
  for (let at = 0; at < 1_000_000; at += 1) collector.add(new Uint8Array(1))
  assert.equal(collector.take().length, 1_000_000)
  assert.ok(process.memoryUsage().rss - before < 150_000_000)
})
