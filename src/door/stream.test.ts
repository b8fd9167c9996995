import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { sha256Hex } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import type { FaultCode } from '#base/fault_table.ts'
import { isJsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { fillerOf } from '../../test/support/planted_secrets.ts'
import {
  frame,
  hear,
  scriptedStream,
  type Heard,
  type ScriptedStream,
} from '../../test/support/scripted_stream.ts'
import type { InspectionAction } from './detector.ts'
import { DETECTORS } from './detectors/all.ts'
import { Inspector } from './inspector.ts'
import { GuardedStream, type StreamEnd, type StreamParts } from './stream.ts'

const SEED = 20_270_301
const TOKEN = fillerOf(SEED)('ghp_{base62:30}{checksum:30}')
const MARK = '[redacted:credential.github]'
const ID = 'entry00000000001'

interface Scene {
  readonly stream: GuardedStream
  /** Each settling, with what had left by then. */
  readonly settled: { readonly end: StreamEnd; readonly written: string }[]
  /** Takes all that comes. */
  readonly read: () => Promise<Heard>
  readonly wire: () => string
}

interface Settings extends Partial<Pick<StreamParts, 'recheck' | 'recheckMs' | 'inspectRest'>> {
  readonly action?: InspectionAction
  readonly settles?: Fault
}

function scene({ answer }: ScriptedStream, settings: Settings = {}): Scene {
  const { action = 'redact', settles, ...parts } = settings
  const inspector = new Inspector({
    detectors: DETECTORS,
    actions: { request: () => 'pass', response: () => action },
    encoded: 'pass',
  })
  const settled: Scene['settled'] = []
  let wire = ''
  const stream = new GuardedStream({
    id: ID,
    answer,
    newGuard: () => inspector.guard(),
    inspectRest: (value) => inspector.inspect('response', 'all', value),
    recheck: () => undefined,
    settle: async (end) => {
      settled.push({ end, written: wire })
      return Promise.resolve(settles)
    },
    ...parts,
  })
  const read = async (): Promise<Heard> => {
    for await (const chunk of stream.chunks()) wire += chunk
    return hear(wire)
  }
  return { stream, settled, read, wire: () => wire }
}

/** The one settling that there must be. */
function endOf({ settled }: Scene): StreamEnd {
  assert.equal(settled.length, 1)
  const [first] = settled
  assert.ok(first !== undefined)
  return first.end
}

function codeOf(scene: Scene): FaultCode | 'ok' {
  return endOf(scene).fault?.code ?? 'ok'
}

test('chunks gives the frames in order, and the end behind them', async () => {
  const source = scriptedStream(
    frame({ a: 'Good ' }, [], { n: 1 }),
    frame({}, [], { n: 2 }),
    frame({ a: 'day' }, ['a']),
  )
  source.end()
  const open = scene(source)
  const heard = await open.read()
  assert.deepEqual(
    heard.values.map(({ n }) => n),
    [1, 2, undefined],
  )
  assert.deepEqual([heard.texts, heard.isEnded, heard.refused], [{ a: 'Good day' }, true, null])
  assert.deepEqual([codeOf(open), endOf(open).findings], ['ok', []])
})

test('chunks lets go of what is held before the frame that ends its channel, and not of others', async () => {
  const source = scriptedStream(
    frame({ a: 'see ghp_abc', b: 'and ghp_def' }),
    frame({}, ['a'], { n: 1 }),
    frame({ b: 'g' }, ['b'], { n: 2 }),
    frame({}, 'all', { n: 3 }),
  )
  source.end()
  const { values } = await scene(source).read()
  assert.deepEqual(values, [
    { texts: { a: 'see ', b: 'and ' } },
    { rest: 'a', texts: { a: 'ghp_abc' } },
    { n: 1, texts: {} },
    { n: 2, texts: { b: 'ghp_defg' } },
    { n: 3, texts: {} },
  ])
})

test('chunks lets go of all that is held when the frames end, even where none ends a channel', async () => {
  const source = scriptedStream(frame({ a: 'ghp_abc', b: 'ghp_def' }))
  source.end()
  const { texts, isEnded } = await scene(source).read()
  assert.deepEqual([texts, isEnded], [{ a: 'ghp_abc', b: 'ghp_def' }, true])
})

test('chunks redacts each channel by itself: pieces of others stand between those of a value', async () => {
  const channels = ['0.content', '0.reasoning', '1.content', '1.tool_calls.0.function.arguments']
  const source = scriptedStream()
  for (const letter of `take ${TOKEN}, thanks`)
    source.push(frame(Object.fromEntries(channels.map((channel) => [channel, letter]))))
  source.push(frame({}, 'all'))
  source.end()
  const open = scene(source)
  const { texts } = await open.read()
  assert.deepEqual(texts, Object.fromEntries(channels.map((channel) => [channel, `take ${MARK}, thanks`])))
  assert.deepEqual(endOf(open).findings, ['credential.github'])
})

test('chunks looks at what is no text of a channel whole, also in the frames that let go of a rest', async () => {
  const more = { id: TOKEN, list: [{ deep: `${TOKEN} twice` }] }
  const source = scriptedStream(frame({ a: 'hello' }, [], more))
  source.end()
  const { answer } = source
  const named = {
    ...answer,
    rest: (channel: string, text: string) => frame({ [channel]: text }, [], { id: TOKEN }),
  }
  const open = scene({ ...source, answer: named })
  const { values } = await open.read()
  assert.deepEqual(values, [
    { id: MARK, list: [{ deep: `${MARK} twice` }], texts: { a: '' } },
    { id: MARK, texts: { a: 'hello' } },
  ])
  assert.deepEqual(endOf(open).findings, ['credential.github'])
})

test('settle is told what was written, before the frame leaves that says that all is there', async () => {
  const source = scriptedStream(frame({ a: 'hello ' }), frame({}, 'all', { last: true }))
  source.end()
  const open = scene(source)
  const { isEnded, values } = await open.read()
  const [first] = open.settled
  assert.ok(isEnded && values.at(-1)?.['last'] === true && first !== undefined)
  assert.ok(first.written.includes('hello') && !first.written.includes('last'), first.written)
  assert.equal(first.end.content, sha256Hex(open.wire().replace('data: END\n\n', '')))
})

test('a settling that fails takes the place of the good end: neither the last frame nor the end leaves', async () => {
  const source = scriptedStream(frame({ a: 'hello ' }), frame({}, 'all', { last: true }))
  source.end()
  const open = scene(source, { settles: new Fault('ledger.unwritable') })
  const heard = await open.read()
  assert.deepEqual([heard.isEnded, heard.refused], [false, { code: 'ledger.unwritable', id: ID }])
  assert.ok(!open.wire().includes('last'))
  assert.equal(open.settled.length, 1)
})

const BLOCKED: readonly (readonly [where: string, frames: readonly ReturnType<typeof frame>[]])[] = [
  ['in one piece', [frame({ a: `now ${TOKEN} ` })]],
  ['in single letters', Array.from(`now ${TOKEN} `, (letter) => frame({ a: letter }))],
  [
    'at the end of its channel',
    [frame({ a: 'now ' }), frame({ a: TOKEN.slice(0, 20) }), frame({ a: TOKEN.slice(20) }, ['a'])],
  ],
  ['in the last frame', [frame({ a: `now ${TOKEN}` }), frame({}, 'all')]],
  ['where the frames end', [frame({ a: `now ${TOKEN}` })]],
  ['beside the texts', [frame({ a: 'now ' }), frame({ a: 'x' }, [], { name: TOKEN })]],
  [
    'in a channel among others',
    [frame({ b: 'fine ', a: 'now ' }), frame({ b: 'so far ', a: TOKEN }), frame({}, ['a'])],
  ],
]

for (const [where, frames] of BLOCKED) {
  test(`what is to block ends the stream in its own way, with nothing of it: ${where}`, async () => {
    const source = scriptedStream(...frames)
    source.end()
    const open = scene(source, { action: 'block' })
    const heard = await open.read()
    assert.deepEqual([heard.isEnded, heard.refused], [false, { code: 'content.blocked', id: ID }])
    assert.deepEqual([codeOf(open), endOf(open).findings], ['content.blocked', ['credential.github']])
    for (let at = 4; at < TOKEN.length; at += 1)
      assert.ok(!open.wire().includes(TOKEN.slice(at - 4, at)), open.wire())
    assert.ok(!open.settled[0]?.written.includes('refused'), 'settled before the refusal leaves')
    assert.ok(source.cancels() > 0)
  })
}

test('a fault of the upstream is told in place of what is still held', async () => {
  const source = scriptedStream(frame({ a: 'it is ghp_a' }), new Fault('upstream.failed', { reason: 'cut' }))
  const open = scene(source)
  const heard = await open.read()
  assert.deepEqual([heard.texts, heard.refused], [{ a: 'it is ' }, { code: 'upstream.failed', id: ID }])
  assert.deepEqual([codeOf(open), heard.isEnded], ['upstream.failed', false])
})

test('what throws without a fault is a bug of ours, and ends the stream too', async () => {
  const open = scene(scriptedStream(new TypeError('broken')))
  assert.deepEqual((await open.read()).refused, { code: 'internal.bug', id: ID })
  assert.equal(codeOf(open), 'internal.bug')
})

test('more channels than a client can put together end the stream', async () => {
  const source = scriptedStream()
  for (let at = 0; at <= LIMITS.streamChannels; at += 1) source.push(frame({ [`c${at}`]: '-' }))
  const open = scene(source)
  assert.deepEqual((await open.read()).refused, { code: 'upstream.invalid', id: ID })
  assert.equal(endOf(open).fault?.detail['reason'], 'channels')
})

test('a channel that has ended makes room for another', async () => {
  const source = scriptedStream()
  for (let at = 0; at <= LIMITS.streamChannels; at += 1) source.push(frame({ [`c${at}`]: '-' }, [`c${at}`]))
  source.end()
  assert.equal((await scene(source).read()).isEnded, true)
})

/** Passes until it is told not to. */
function key(): { readonly recheck: () => void; end: () => void } {
  let fault: Fault | undefined
  return {
    recheck: () => {
      if (fault !== undefined) throw fault
    },
    end: () => (fault = new Fault('caller.unknown', { reason: 'key.revoked' })),
  }
}

test('a recheck that fails cuts the stream while the upstream says nothing', async () => {
  const source = scriptedStream(frame({ a: 'hello ' }))
  const { recheck, end } = key()
  const open = scene(source, { recheck, recheckMs: 5 })
  const reading = open.read()
  end()
  const heard = await reading
  assert.deepEqual([heard.texts, heard.refused], [{ a: 'hello ' }, { code: 'caller.unknown', id: ID }])
  assert.equal(endOf(open).fault?.detail['reason'], 'key.revoked')
  assert.ok(source.cancels() > 0)
})

test('a recheck that fails while the reader is slow tells whoever waits for it; the next chunk is the refusal', async () => {
  const source = scriptedStream(frame({ a: 'one ' }), frame({ a: 'two ' }), frame({ a: 'three ' }))
  const { recheck, end } = key()
  const open = scene(source, { recheck, recheckMs: 5 })
  const { promise, resolve } = Promise.withResolvers<void>()
  open.stream.onCut(resolve)
  const chunks = open.stream.chunks()
  await chunks.next()
  end()
  await promise
  assert.deepEqual(hear(String((await chunks.next()).value)).refused, { code: 'caller.unknown', id: ID })
  assert.equal((await chunks.next()).done, true)
  assert.equal(codeOf(open), 'caller.unknown')
})

test('a reader that leaves after the cut did not end the stream: the cut did', async () => {
  const { recheck, end } = key()
  const open = scene(scriptedStream(frame({ a: 'one ' })), { recheck, recheckMs: 5 })
  const { promise, resolve } = Promise.withResolvers<void>()
  open.stream.onCut(resolve)
  const chunks = open.stream.chunks()
  await chunks.next()
  end()
  await promise
  await chunks.return()
  assert.equal(codeOf(open), 'caller.unknown')
})

test('a recheck that fails only when the outcome is told cuts nothing: all that is on record leaves', async () => {
  const source = scriptedStream(frame({ a: 'all of it' }), frame({}, 'all'))
  source.end()
  const asked = Promise.withResolvers<void>()
  const { promise, reject } = Promise.withResolvers<never>()
  const recheck = async (): Promise<never> => {
    asked.resolve()
    return await promise
  }
  const open = scene(source, { recheck, recheckMs: 1 })
  let cuts = 0
  open.stream.onCut(() => (cuts += 1))
  const chunks = open.stream.chunks()
  await chunks.next()
  await asked.promise
  const { value } = await chunks.next()
  assert.equal(codeOf(open), 'ok')
  reject(new Fault('caller.unknown', { reason: 'key.revoked' }))
  await assert.rejects(promise)
  await new Promise((done) => void setImmediate(done))
  assert.equal(cuts, 0)
  assert.equal(hear(String(value)).isEnded, true)
  assert.equal((await chunks.next()).done, true)
})

test('nothing is rechecked once the outcome is told', async () => {
  const source = scriptedStream(frame({}, 'all'))
  source.end()
  let rechecks = 0
  const open = scene(source, { recheck: () => (rechecks += 1), recheckMs: 1 })
  const chunks = open.stream.chunks()
  await chunks.next()
  assert.equal(open.settled.length, 1)
  const until = rechecks
  await new Promise((resolve) => setTimeout(resolve, 10))
  assert.equal(rechecks, until)
  await chunks.return()
  assert.equal(codeOf(open), 'ok')
})

test('a reader that stops ends the exchange, and it is settled once as aborted', async () => {
  const source = scriptedStream(frame({ a: 'one ' }), frame({ a: 'two ' }))
  const open = scene(source)
  for await (const chunk of open.stream.chunks()) {
    assert.match(chunk, /one/)
    break
  }
  assert.deepEqual([codeOf(open), endOf(open).fault?.detail['reason']], ['input.aborted', 'caller.gone'])
  assert.ok(source.cancels() > 0)
  assert.equal(source.asked(), 1)
})

test('abort ends the exchange while a chunk is waited for, and before the first is asked for', async () => {
  for (const isEarly of [false, true]) {
    const source = scriptedStream()
    const open = scene(source)
    if (isEarly) open.stream.abort()
    const reading = open.read()
    open.stream.abort()
    await reading
    assert.deepEqual([codeOf(open), endOf(open).fault?.detail['reason']], ['input.aborted', 'caller.gone'])
    assert.equal(source.asked(), isEarly ? 0 : 1)
  }
})

test('the upstream is asked for a frame only when the one before has been taken', async () => {
  const source = scriptedStream(frame({ a: 'one ' }), frame({ a: 'two ' }), frame({ a: 'three ' }))
  const chunks = scene(source).stream.chunks()
  for (const asked of [1, 2, 3]) {
    await chunks.next()
    assert.equal(source.asked(), asked)
  }
  await chunks.return()
})

const WORDS = fc.constantFrom(
  'the ',
  'port=1433; ',
  '%10 ',
  'sk-',
  'AKIA',
  'weather',
  '\u{1f600}',
  ' is\n',
  'ghp_',
  'é',
  '  ',
  '"{',
  '-----BEGIN ',
  '1',
)
const CHANNEL = fc.constantFrom('a', 'b', 'c')
const FRAMES = fc.array(
  fc.record({
    texts: fc.dictionary(
      CHANNEL,
      fc.array(WORDS, { maxLength: 4 }).map((words) => words.join('')),
      { maxKeys: 3 },
    ),
    ends: fc.uniqueArray(CHANNEL, { maxLength: 2 }),
    isSlow: fc.boolean(),
  }),
  { maxLength: 20 },
)

test('chunks keeps the order of any frames and loses nothing, whatever is held and however slow inspection is', async () => {
  await fc.assert(
    fc.asyncProperty(FRAMES, async (drawn) => {
      const over = new Set<string>()
      const said: Record<string, string> = {}
      const saidAt: { readonly ends: readonly string[]; readonly said: Readonly<Record<string, string>> }[] =
        []
      const source = scriptedStream()
      for (const [n, { texts, ends, isSlow }] of drawn.entries()) {
        const open = Object.fromEntries(Object.entries(texts).filter(([channel]) => !over.has(channel)))
        for (const [channel, text] of Object.entries(open)) said[channel] = (said[channel] ?? '') + text
        for (const channel of ends) over.add(channel)
        source.push(frame(open, ends, { n, isSlow }))
        saidAt.push({ ends, said: { ...said } })
      }
      source.end()
      const inspectRest = <T extends JsonValue>(value: T) => {
        const passed = { value, findings: [] }
        return isJsonObject(value) && value['isSlow'] === true ? Promise.resolve(passed) : passed
      }
      const open = scene(source, { inspectRest })
      const heard = await open.read()
      assert.deepEqual(heard.texts, {
        ...Object.fromEntries(Object.keys(heard.texts).map((name) => [name, ''])),
        ...said,
      })
      const own = heard.values.filter(({ n }) => n !== undefined)
      assert.deepEqual(
        own.map(({ n }) => n),
        drawn.map((_, n) => n),
      )
      for (const [n, { ends, said: soFar }] of saidAt.entries()) {
        const until = heard.values.slice(0, heard.values.findIndex((value) => value['n'] === n) + 1)
        for (const channel of ends) {
          const text = until
            .map((value) => (value['texts'] as Record<string, string>)[channel] ?? '')
            .join('')
          assert.equal(text, soFar[channel] ?? '')
        }
      }
    }),
    { seed: SEED, numRuns: 300 },
  )
})

test('chunks copies a frame once, however many texts are in it', async () => {
  const texts = Object.fromEntries(
    Array.from({ length: LIMITS.streamChannels }, (_, at) => [`t${String(at)}`, 'a word ']),
  )
  const source = scriptedStream(...Array.from({ length: 4 }, () => frame(texts)), frame({}, 'all'))
  source.end()
  const startedAt = performance.now()
  const { texts: heard } = await scene(source).read()
  assert.equal(heard['t4095'], 'a word '.repeat(4))
  // A copy for each text of each frame takes many seconds.
  assert.ok(performance.now() - startedAt < 3_000)
})

test('chunks puts the texts of a frame in their places, in lists and objects inside each other', async () => {
  const value = { list: [{ text: 'a' }, { text: 'b', kept: 1 }, 'c'], text: 'd', gone: {} }
  const source = scriptedStream({
    event: undefined,
    value: { ...value, texts: {} },
    texts: [
      { channel: 'one', path: ['list', 0, 'text'] },
      { channel: 'two', path: ['list', 1, 'text'] },
      { channel: 'three', path: ['text'] },
      { channel: 'four', path: ['gone', 'text'] },
    ],
    ends: 'all',
  })
  source.end()
  const { values } = await scene(source).read()
  assert.deepEqual(values, [{ ...value, texts: {} }])
})
