import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { writeEvent } from '#base/sse.ts'
import { FrameWriter } from './frame_writer.ts'
import type { Passed } from './inspector.ts'
import type { StreamFrame } from './stream_frame.ts'
import { textAt, withTexts, type Path } from './text_place.ts'

const SEED = 20_270_322
const BAD = 'bad'

/** Finds one word, and takes it out. */
function inspectRest<T extends JsonValue>(value: T): Passed<T> {
  const written = JSON.stringify(value)
  if (!written.includes(BAD)) return { value, findings: [] }
  return { value: JSON.parse(written.replaceAll(BAD, '-')) as T, findings: ['found.bad'] }
}

type Frame = Pick<StreamFrame, 'event' | 'value' | 'texts'>

/** What `write` is to give, by the long way. */
function plainly({ event, value, texts }: Frame, released: readonly string[]): string {
  const empty = texts.map(({ path }) => ({ path, text: '' }))
  const { value: clean } = inspectRest(withTexts(value, empty))
  const full = texts.map(({ path }, at) => ({ path, text: released[at] ?? '' }))
  return writeEvent(event, JSON.stringify(withTexts(clean, full)))
}

function frameOf(value: JsonObject, ...paths: readonly Path[]): Frame {
  return { event: undefined, value, texts: paths.map((path) => ({ channel: path.join('.'), path })) }
}

test('write gives each frame as by the long way, whatever came before it', () => {
  const word = fc.constantFrom('a', '', ' ', BAD, '"', '\\', '\u{1f600}', '\ud83d', '\n')
  const name = fc.constantFrom('text', 'more', '0', '1', '__proto__')
  const value = fc.letrec<{ any: JsonValue }>((tie) => ({
    any: fc.oneof(
      { maxDepth: 3 },
      word,
      fc.constantFrom(null, true, 0, -0, 1),
      fc.dictionary(name, tie('any'), { maxKeys: 3, noNullPrototype: true }),
      fc.array(tie('any'), { maxLength: 2 }),
    ),
  })).any
  const drawn = fc.record({
    event: fc.constantFrom(undefined, 'one', 'two'),
    rest: value,
    text: word,
    released: word,
    path: fc.constantFrom<Path>(['list', 0, 'text'], ['rest'], ['list', 0]),
  })
  // Few different frames, so that alike ones follow each other.
  const frames = fc
    .uniqueArray(drawn, { minLength: 1, maxLength: 3 })
    .chain((few) => fc.array(fc.tuple(fc.constantFrom(...few), word), { maxLength: 12 }))
  fc.assert(
    fc.property(frames, (all) => {
      const writer = new FrameWriter(inspectRest, new Set())
      for (const [{ event, rest, text, path }, released] of all) {
        const whole: JsonObject = { list: [{ text, n: 1 }], rest }
        const frame = { ...frameOf(whole, path), event }
        assert.equal(writer.write(frame, [released]), plainly(frame, [released]))
      }
    }),
    { seed: SEED, numRuns: 2_000 },
  )
})

test('write inspects what is beside the text again as soon as it differs', () => {
  const PATH = ['text'] as const
  const rows: readonly (readonly [why: string, value: JsonObject, path?: Path, event?: string])[] = [
    ['another value', { text: 'x', id: 'b' }],
    ['another member', { text: 'x', id: 'a', more: 1 }],
    ['one member less', { text: 'x' }],
    ['another order', { id: 'a', text: 'x' }],
    ['another name', { text: 'x', ib: 'a' }],
    ['a list in the place of a text', { text: 'x', id: ['a'] }],
    ['another path', { text: 'x', id: 'a' }, ['id']],
    ['another event', { text: 'x', id: 'a' }, PATH, 'named'],
  ]
  for (const [why, value, path = PATH, event] of rows) {
    const seen: JsonValue[] = []
    const writer = new FrameWriter((rest) => {
      seen.push(rest)
      return { value: rest, findings: [] }
    }, new Set())
    for (const text of ['one', 'two', 'three']) void writer.write(frameOf({ text, id: 'a' }, PATH), [text])
    assert.equal(seen.length, 1, 'alike frames are inspected once')
    void writer.write({ ...frameOf(value, path), event }, ['four'])
    assert.equal(seen.length, 2, why)
  }
})

