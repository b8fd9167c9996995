import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readDer } from './der.ts'

function read(hex: string): readonly (readonly [tag: number, content: string])[] {
  return readDer(Buffer.from(hex, 'hex')).map(({ tag, content }) => [
    tag,
    Buffer.from(content).toString('hex'),
  ])
}

test('readDer reads elements one after the other', () => {
  assert.deepEqual(read(''), [])
  assert.deepEqual(read('0500020105'), [
    [0x05, ''],
    [0x02, '05'],
  ])
  const long = 'ab'.repeat(200)
  assert.deepEqual(read(`0481c8${long}`), [[0x04, long]])
  const longer = 'cd'.repeat(300)
  assert.deepEqual(read(`0482012c${longer}`), [[0x04, longer]])
})

test('readDer refuses what is not DER', () => {
  const cases: readonly (readonly [why: string, hex: string])[] = [
    ['no length', '30'],
    ['too short', '300201'],
    ['an indefinite length', '30800000'],
    ['a length of too many bytes', '308500000000010000'],
    ['a long form for a short length', `30817f${'00'.repeat(127)}`],
    ['a length with a zero before it', `30820080${'00'.repeat(128)}`],
    ['a length that is cut', '3082'],
    ['a long tag', '1f0100'],
  ]
  for (const [why, hex] of cases) assert.throws(() => read(hex), RangeError, why)
})
