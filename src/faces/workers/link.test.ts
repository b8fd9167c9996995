import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { test, type TestContext } from 'node:test'
import { Fault } from '#base/fault.ts'
import { textFrame } from './frame_reader.ts'
import { Link, type Answers, type Forms } from './link.ts'

type Questions = {
  readonly double: { readonly ask: number; readonly answer: number }
  readonly refuse: { readonly ask: null; readonly answer: null }
  readonly hear: { readonly ask: string; readonly answer: void }
  readonly never: { readonly ask: null; readonly answer: null }
}

const LIMITS = { frameBytes: 1_000, waitingBytes: 5_000, asks: 3 }

interface Pair {
  readonly here: Link<Questions, Questions>
  readonly heard: string[]
  readonly ends: string[]
  /** What goes from here to there, and back. */
  readonly there: PassThrough
  readonly back: PassThrough
  readonly writes: () => number
}

function pair(t: TestContext, forms?: Forms<Questions, Questions>): Pair {
  const [there, back] = [new PassThrough(), new PassThrough()]
  const [heard, ends]: [string[], string[]] = [[], []]
  let writes = 0
  const write = there.write.bind(there)
  t.mock.method(there, 'write', (bytes: Buffer, done: () => void) => {
    writes += 1
    return write(bytes, done)
  })
  const answers: Answers<Questions> = {
    double: async (value) => Promise.resolve(2 * value),
    refuse: () => {
      throw new Fault('limit.exceeded', { limit: 7 }, { say: 'No more.', retryAfterSeconds: 3 })
    },
    hear: (text) => void heard.push(text),
    never: async () => new Promise(() => undefined),
  }
  const here = new Link<Questions, Questions>({
    input: back,
    output: there,
    answers,
    limits: LIMITS,
    onEnd: (reason) => ends.push(`here: ${reason}`),
    forms,
  })
  const other = new Link<Questions, Questions>({
    input: there,
    output: back,
    answers,
    limits: LIMITS,
    onEnd: (reason) => ends.push(`there: ${reason}`),
  })
  assert.equal(other.isOver, false)
  return { here, heard, ends, there, back, writes: () => writes }
}

