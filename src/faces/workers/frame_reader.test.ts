import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { FrameReader, HEADER_BYTES, MalformedFrame, textFrame } from './frame_reader.ts'

const SEED = 20_261_122

test(`FrameReader gives what was framed, however the bytes come: seed ${SEED}`, () => {
  const frames = fc.array(
    fc.record(
      { kind: fc.nat(255), id: fc.nat(0xff_ff_ff_ff), text: fc.string({ unit: 'grapheme' }) },
      { noNullPrototype: true },
    ),
  )
  fc.assert(
    fc.property(frames, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (given, sizes) => {
      const bytes = Buffer.concat(given.map(({ kind, id, text }) => textFrame(kind, id, text)))
      const reader = new FrameReader(10_000)
      const found = []
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = sizes[turn % sizes.length] ?? 1
        for (const { kind, id, payload } of reader.push(bytes.subarray(at, at + size)))
          found.push({ kind, id, text: payload.toString() })
        at += size
      }
      assert.deepEqual(found, given)
    }),
    { seed: SEED },
  )
})

test('FrameReader refuses a frame over the limit by its header alone: nothing is kept of it', () => {
  const header = textFrame(1, 1, 'x'.repeat(101)).subarray(0, HEADER_BYTES)
  assert.throws(() => [...new FrameReader(100).push(header)], MalformedFrame)
  assert.equal([...new FrameReader(101).push(textFrame(1, 1, 'x'.repeat(101)))].length, 1)
})
