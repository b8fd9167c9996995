import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { LIMITS } from './limits.ts'
import { EventReader, writeEvent, type ServerSentEvent } from './sse.ts'

const SEED = 20_270_219

function read(...pieces: readonly Uint8Array[]): { events: ServerSentEvent[]; isCut: boolean } {
  const reader = new EventReader()
  const events = pieces.flatMap((piece) => reader.push(piece))
  return { events, isCut: reader.end().isCut }
}

const named = (event: string | undefined, data: string): ServerSentEvent => ({ event, data })
const plain = (...data: readonly string[]): ServerSentEvent[] => data.map((one) => named(undefined, one))

type Row = readonly [why: string, stream: string, events: readonly ServerSentEvent[], isCut?: true]

const STREAMS: readonly Row[] = [
  ['nothing', '', []],
  ['line feeds', 'data: a\n\ndata: b\n\n', plain('a', 'b')],
  ['carriage returns', 'data: a\r\rdata: b\r\r', plain('a', 'b')],
  ['both', 'data: a\r\n\r\ndata: b\r\n\r\n', plain('a', 'b')],
  ['a mixture', 'data: a\r\n\rdata: b\n\r\ndata: c\r\n\ndata: d\n\r', plain('a', 'b', 'c', 'd')],
  ['a byte order mark', '\u{feff}data: a\n\n', plain('a')],
  ['a second byte order mark is part of a name', '\u{feff}\u{feff}data: a\n\ndata: b\n\n', plain('b')],
  ['a byte order mark inside', 'data: a\u{feff}b\n\n', plain('a\u{feff}b')],
  ['a name', 'event: e\ndata: a\n\ndata: b\n\n', [named('e', 'a'), named(undefined, 'b')]],
  ['the last of two names', 'event: e\nevent: f\ndata: a\n\n', [named('f', 'a')]],
  ['a name taken back', 'event: e\nevent\ndata: a\n\n', plain('a')],
  ['a name behind the data', 'data: a\nevent: e\n\n', [named('e', 'a')]],
  ['a name without data: no event, and none for the next', 'event: e\n\ndata: a\n\n', plain('a')],
  ['several lines', 'data: a\ndata\ndata: b\ndata:\n\n', plain('a\n\nb\n')],
  ['empty data', 'data\n\ndata:\n\ndata: \n\n', plain('', '', '')],
  ['one space is not part of the value', 'data:a\n\ndata:  a\n\ndata:\ta\n\n', plain('a', ' a', '\ta')],
  ['comments', ': a\n:\n:data: x\ndata: a\n: b\n\n: c\n\n', plain('a')],
  ['id, retry and unknown fields', 'id: 1\nretry: 5\nother: x\nData: y\n data: z\ndata: a\n\n', plain('a')],
  ['colons', 'data: a: b\n\ndata::\n\n', plain('a: b', ':')],
  ['empty lines', '\n\n\r\n\rdata: a\n\n\n\n', plain('a')],
  ['all of Unicode', 'data: é€😀\u{2028}\u{85}\n\n', plain('é€😀\u{2028}\u{85}')],
  ['a null character', 'data: a\0b\n\n', plain('a\0b')],
  ['an event without its empty line', 'data: a\n\ndata: b\n', plain('a'), true],
  ['a line without its end', 'data: a\n\ndata: b', plain('a'), true],
  ['a field without a value and its end', 'data: a\n\nd', plain('a'), true],
  ['a name alone', 'event: e\n', [], true],
  ['a comment without its end', 'data: a\n\n: b', plain('a'), true],
  ['a comment at the end', 'data: a\n\n: b\n', plain('a')],
]

for (const [why, stream, events, isCut = false] of STREAMS) {
  test(`EventReader reads, in one piece, in single bytes and split at every place: ${why}`, () => {
    const bytes = Buffer.from(stream)
    const expected = { events: [...events], isCut }
    assert.deepEqual(read(bytes), expected)
    assert.deepEqual(read(...Array.from(bytes, (byte) => Uint8Array.of(byte))), expected)
    for (let at = 0; at <= bytes.length; at++)
      assert.deepEqual(read(bytes.subarray(0, at), bytes.subarray(at)), expected, `split at ${at}`)
  })
}

test('EventReader gives an event as soon as its empty line is there: also behind a carriage return', () => {
  const reader = new EventReader()
  assert.deepEqual(reader.push(Buffer.from('data: a\r')), [])
  assert.deepEqual(reader.push(Buffer.from('\n\r')), plain('a'))
  assert.deepEqual(reader.push(Buffer.from('\n')), [])
  assert.deepEqual(reader.push(Buffer.from('data: b\n\n')), plain('b'))
})

test('EventReader calls a stream cut that ends in a character', () => {
  const bytes = Buffer.from('data: a\n\n😀')
  assert.deepEqual(read(bytes.subarray(0, -1)), { events: plain('a'), isCut: true })
  const alone = new EventReader()
  assert.deepEqual(alone.push(bytes.subarray(-4, -3)), [])
  assert.deepEqual(alone.end(), { isCut: true })
})