const turn = async (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

test('ask gives the answer of the other side, or throws its fault with all that it says', async (t) => {
  const { here } = pair(t)
  assert.equal(await here.ask('double', 21), 42)
  await assert.rejects(here.ask('refuse', null), (thrown) => {
    assert.ok(thrown instanceof Fault)
    const { code, detail, say, retryAfterSeconds } = thrown
    assert.deepEqual(
      { code, detail, say, retryAfterSeconds },
      { code: 'limit.exceeded', detail: { limit: 7 }, say: 'No more.', retryAfterSeconds: 3 },
    )
    return true
  })
})

test('what is sent in one turn is one write, in its order', async (t) => {
  const { here, writes } = pair(t)
  const answers = await Promise.all([here.ask('double', 1), here.ask('double', 2), here.ask('double', 3)])
  assert.deepEqual(answers, [2, 4, 6])
  assert.equal(writes(), 1)
})

test('sent resolves when what was told has left, with all of its turn in one write: an answer follows its outcome', async (t) => {
  const { here, writes, heard } = pair(t)
  await here.sent()
  here.tell('hear', 'a')
  const asked = here.ask('double', 1)
  here.tell('hear', 'b')
  await Promise.resolve()
  assert.equal(writes(), 0)
  await here.sent()
  assert.equal(writes(), 1)
  await asked
  assert.deepEqual(heard, ['a', 'b'])
})

test('sent waits as long as the other side takes nothing', async (t) => {
  const { here, there } = pair(t)
  const { promise: taken, resolve: take } = Promise.withResolvers<void>()
  t.mock.method(
    there,
    '_write',
    (_bytes: Buffer, _encoding: string, done: () => void) => void taken.then(done),
  )
  here.tell('hear', 'a')
  let hasLeft = false
  const sent = here.sent().then(() => (hasLeft = true))
  await turn()
  await turn()
  assert.equal(hasLeft, false)
  take()
  await sent
})

test('sent throws where the channel ended before what was told could leave, and ever after', async (t) => {
  const { here, back } = pair(t)
  here.tell('hear', 'in time')
  await here.sent()
  here.tell('hear', 'too late')
  const sent = here.sent()
  back.destroy()
  await assert.rejects(sent, (thrown) => thrown instanceof Fault && thrown.code === 'ledger.unwritable')
  await assert.rejects(
    here.sent(),
    (thrown) => thrown instanceof Fault && thrown.code === 'ledger.unwritable',
  )
})

const MALFORMED: readonly (readonly [why: string, bytes: Buffer])[] = [
  ['a frame that is too long', textFrame(1, 1, 'x'.repeat(1_001))],
  ['a kind that nobody knows', textFrame(9, 1, '["double",1]')],
  ['no JSON', textFrame(1, 1, '{')],
  ['no name', textFrame(1, 1, '{}')],
  ['a name that nobody knows', textFrame(1, 1, '["toString",1]')],
  ['an answer to nothing', textFrame(2, 77, '1')],
]

for (const [why, bytes] of MALFORMED) {
  test(`a malformed frame ends the channel on both sides: ${why}`, async (t) => {
    const { here, ends, there } = pair(t)
    const waiting = here.ask('never', null)
    await turn()
    there.write(bytes)
    await assert.rejects(waiting, (thrown) => thrown instanceof Fault && thrown.code === 'ledger.unwritable')
    assert.equal(ends.length, 2)
    assert.ok(here.isOver)
    await assert.rejects(here.ask('double', 1), (thrown) => thrown instanceof Fault)
  })
}

test('ask refuses beyond its limit: whoever asks waits, and nobody waits without end', async (t) => {
  const { here } = pair(t)
  const waiting = [1, 2, 3].map(() => here.ask('never', null).catch(() => undefined))
  await assert.rejects(
    here.ask('never', null),
    (thrown) => thrown instanceof Fault && thrown.code === 'load.exceeded',
  )
  here.close()
  await Promise.all(waiting)
})

test('a side that asks more than it may wait for ends the channel: what is asked has a limit too', async (t) => {
  const { there, ends } = pair(t)
  for (let at = 1; at <= LIMITS.asks; at++) there.write(textFrame(1, at, '["never",null]'))
  await turn()
  assert.equal(ends.length, 0)
  there.write(textFrame(1, LIMITS.asks + 1, '["never",null]'))
  await turn()
  assert.ok(ends.includes('there: too many questions'))
})

test('nothing is taken behind what ended the channel', async (t) => {
  const { there, ends, heard } = pair(t)
  there.write(Buffer.concat([textFrame(4, 0, '["refuse",null]'), textFrame(4, 0, '["hear","too late"]')]))
  await turn()
  assert.ok(ends.includes('there: what was told could not be taken'))
  assert.deepEqual(heard, [])
})

test('a side that takes nothing ends the channel: what waits for it has a limit', async (t) => {
  const { here, there, ends } = pair(t)
  there.removeAllListeners('data').pause()
  for (let at = 0; at < 100 && !here.isOver; at++) {
    here.tell('hear', 'x'.repeat(900))
    await turn()
  }
  assert.ok(here.isOver)
  assert.ok(ends.includes('here: the other side takes nothing'))
})

test('close lets leave what was sent before', async (t) => {
  const { here, heard, ends } = pair(t)
  here.tell('hear', 'the last word')
  here.close()
  await turn()
  await turn()
  assert.deepEqual(heard, ['the last word'])
  assert.ok(ends.includes('there: the other side is gone'))
})

const isNumber = (value: unknown): boolean => typeof value === 'number'
const FORMS: Forms<Questions, Questions> = {
  asks: {
    double: isNumber,
    refuse: () => true,
    hear: (value) => typeof value === 'string',
    never: () => true,
  },
  answers: { double: isNumber, refuse: () => true, hear: () => true, never: (value) => value === null },
}

const OF_ANOTHER_FORM: readonly (readonly [why: string, frame: Buffer, reason: string])[] = [
  ['a question', textFrame(1, 1, '["double","x"]'), 'a question of double of another form'],
  ['what is told', textFrame(4, 0, '["hear",null]'), 'a question of hear of another form'],
  ['an answer', textFrame(2, 1, '"x"'), 'an answer to never of another form'],
  ['an answer that is no JSON', textFrame(2, 1, 'a secret'), 'a malformed frame'],
  ['a fault', textFrame(3, 1, 'null'), 'a fault of another form'],
  ['a fault without a code', textFrame(3, 1, '{"detail":{}}'), 'a fault of another form'],
]

for (const [why, frame, reason] of OF_ANOTHER_FORM)
  test(`what is of another form than a side takes ends the channel, and whoever waits is told so: ${why}`, async (t) => {
    const { here, back, ends } = pair(t, FORMS)
    const waiting = here.ask('never', null)
    await turn()
    back.write(frame)
    await assert.rejects(waiting, (thrown) => thrown instanceof Fault && thrown.code === 'ledger.unwritable')
    assert.ok(ends.includes(`here: ${reason}`), ends.join())
  })

test('what is of the form passes, and each word of the other side is heard', async (t) => {
  const { here, heard } = pair(t, FORMS)
  const before = here.heard
  assert.equal(await here.ask('double', 2), 4)
  assert.ok(here.heard > before)
  here.tell('hear', 'a')
  await here.sent()
  await turn()
  assert.deepEqual(heard, ['a'])
})

test('giveUp ends the channel at once, for whoever waits too', async (t) => {
  const { here, ends } = pair(t)
  const waiting = here.ask('never', null)
  here.giveUp('enough')
  await assert.rejects(waiting, (thrown) => thrown instanceof Fault && thrown.code === 'ledger.unwritable')
  assert.ok(here.isOver && ends.includes('here: enough'))
})
