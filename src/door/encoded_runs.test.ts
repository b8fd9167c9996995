import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fillerOf } from '../../test/support/planted_secrets.ts'
import { encodedRuns, runAround } from './encoded_runs.ts'

const SEED = 20_261_122
const WORD = 'needle'
const SENTENCE = `a ${WORD} in a long enough text, é`

const NONE: readonly (readonly [why: string, text: string])[] = [
  ['a run that is too short', 'a'.repeat(31)],
  ['prose', 'Nothing hides here, not even with an é or a 50% share.'],
  ['random bytes', fillerOf(SEED)('{base64:20000}')],
  ['the empty text', ''],
]

for (const [why, text] of NONE) {
  test(`encodedRuns gives none: ${why}`, () => {
    assert.deepEqual(encodedRuns(text), [])
  })
}

const utf16 = (text: string): Buffer => Buffer.from(text, 'utf16le')
const DECODED: readonly (readonly [why: string, before: string, encoded: string, after: string])[] = [
  ['alone', '', Buffer.from(SENTENCE).toString('base64'), ''],
  ['in a URL of data', 'data:text/plain;base64,', Buffer.from(SENTENCE).toString('base64'), ''],
  ['in quotes', '{"data":"', Buffer.from(SENTENCE).toString('base64'), '"}'],
  ['of a URL', '?q=', Buffer.from(SENTENCE).toString('base64url'), '!'],
  ['UTF-16, little end first', ' ', utf16(SENTENCE).toString('base64'), ' '],
  ['UTF-16, big end first', ' ', utf16(SENTENCE).swap16().toString('base64'), ' '],
  [
    'among bytes',
    ' ',
    Buffer.concat([Buffer.alloc(300, 0xe9), Buffer.from(SENTENCE)]).toString('base64'),
    ' ',
  ],
]

for (const [why, before, encoded, after] of DECODED) {
  test(`encodedRuns decodes a long run of base 64, and gives all of it: ${why}`, () => {
    const [run, ...others] = encodedRuns(before + encoded + after)
    assert.deepEqual(others, [])
    assert.ok(run !== undefined)
    assert.ok(run.readings.some((reading) => reading.includes(WORD)))
    assert.deepEqual([run.start, run.end], [before.length, before.length + encoded.length])
  })
}

test('encodedRuns gives what reads as text only, not what stands among bytes by chance', () => {
  const bytes = Buffer.from([0xff, 0xd8, 0xff, 0x00])
  const image = Buffer.concat([
    bytes,
    Buffer.from(SENTENCE),
    bytes,
    Buffer.from('a@b.de'),
    bytes,
    bytes,
    bytes,
  ])
  const readings = encodedRuns(image.toString('base64')).flatMap((run) => run.readings)
  assert.ok(readings.some((reading) => reading.includes(WORD)))
  assert.ok(!readings.some((reading) => reading.includes('a@b.de')))
})

for (const before of ['x', 'xy', 'x/y', 'path/to', '--']) {
  test(`encodedRuns decodes a run behind letters of its alphabet: ${before}`, () => {
    const encoded = Buffer.from(SENTENCE).toString('base64')
    const readings = encodedRuns(before + encoded).flatMap((run) => run.readings)
    assert.ok(readings.some((reading) => reading.includes(WORD)))
  })
}

test('encodedRuns decodes each of several runs', () => {
  const encoded = (text: string): string => Buffer.from(text.padEnd(30)).toString('base64')
  const text = `${encoded('one')} some words between ${encoded('two')}, ${encoded('three')}`
  assert.deepEqual(
    encodedRuns(text).map(({ readings }) => readings[0]?.trim()),
    ['one', 'two', 'three'],
  )
})

test('runAround gives the run that a place belongs to, with its padding', () => {
  assert.deepEqual(runAround(`see "${'a'.repeat(40)}==" ok`, 20), { start: 5, end: 47 })
})
