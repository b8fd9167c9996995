import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import type { EntryDraft, Receipt } from '#base/recorder.ts'
import { Limiter } from '#door/limits/limiter.ts'
import { PriceTable } from '#door/limits/prices.ts'
import { Desk } from './desk.ts'
import type { SentAsked } from './messages.ts'
import { RemoteLimits } from './remote_limits.ts'

const CLOCK = { now: () => 1_795_000_000_000, monotonic: () => 0 }
const RECEIPT: Receipt = { origin: 'log', index: 7, leafHash: new Uint8Array([1, 2]) }

/** A ledger that the test lets write. */
class Scene {
  readonly entries: EntryDraft[] = []
  /** Resolved for the entries to come to the disk. */
  disk: Promise<void> = Promise.resolve()
  readonly limiter = new Limiter({
    clock: CLOCK,
    budgets: [
      {
        who: undefined,
        each: undefined,
        model: 'dear',
        terms: { requests_per_day: 2, tokens_per_day: 1_000 },
      },
      { who: undefined, each: undefined, model: 'counted', terms: { requests_per_day: 1_000_000 } },
    ],
    prices: new PriceTable(new Map()),
    onRefusal: () => undefined,
  })
  readonly desk = new Desk(
    {
      clock: CLOCK,
      limits: this.limiter,
      routes: new Map(),
      authenticator: {
        authenticate: () => {
          throw new Fault('caller.unknown')
        },
        looksReal: () => false,
      },
      recorder: {
        append: async (draft) => {
          await this.disk
          this.entries.push(draft)
          return RECEIPT
        },
        appendLater: (make) => void this.entries.push(make()),
      },
    },
    () => {
      throw new Error('nothing is asked of the worker here')
    },
  )

  get account() {
    return this.limiter.account('everybody model:dear')
  }

  draft(kind: EntryDraft['kind'], id: string): EntryDraft {
    return { kind, id, at: 1, fields: { route: 'chat' }, reserved: false }
  }
}

const ask = (id: string, model = 'dear'): SentAsked => ({
  id,
  model,
  caller: { ref: { type: 'Service', id: 'demo' }, entities: [], space: 'default' },
  demand: { tokensIn: 10, tokensOut: 20, unbounded: undefined, unpriced: undefined },
})

test('append answers with the receipt once the entry is on disk', async () => {
  const scene = new Scene()
  assert.deepEqual(await scene.desk.answers.append(scene.draft('intent', 'a')), { index: 7, hash: '0102' })
})

test('reserve counts in one place for all, and refuses beyond the limit', async () => {
  const { desk, account } = new Scene()
  assert.equal((await desk.answers.reserve(ask('a')))?.amount.tokens, 30)
  assert.equal(await desk.answers.reserve(ask('b', 'free')), null)
  await desk.answers.reserve(ask('c'))
  assert.throws(() => desk.answers.reserve(ask('d')), { code: 'limit.exceeded' })
  await desk.answers.release('c')
  assert.equal(account.inFlight, 1)
  await desk.answers.settle({
    id: 'a',
    end: { facts: { tokens_in: 1, tokens_out: 2 }, isWhole: true, isTaken: true },
  })
  assert.deepEqual([account.inFlight, account.day.tokens, account.day.requests], [0, 3, 1])
})

test('what is on record counts until it is settled, and nothing is reserved twice for one request: whatever a worker says', async () => {
  const scene = new Scene()
  const { desk, account } = scene
  await desk.answers.reserve(ask('a'))
  assert.throws(() => desk.answers.reserve(ask('a')), { code: 'internal.bug' })
  const { promise, resolve } = Promise.withResolvers<void>()
  scene.disk = promise
  const writing = desk.answers.append(scene.draft('intent', 'a'))
  await desk.answers.release('a')
  assert.deepEqual([account.inFlight, account.day.requests], [1, 1], 'it is on its way to the disk')
  resolve()
  await writing
  await desk.answers.release('a')
  assert.deepEqual([account.inFlight, account.day.requests], [1, 1], 'it is on record')
})

test('a worker records what requests leave, and no change or note', async () => {
  const scene = new Scene()
  const { answers } = scene.desk
  for (const kind of ['change', 'note'] as const) {
    await assert.rejects(async () => answers.append(scene.draft(kind, 'a')), { code: 'internal.bug' })
    assert.throws(() => answers.appendLater(scene.draft(kind, 'a')), { code: 'internal.bug' })
  }
  for (const kind of ['refusal', 'digest'] as const) await answers.append(scene.draft(kind, 'a'))
  assert.deepEqual(
    scene.entries.map(({ kind }) => kind),
    ['refusal', 'digest'],
  )
})

