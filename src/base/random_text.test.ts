import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { fillerOf } from '../../test/support/planted_secrets.ts'
import {
  ALPHANUMERIC,
  BASE64,
  BASE64URL,
  CLASS,
  classAt,
  endOfRun,
  looksRandom,
  RandomStretches,
} from './random_text.ts'

const SEED = 11
const fill = fillerOf(SEED)

const RANDOM_FORMS: readonly (readonly [form: string, mostMissed: number])[] = [
  ['{base62:20}', 3],
  ['{base64url:35}', 1],
  ['{base62:48}', 0],
  ['{base64:86}', 0],
  ['{hex:32}', 3],
  ['{hex:64}', 0],
  ['{base36:32}', 5],
]

for (const [form, mostMissed] of RANDOM_FORMS) {
  test(`looksRandom holds for random text: ${form}`, () => {
    let missed = 0
    for (let round = 0; round < 2_000; round++) {
      const text = fill(form)
      if (!looksRandom(text, 0, text.length)) missed += 1
    }
    assert.ok(missed <= mostMissed, `missed ${missed} of 2,000`)
  })
}

const MADE_BY_PEOPLE = [
  'xxxxxxxxxxxxxxxxxxxxxxxxxxxx',
  'abcdefghijklmnopqrstuvwxyz0123456789',
  '1234567890123456789012345678901234567890',
  'this-is-not-a-real-key-at-all-just-words',
  'your-Api-Key-1-goes-In-2-here-3-Please-4',
  'ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGH',
  'aB1aB1aB1aB1aB1aB1aB1aB1aB1',
  'A1b2C3d4EXAMPLEe5F6g7H8i9J0k',
]

for (const text of MADE_BY_PEOPLE) {
  test(`looksRandom does not hold for: ${text}`, () => {
    assert.equal(looksRandom(text, 0, text.length), false)
  })
}

test('looksRandom looks only at its stretch', () => {
  const secret = fill('{base62:40}')
  const text = `EXAMPLE ${secret} xxxxxxxxxx`
  assert.equal(looksRandom(text, 8, 48), true)
  assert.equal(looksRandom(text, 0, 48), false)
})

test('RandomStretches says of each of many stretches what looksRandom says of it alone', () => {
  const piece = fc.oneof(
    fc.constantFrom('sk-', 'ghs_', 'xxxxx', 'EXAMPLE', 'your-', 'abcdef', 'aA', '語', ' '),
    fc.stringMatching(/^[0-9A-Za-z]{1,30}$/),
  )
  const next = fc.tuple(fc.nat(20), fc.integer({ min: 1, max: 90 }))
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.array(next, { maxLength: 40 }), (pieces, steps) => {
      const text = pieces.join('')
      const stretches = new RandomStretches(text)
      let start = 0
      for (const [step, length] of steps) {
        start += step
        const end = Math.min(text.length, start + length)
        if (start >= end) return
        assert.equal(stretches.looksRandom(start, end), looksRandom(text, start, end), text.slice(start, end))
      }
    }),
    { seed: SEED, numRuns: 2_000 },
  )
})

test('endOfRun stops at the first character of another class and at the end', () => {
  assert.equal(endOfRun('abc-DEF_9+', 0, ALPHANUMERIC), 3)
  assert.equal(endOfRun('abc-DEF_9+', 0, BASE64URL), 9)
  assert.equal(endOfRun('abc/+9', 0, BASE64), 6)
  assert.equal(endOfRun('aé', 0, BASE64), 1)
  assert.equal(endOfRun('-', 0, CLASS.digit), 0)
})

test('classAt is 0 outside the text and outside ASCII', () => {
  assert.deepEqual([classAt('a', -1), classAt('a', 1), classAt('語', 0), classAt('\u007f', 0)], [0, 0, 0, 0])
  assert.deepEqual(
    [classAt('~', 0), classAt('=', 0), classAt('.', 0)],
    [CLASS.tilde, CLASS.equals, CLASS.dot],
  )
})
