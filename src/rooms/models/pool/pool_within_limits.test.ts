import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  failing,
  saying,
  startSwitchedUpstream,
  type SwitchedBehaviour,
} from '../../../../test/fakes/switched_upstream.ts'
import { limitsScene } from '../../../../test/support/limits_scene.ts'
import { ask, modelsScene } from '../../../../test/support/models_scene.ts'
import { inferRoute } from '../infer_route.ts'
import { CHAT } from '../infer_routes.ts'

const BREAKER = { failures: 9, failurePercent: 100, windowMs: 10_000, openMs: 1_000 }

interface Seen {
  /** The status of the answer, or the code of the refusal. */
  readonly said: number | string
  /** How often each member was asked. */
  readonly asked: readonly number[]
  readonly charged: unknown
  readonly reserved: unknown
  readonly used: number | undefined
}

/** One request to a pool of members that behave so, under a limit of tokens. */
async function seen(behaviours: readonly SwitchedBehaviour[], tokensPerDay: number): Promise<Seen> {
  const members = await Promise.all(behaviours.map((behaviour) => startSwitchedUpstream(behaviour)))
  const { limiter } = limitsScene([{ terms: { tokens_per_day: tokensPerDay } }])
  const names = members.map((_, at) => `member-${at}`)
  const scene = modelsScene({
    limits: limiter,
    models: [
      ...members.map(({ origin }, at) => ({ name: names[at] ?? '', baseUrl: `${origin}/v1` })),
      {
        name: 'main',
        provider: 'pool',
        pool: {
          members: names.map((model) => ({ model, weight: 1, probe: undefined })),
          choose: 'order',
          tries: 3,
          breaker: BREAKER,
        },
      },
    ],
  })
  try {
    const messages = [{ role: 'user', content: 'hello' }]
    const body = { model: 'main', messages, max_completion_tokens: 1_000 }
    const said = await ask(scene, inferRoute(scene.catalogue, CHAT), { body })
    const fieldsOf = (kind: string) => scene.recorder.entries.find((entry) => entry.kind === kind)?.fields
    const [account] = [...limiter.accounts]
    return {
      said: said.kind === 'refusal' ? said.code : said.kind,
      asked: members.map(({ received }) => received.length),
      charged: fieldsOf('outcome')?.['tokens_charged'],
      reserved: fieldsOf('intent')?.['tokens_reserved'],
      used: account?.day.tokens,
    }
  } finally {
    await scene.close()
    await Promise.all(members.map((member) => member.close()))
  }
}

test('a pool does not try again where a limit has no room for what the first try may have taken', async () => {
  const { said, asked, charged, reserved, used } = await seen([failing(500), saying('b')], 1_500)
  assert.deepEqual([said, asked], ['upstream.failed', [1, 0]])
  assert.ok(Number(reserved) > 1_000)
  assert.deepEqual([charged, used], [reserved, reserved], 'no more than the limit')
})

test('a pool tries again where there is room, and what it may have taken twice is counted twice', async () => {
  const { said, asked, charged, reserved, used } = await seen([failing(500), saying('b')], 5_000)
  assert.deepEqual([said, asked], ['answer', [1, 1]])
  assert.ok(Number(charged) > Number(reserved))
  assert.equal(used, charged)
})

test('a pool tries again without more room where the first try took nothing', async () => {
  const { said, asked, charged, reserved } = await seen([failing(503), saying('b')], 1_500)
  assert.deepEqual([said, asked], ['answer', [1, 1]])
  assert.ok(Number(charged) < Number(reserved))
})

test('what an earlier member of a pool may have taken counts when the last one took nothing', async () => {
  const { said, asked, charged, reserved, used } = await seen([failing(500), failing(400)], 5_000)
  assert.deepEqual([said, asked], ['upstream.rejected', [1, 1]])
  assert.deepEqual([charged, used], [reserved, reserved])
})