const NOT_UTF8: readonly (readonly [why: string, bytes: readonly number[]])[] = [
  ['a byte that never stands', [0xff]],
  ['a lone continuation', [0x80]],
  ['an overlong form', [0xc0, 0xaf]],
  ['a surrogate', [0xed, 0xa0, 0x80]],
  ['beyond the last character', [0xf4, 0x90, 0x80, 0x80]],
  ['a character that breaks off', [0xe2, 0x82, 0x0a]],
]

for (const [why, bad] of NOT_UTF8) {
  test(`EventReader refuses what is not UTF-8, in one piece and in single bytes: ${why}`, () => {
    const bytes = Buffer.concat([Buffer.from('data: a'), Uint8Array.from(bad), Buffer.from('\n\n')])
    assert.throws(() => read(bytes), { code: 'upstream.invalid' })
    assert.throws(() => read(...Array.from(bytes, (byte) => Uint8Array.of(byte))), {
      code: 'upstream.invalid',
    })
  })
}

const LONG = 'x'.repeat(LIMITS.eventCharacters / 8)

test('EventReader bounds an event: one line, many lines, a name, an unfinished line', () => {
  const fits = new EventReader()
  for (let part = 0; part < 7; part++)
    assert.deepEqual(fits.push(Buffer.from(part === 0 ? `data:${LONG}` : LONG)), [])
  const [event] = fits.push(Buffer.from('\n\n'))
  assert.equal(event?.data.length, 7 * LONG.length)

  for (const [before, each] of [
    ['data: ', LONG],
    ['', `data: ${LONG}\n`],
    ['', `data: ${LONG.slice(9)}\n`],
    ['event: ', LONG],
    [': ', LONG],
    ['x', LONG],
  ] as const) {
    const reader = new EventReader()
    reader.push(Buffer.from(before))
    assert.throws(
      () => {
        for (let part = 0; part < 9; part++) reader.push(Buffer.from(each))
      },
      { code: 'upstream.oversized' },
    )
  }
})

test('EventReader bounds events, not streams: comments and events that have ended count for nothing', () => {
  const reader = new EventReader()
  for (let part = 0; part < 20; part++)
    assert.equal(reader.push(Buffer.from(`: ${LONG}\ndata: ${LONG}\n\n`)).length, 1)
})

test('writeEvent writes what a reader reads: names, lines, nothing at all', () => {
  assert.equal(writeEvent(undefined, '{}'), 'data: {}\n\n')
  assert.equal(writeEvent('e', 'a\nb\r\nc\rd'), 'event: e\ndata: a\ndata: b\ndata: c\ndata: d\n\n')
  assert.equal(writeEvent(undefined, ''), 'data: \n\n')
  for (const name of ['a\nb', 'a\rdata: x', '\n']) assert.throws(() => writeEvent(name, ''), TypeError)
})

test('EventReader gives what writeEvent wrote, however it is cut', () => {
  const text = fc.string({ unit: fc.constantFrom('a', ':', ' ', '\n', 'é', '😀', '"', 'data', '\u{feff}') })
  const name = fc.string({ unit: fc.constantFrom('a', ':', ' ', 'é', '.'), minLength: 1 })
  fc.assert(
    fc.property(
      fc.array(
        fc.tuple(fc.option(name, { nil: undefined }), text).map(([event, data]) => named(event, data)),
      ),
      fc.infiniteStream(fc.integer({ min: 1, max: 9 })),
      (events, sizes) => {
        const bytes = Buffer.from(events.map(({ event, data }) => writeEvent(event, data)).join(''))
        const pieces: Uint8Array[] = []
        for (let at = 0; at < bytes.length;) {
          const size = sizes.next().value
          pieces.push(bytes.subarray(at, at + size))
          at += size
        }
        assert.deepEqual(read(...pieces), { events, isCut: false })
      },
    ),
    { seed: SEED, numRuns: 500 },
  )
})

test('EventReader reads any bytes the same however they are cut, or refuses them', () => {
  const byte = fc.oneof(
    fc.constantFrom(...Buffer.from('data:event: \n\r\n\n')),
    fc.constantFrom(...Buffer.from('é€😀\u{feff}')),
    fc.integer({ min: 0, max: 255 }),
  )
  const outcome = (pieces: readonly Uint8Array[]): unknown => {
    try {
      return read(...pieces)
    } catch (thrown) {
      return (thrown as { code: string }).code
    }
  }
  fc.assert(
    fc.property(fc.array(byte, { maxLength: 60 }), fc.nat({ max: 60 }), fc.nat({ max: 60 }), (list, a, b) => {
      const bytes = Uint8Array.from(list)
      const [from, to] = [Math.min(a, b), Math.max(a, b)]
      const cut = outcome([bytes.subarray(0, from), bytes.subarray(from, to), bytes.subarray(to)])
      assert.deepEqual(cut, outcome([bytes]))
    }),
    { seed: SEED, numRuns: 2_000 },
  )
})
