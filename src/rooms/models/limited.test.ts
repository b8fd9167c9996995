import assert from 'node:assert/strict'
import test from 'node:test'
import { startMeteredUpstream, type Told } from '../../../test/fakes/metered_upstream.ts'
import { limitsScene, priceOf, type LimitsScene } from '../../../test/support/limits_scene.ts'
import { ask, modelsScene, type ModelsScene, type SceneSettings } from '../../../test/support/models_scene.ts'
import { CHAT } from './infer_routes.ts'
import { inferRoute } from './infer_route.ts'

const BUDGET = {
  terms: { tokens_per_day: 100_000, requests_per_day: 100, dollars_per_day: 100, concurrent: 5 },
}
const PRICES = { good: [priceOf(1_000_000_000, 2_000_000_000)] }
const TOKEN = ['AKIA', 'QYLPMN5HFIQR7XYA'].join('')

interface World {
  readonly scene: ModelsScene
  readonly limits: LimitsScene
  readonly say: (told: Told | string, more?: object) => ReturnType<typeof ask>
  /** Requests, tokens and what is in flight. */
  readonly counted: () => readonly number[]
}

async function inWorld(
  settings: Partial<SceneSettings>,
  tell: (world: World) => Promise<void>,
): Promise<void> {
  const upstream = await startMeteredUpstream()
  const limits = limitsScene([BUDGET], PRICES)
  const models = [{ name: 'good', baseUrl: `${upstream.origin}/v1` }]
  const scene = modelsScene({ models, limits: limits.limiter, ...settings })
  const route = inferRoute(scene.catalogue, CHAT)
  try {
    await tell({
      scene,
      limits,
      say: async (told, more = {}) => {
        const content = typeof told === 'string' ? told : JSON.stringify(told)
        const messages = [{ role: 'user', content }]
        return ask(scene, route, { body: { model: 'good', messages, max_completion_tokens: 50, ...more } })
      },
      counted: () => {
        const [account] = [...limits.limiter.accounts]
        return [account?.day.requests ?? 0, account?.day.tokens ?? 0, account?.inFlight ?? 0]
      },
    })
  } finally {
    await scene.close()
    await upstream.close()
  }
}

test('the intent says what is reserved, and the outcome what was taken', () =>
  inWorld({}, async ({ scene, say, counted }) => {
    await say({ in: 30, out: 7, cached: 10 })
    const [intent, outcome] = scene.recorder.entries
    const { tokens_reserved: reserved, counters, space, cost_reserved: most } = intent?.fields ?? {}
    assert.deepEqual([counters, space], [['everybody'], 'default'])
    assert.ok(Number(reserved) > 37 && Number(most) > 0)
    const { tokens_charged: charged, cost, settled, tokens_cached: cached } = outcome?.fields ?? {}
    assert.deepEqual([charged, cost, settled, cached], [37, 20 * 1_000 + 10 * 100 + 7 * 2_000, 'usage', 10])
    assert.deepEqual(counted(), [1, 37, 0])
  }))

test('entries have none of that where no limit and no price applies', () =>
  inWorld({ limits: limitsScene([]).limiter }, async ({ scene, say }) => {
    await say({ in: 30, out: 7, cached: 10 })
    const names = scene.recorder.entries.flatMap(({ fields }) => Object.keys(fields))
    const ours = [
      'space',
      'counters',
      'tokens_reserved',
      'cost',
      'settled',
      'tokens_charged',
      'tokens_cached',
    ]
    assert.deepEqual(
      names.filter((name) => ours.includes(name)),
      [],
    )
  }))

test('what is refused before its intent gives everything back, the request too', () =>
  inWorld({ request: 'block' }, async ({ scene, say, counted }) => {
    assert.equal((await say(`here is ${TOKEN}`)).kind, 'refusal')
    assert.deepEqual(counted(), [0, 0, 0])
    scene.recorder.isWritable = false
    const said = await say('hi')
    assert.equal(said.kind === 'refusal' && said.code, 'ledger.unwritable')
    assert.deepEqual(counted(), [0, 0, 0])
  }))

test('an answer that may not pass has been paid all the same, and the outcome says what it took', () =>
  inWorld({ request: 'pass', response: 'block' }, async ({ scene, say, counted }) => {
    const said = await say({ in: 30, out: 7, text: `so ${TOKEN} ok` })
    assert.equal(said.kind === 'refusal' && said.code, 'content.blocked')
    assert.deepEqual(counted(), [1, 37, 0])
    const { tokens_in: read, tokens_charged: charged, settled } = scene.recorder.entries.at(-1)?.fields ?? {}
    assert.deepEqual([read, charged, settled], [30, 37, 'usage'])
  }))

test('what inspection has made longer is reserved anew', () =>
  inWorld({}, async ({ scene, say }) => {
    const mails = Array.from({ length: 100 }, (_, at) => `a@b${at}.io`).join(' ')
    await say(mails)
    await say('x'.repeat(mails.length))
    const [redacted = 0, plain = 0] = scene.recorder.entries
      .filter(({ kind }) => kind === 'intent')
      .map(({ fields }) => Number(fields['tokens_reserved']))
    assert.ok(redacted > plain + 500, `${redacted} for what is longer now, ${plain} for what is as it was`)
  }))

test('a failure of the provider is settled as what it may have taken', async () => {
  const cases: readonly (readonly [why: string, told: Told, settled: string])[] = [
    ['it rejects', { status: 422 }, 'none'],
    ['it is overloaded', { status: 529 }, 'none'],
    ['it fails', { status: 500 }, 'unknown'],
    ['it breaks off', { cut: true }, 'unknown'],
  ]
  for (const [why, told, settled] of cases)
    await inWorld({}, async ({ scene, say, counted }) => {
      await say(told)
      const { settled: how, tokens_charged: charged } = scene.recorder.entries.at(-1)?.fields ?? {}
      const { tokens_reserved: reserved } = scene.recorder.entries[0]?.fields ?? {}
      assert.deepEqual([how, charged], [settled, settled === 'none' ? 0 : reserved], why)
      assert.deepEqual(counted(), [1, charged, 0], why)
    })
})

test('a stream is settled at its end, and one that breaks off with its output in full', () =>
  inWorld({}, async ({ scene, say, counted }) => {
    await say({ in: 30, out: 7 }, { stream: true })
    assert.deepEqual(counted(), [1, 37, 0])
    await say({ in: 30, out: 7, cut: true }, { stream: true })
    const { settled, tokens_charged: charged } = scene.recorder.entries.at(-1)?.fields ?? {}
    assert.equal(settled, 'unknown')
    assert.deepEqual(counted(), [2, 37 + Number(charged), 0])
  }))

test('a refusal by a limit is recorded with its kind, and the caller learns when it fits', () =>
  inWorld({}, async ({ scene, say }) => {
    const said = await say('hi', { max_completion_tokens: 99_990 })
    assert.equal(
      said.kind === 'refusal' && [said.code, said.stage, said.fault.retryAfterSeconds].join(),
      'limit.exceeded,meter,',
    )
    const { reason, limit_of: of } = scene.recorder.entries[0]?.fields ?? {}
    assert.deepEqual([reason, of], ['tokens_per_day', 'everybody'])
  }))
