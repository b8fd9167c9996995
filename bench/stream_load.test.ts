import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PacedLoad, StreamTrack } from './stream_load.ts'
import { frameText, StreamMock, wishIn, wordsOf, type Wish } from './stream_mock.ts'

const STREAM = 7
const frame = (at: number): string => frameText(STREAM, at)

test('StreamTrack counts what happened to frames', () => {
  const cases: readonly (readonly [why: string, pieces: readonly string[], expected: object])[] = [
    ['all came', [frame(0), frame(1), frame(2)], { received: 3, reordered: 0, repeated: 0, isWhole: true }],
    [
      'one at a time',
      (frame(0) + frame(1) + frame(2)).split(''),
      { received: 3, reordered: 0, repeated: 0, isWhole: true },
    ],
    ['one is lost', [frame(0), frame(2)], { received: 2, reordered: 0, repeated: 0, isWhole: false }],
    [
      'two are swapped',
      [frame(0), frame(2), frame(1)],
      { received: 3, reordered: 1, repeated: 0, isWhole: false },
    ],
    [
      'one came twice',
      [frame(0), frame(1), frame(1), frame(2)],
      { received: 3, reordered: 0, repeated: 1, isWhole: false },
    ],
    [
      'one of another stream',
      [frame(0), frameText(8, 1), frame(2)],
      { received: 2, reordered: 0, repeated: 0, isWhole: false },
    ],
    [
      'a word is another',
      [frame(0), frame(1).replace('warm', 'cold'), frame(2).replace('warm', 'cold')],
      { received: 3, reordered: 0, repeated: 0, isWhole: false },
    ],
  ]
  for (const [why, pieces, expected] of cases) {
    const track = new StreamTrack(STREAM, 3, () => 0)
    for (const piece of pieces) track.take(piece, 1)
    const { received, reordered, repeated } = track
    assert.deepEqual({ received, reordered, repeated, isWhole: track.isWhole(3) }, expected, why)
  }
})

test('StreamTrack times a frame twice: when its number came, and its last character', () => {
  const track = new StreamTrack(STREAM, 2, (at) => at * 20)
  assert.deepEqual(track.take(frame(0).slice(0, -1), 5), { numbers: [5], wholes: [] })
  assert.deepEqual(track.take(frame(0).slice(-1) + frame(1).slice(0, -1), 22), { numbers: [2], wholes: [22] })
  assert.deepEqual(track.take(frame(1).slice(-1), 50), { numbers: [], wholes: [30] })
})

test('wishIn reads what wordsOf wrote', () => {
  const wishes: readonly Wish[] = [
    { way: 'paced', stream: 12, frames: 150 },
    { way: 'silent' },
    { way: 'endless' },
  ]
  for (const wish of wishes)
    assert.deepEqual(wishIn(JSON.stringify({ messages: [{ role: 'user', content: wordsOf(wish) }] })), wish)
  assert.equal(wishIn('{"content":"good morning"}'), undefined)
})

test('PacedLoad loses nothing: straight from the provider', async () => {
  const mock = new StreamMock()
  const port = await mock.listen()
  const order = { port, headers: {}, models: ['mock'], pid: process.pid }
  const result = await new PacedLoad(
    { ...order, streams: 5, frames: 4, warmMs: 100, measureMs: 300 },
    mock,
  ).run()
  mock.close()
  assert.ok(result.streams >= 10)
  assert.equal(result.sent, result.streams * 4)
  const { received, lost, reordered, repeated, altered, failed } = result
  assert.deepEqual(
    { received, lost, reordered, repeated, altered, failed },
    { received: result.sent, lost: 0, reordered: 0, repeated: 0, altered: 0, failed: 0 },
    result.firstFailure ?? '',
  )
  assert.ok(result.firstTokenUs.p50 > 0 && result.frameUs.p99 >= result.frameUs.p50)
})

test('PacedLoad says what failed: nobody listens', async () => {
  const mock = new StreamMock()
  const port = await mock.listen()
  mock.close()
  const order = { port, headers: {}, models: ['mock'], pid: undefined }
  const result = await new PacedLoad(
    { ...order, streams: 1, frames: 1, warmMs: 0, measureMs: 50 },
    mock,
  ).run()
  assert.ok(result.failed > 0)
  assert.match(result.firstFailure ?? '', /ECONNREFUSED/)
})