test('a request ends once, and by the worker that began it', async () => {
  const [scene, other] = [new Scene(), new Scene()]
  const { answers } = scene.desk
  await answers.append(scene.draft('intent', 'a'))
  const outcome = scene.draft('outcome', 'a')
  await assert.rejects(async () => other.desk.answers.append(outcome), { code: 'internal.bug' })
  assert.throws(() => other.desk.answers.appendLater(outcome), { code: 'internal.bug' })
  await answers.appendLater(outcome)
  assert.throws(() => answers.appendLater(outcome), { code: 'internal.bug' })
  assert.deepEqual([scene.entries.length, other.entries.length], [2, 0])
})

test('the end of a worker: intents get the outcome that nobody knows, and what was reserved for them counts', async () => {
  const scene = new Scene()
  const { desk, account, entries } = scene
  await desk.answers.reserve(ask('known'))
  await desk.answers.append(scene.draft('intent', 'known'))
  await desk.answers.reserveAgain('known')
  await desk.answers.append(scene.draft('intent', 'answered'))
  await desk.answers.appendLater(scene.draft('outcome', 'answered'))
  await desk.answers.reserve(ask('never recorded'))
  await desk.end()
  const swept = entries.filter(({ kind, fields }) => kind === 'outcome' && fields['status'] === 'unknown')
  assert.deepEqual(
    swept.map(({ id, fields }) => [id, fields['code']]),
    [['known', 'outcome.unknown']],
  )
  assert.deepEqual([account.inFlight, account.day.tokens, account.day.requests], [0, 60, 1])
})

test('an intent that comes to the disk after the end of its worker is swept too', async () => {
  const scene = new Scene()
  const { promise, resolve } = Promise.withResolvers<void>()
  scene.disk = promise
  await scene.desk.answers.reserve(ask('late'))
  const writing = scene.desk.answers.append(scene.draft('intent', 'late'))
  await scene.desk.end()
  assert.equal(scene.account.inFlight, 1, 'it may still come to be on record')
  resolve()
  await writing
  await new Promise((done) => void setImmediate(done))
  assert.deepEqual(
    scene.entries.map(({ kind, id }) => [kind, id]),
    [
      ['intent', 'late'],
      ['outcome', 'late'],
    ],
  )
  assert.deepEqual([scene.account.inFlight, scene.account.day.tokens], [0, 30])
})

test('RemoteLimits holds what the writer reserved, settles it there, and gives the fields of the entries here', async () => {
  const { desk, account } = new Scene()
  const limits = new RemoteLimits({
    hasPrice: () => false,
    link: {
      ask: async (name, value) => JSON.parse(JSON.stringify(await desk.answers[name](value))) as never,
      tell: (name, value) => void desk.answers[name](value),
    },
  })
  const asked = (id: string, model: string) => ({
    id,
    caller: CALLER,
    target: { ref: { type: 'Model', id: model }, entities: [], known: true },
    demand: () => ask(id).demand,
  })
  const held = await limits.reserve(asked('a', 'dear'))
  assert.ok(held !== undefined)
  assert.deepEqual(held.intentFields()['counters'], ['everybody model:dear'])
  assert.equal(await held.again(), true)
  assert.equal(account.day.tokens, 60)
  const end = { facts: { tokens_in: 1, tokens_out: 2, tries_unknown: 1 }, isWhole: true, isTaken: true }
  assert.equal(held.settle(end)['tokens_charged'], 33)
  assert.equal(account.day.tokens, 33)
  assert.equal(await limits.reserve(asked('b', 'free')), undefined)
  assert.equal(limits.reserve(asked('c', 'free')), undefined, 'that nothing limits it is known now')
})

test('RemoteLimits asks for no less than a caller wants, where that is more than JSON can say', async () => {
  const { desk, account } = new Scene()
  const limits = new RemoteLimits({
    hasPrice: () => false,
    link: {
      ask: async (name, value) => desk.answers[name](JSON.parse(JSON.stringify(value))),
      tell: () => undefined,
    },
  })
  const demand = { ...ask('a').demand, tokensOut: Number.POSITIVE_INFINITY }
  const target = { ref: { type: 'Model', id: 'dear' }, entities: [], known: true }
  await assert.rejects(
    async () => limits.reserve({ id: 'a', caller: CALLER, target, demand: () => demand }),
    {
      code: 'limit.exceeded',
    },
  )
  assert.equal(account.inFlight, 0)
})

test('a worker has no more under way than it can have requests', async () => {
  const scene = new Scene()
  const { answers } = scene.desk
  for (let at = 0; at < LIMITS.workerAsks; at++) await answers.reserve(ask(`r${at}`, 'counted'))
  assert.throws(() => answers.reserve(ask('more', 'counted')), { code: 'load.exceeded' })
  const intents = Array.from({ length: LIMITS.workerAsks }, (_, at) => scene.draft('intent', `i${at}`))
  for (const intent of intents) await answers.append(intent)
  await assert.rejects(async () => answers.append(scene.draft('intent', 'more')), { code: 'load.exceeded' })
  await answers.appendLater(scene.draft('outcome', 'i0'))
  await answers.append(scene.draft('intent', 'more'))
})

const CALLER = ask('').caller