test('write looks at nothing but what differs in a frame of the same form: numbers, padding, ids', () => {
  const frame = (n: number, pad: string, text: string): Frame =>
    frameOf({ n, pad, id: 'a', list: [{ text, of: null }] }, ['list', 0, 'text'])
  const seen: JsonValue[] = []
  const findings = new Set<string>()
  const writer = new FrameWriter((rest) => {
    seen.push(rest)
    return inspectRest(rest)
  }, findings)
  const sent = [frame(1, 'xyz', 'one'), frame(2, 'xyz', 'two'), frame(3, 'x', 'three'), frame(1, 'xyz', '"')]
  assert.deepEqual(
    sent.map((one) => writer.write(one, ['out'])),
    sent.map((one) => plainly(one, ['out'])),
  )
  assert.deepEqual(seen.slice(1), [[2], [3, 'x']])
  // What is protected leaves by the side of no text, however many clean frames came before.
  assert.equal(
    writer.write(frame(4, `x${BAD}y`, 'four'), ['out']),
    'data: {"n":4,"pad":"x-y","id":"a","list":[{"text":"out","of":null}]}\n\n',
  )
  assert.deepEqual([...findings], ['found.bad'])
  assert.equal(writer.write(frame(5, 'xy', 'five'), ['']), plainly(frame(5, 'xy', ''), ['']))
})

test('write waits for an inspection that takes long, of what differs too', async () => {
  const findings = new Set<string>()
  const writer = new FrameWriter(
    (rest) =>
      JSON.stringify(rest).includes('long') ? Promise.resolve(inspectRest(rest)) : inspectRest(rest),
    findings,
  )
  const frame = (id: string): Frame => frameOf({ text: 'x', id }, ['text'])
  for (const id of ['a', 'long', `long ${BAD}`, 'b'])
    assert.equal(await writer.write(frame(id), ['out']), plainly(frame(id), ['out']))
  assert.deepEqual([...findings], ['found.bad'])
  const blocking = new FrameWriter((rest) => {
    if (!JSON.stringify(rest).includes(BAD)) return { value: rest, findings: [] }
    return Promise.reject(new Error('blocked'))
  }, findings)
  void blocking.write(frame('a'), ['out'])
  await assert.rejects(async () => blocking.write(frame(BAD), ['out']), /^Error: blocked$/)
})

test('write inspects each frame in which something was found once, and takes down what', () => {
  const findings = new Set<string>()
  let count = 0
  const writer = new FrameWriter((rest) => {
    count += 1
    return inspectRest(rest)
  }, findings)
  const frame = frameOf({ text: 'x', id: BAD }, ['text'])
  for (const text of ['one', BAD])
    assert.equal(writer.write(frame, [text]), `data: {"text":"${text}","id":"-"}\n\n`)
  assert.equal(count, 2)
  assert.deepEqual([...findings], ['found.bad'])
})

test('withTexts and textAt find the same places, and leave what is not there', () => {
  const value = { list: [{ text: 'a' }, 'b'], deep: { text: 'c' } }
  const rows: readonly (readonly [path: Path, found: string])[] = [
    [['list', 0, 'text'], 'a'],
    [['list', 1], 'b'],
    [['deep', 'text'], 'c'],
    [['deep', 'none'], ''],
    [['list', 2], ''],
    [['list', 'length'], ''],
    [['toString'], ''],
  ]
  for (const [path, found] of rows) {
    assert.equal(textAt(value, path), found)
    const changed = withTexts(value, [{ path, text: 'new' }])
    assert.equal(textAt(changed, path), found === '' ? '' : 'new')
    if (found === '') assert.equal(changed, value)
  }
})
