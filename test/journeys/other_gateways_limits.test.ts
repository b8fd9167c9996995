import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startMeteredUpstream, type MeteredUpstream, type Told } from '../fakes/metered_upstream.ts'
import { journey, type Journey } from '../support/journey.ts'
import { homeWith, usesOf } from '../support/limits_home.ts'

/*
 * What other gateways got wrong about limits, each as requests that must not do the same here. The names are those under which
 * the defects are known.
 */

interface Sent {
  readonly status: number
  readonly code: string | undefined
}

interface Scene {
  readonly story: Journey
  readonly upstream: MeteredUpstream
  /** A new key of a new caller with limits of its own. */
  readonly keyWith: (...limits: readonly string[]) => Promise<string>
  readonly send: (
    key: string,
    told?: Told,
    more?: object,
    headers?: Readonly<Record<string, string>>,
  ) => Promise<Sent>
}

interface Defect {
  readonly name: string
  readonly check: (scene: Scene) => Promise<void>
}

const TOKENS = { in: 30, out: 20 }

/** How many of so many pass. */
async function passes({ send }: Scene, key: string, times: number, how: How = {}): Promise<number> {
  let passed = 0
  for (let at = 0; at < times; at += 1)
    if ((await send(key, how.told ?? TOKENS, how.more)).status === 200) passed += 1
  return passed
}

interface How {
  readonly told?: Told
  readonly more?: object
}

const DEFECTS: readonly Defect[] = [
  {
    name: 'LiteLLM #26672: a key goes on after its budget is spent',
    check: async (scene) => {
      // 30 tokens at 2.50 and 20 at 10 dollars a million: 0.000275 dollars each; what one reserves is less than 0.001.
      const key = await scene.keyWith('--dollars-per-day', '0.002')
      const passed = await passes(scene, key, 30)
      assert.ok(passed >= 4 && passed <= 7, `${passed} passed`)
      assert.equal((await scene.send(key)).code, 'limit.exceeded')
    },
  },
  {
    name: 'LiteLLM #40095: concurrent first requests of a caller that nobody has seen pass its budget',
    check: async (scene) => {
      const key = await scene.keyWith('--dollars-per-day', '0.000001')
      const sent = await Promise.all(Array.from({ length: 8 }, async () => scene.send(key)))
      assert.deepEqual(
        sent.map(({ code }) => code),
        Array.from({ length: 8 }, () => 'limit.exceeded'),
      )
    },
  },
  {
    name: 'Envoy AI Gateway #680: what is sent at the same time sees the same tokens left',
    check: async (scene) => {
      const key = await scene.keyWith('--tokens-per-minute', '1000')
      const sent = await Promise.all(
        Array.from({ length: 40 }, async () => scene.send(key, { ...TOKENS, wait: 100 })),
      )
      const passed = sent.filter(({ status }) => status === 200).length
      // Each may take some hundred tokens, and is held to that until its answer is there.
      assert.ok(passed >= 1 && passed <= 1_000 / 40, `${passed} passed`)
    },
  },
  {
    name: 'LiteLLM #11083: another user is named in a header or the body, and the budget is not looked at',
    check: async (scene) => {
      const key = await scene.keyWith('--requests-per-day', '1')
      assert.equal((await scene.send(key)).status, 200)
      const others = {
        'x-litellm-end-user-id': 'b',
        'x-user-id': 'b',
        'x-openwebui-user-email': 'b@example.com',
      }
      assert.equal((await scene.send(key, TOKENS, { user: 'b' }, others)).code, 'limit.exceeded')
    },
  },
  {
    name: 'LiteLLM #27735: what was spent long ago, or was never spent, blocks too early',
    check: async (scene) => {
      const key = await scene.keyWith('--tokens-per-day', '600')
      // Each reserves far more than the 50 that it takes.
      assert.equal(await passes(scene, key, 6), 6)
      const { used, reserved } = [...(await usesOf(scene.story.json)).values()].find(
        ({ limit, used: tokens }) => limit === 'tokens_per_day' && tokens === 300,
      ) ?? { used: 0, reserved: -1 }
      assert.deepEqual([used, reserved], [300, 0])
    },
  },
  {
    name: 'WSO2 #2932: a limit of tokens counts 1 for each request',
    check: async (scene) => {
      const key = await scene.keyWith('--tokens-per-day', '500')
      const passed = await passes(scene, key, 20, { told: { in: 100, out: 40 } })
      assert.ok(passed >= 2 && passed <= 3, `${passed} passed`)
    },
  },
  {
    name: 'WSO2 #3253: a request that takes no tokens uses up the limit of tokens',
    check: async (scene) => {
      const key = await scene.keyWith('--tokens-per-day', '400')
      const { door } = scene.story.door()
      for (let at = 0; at < 30; at += 1) {
        const listed = await fetch(`${door}/v1/models`, { headers: { authorization: `Bearer ${key}` } })
        assert.equal(listed.status, 200)
        await listed.body?.cancel()
      }
      assert.equal((await scene.send(key)).status, 200)
    },
  },
  {
    name: 'Envoy AI Gateway #1754: what is left never gets less, in streams',
    check: async (scene) => {
      const key = await scene.keyWith('--tokens-per-day', '500')
      const passed = await passes(scene, key, 20, { told: { in: 100, out: 40 }, more: { stream: true } })
      assert.ok(passed >= 2 && passed <= 3, `${passed} passed`)
    },
  },
  {
    name: 'LiteLLM #10973: a spent budget of money blocks a model that costs nothing',
    check: async (scene) => {
      const key = await scene.keyWith('--dollars-per-day', '0.002')
      await passes(scene, key, 30)
      assert.equal((await scene.send(key, TOKENS, { model: 'free' })).status, 200)
    },
  },
  {
    name: 'a model without a price is free as far as budgets of money go',
    check: async (scene) => {
      const key = await scene.keyWith('--dollars-per-day', '100')
      const before = scene.upstream.received.length
      assert.equal((await scene.send(key, TOKENS, { model: 'unpriced' })).code, 'limit.unpriced')
      assert.equal(scene.upstream.received.length, before)
    },
  },
  {
    name: 'a dearer tier is asked for in the body, at the price of the usual one',
    check: async (scene) => {
      const key = await scene.keyWith('--dollars-per-day', '100')
      assert.equal((await scene.send(key, TOKENS, { service_tier: 'priority' })).code, 'limit.unpriced')
    },
  },
  {
    name: 'many choices are asked for, and one is reserved',
    check: async (scene) => {
      const key = await scene.keyWith('--tokens-per-minute', '500')
      assert.equal((await scene.send(key, TOKENS, { n: 16 })).code, 'limit.exceeded')
      assert.equal((await scene.send(key, TOKENS, { best_of: 16 })).code, 'limit.exceeded')
    },
  },
]

test('what other gateways got wrong about limits', async (t) => {
  const upstream = await startMeteredUpstream()
  const model = `{ provider: openai, base_url: '${upstream.origin}/v1', model: m }`
  const home = await homeWith(`models:
  good: ${model}
  free: ${model}
  unpriced: ${model}
prices:
  good: [{ from: 2026-01-01, input: 2.5, output: 10 }]
  free: [{ from: 2026-01-01, input: 0, output: 0 }]
`)
  let callers = 0
  const tell = async (story: Journey): Promise<void> => {
    const scene: Scene = {
      story,
      upstream,
      keyWith: async (...limits) => (await story.key(`caller-${(callers += 1)}`, ...limits)).key,
      send: async (key, told = TOKENS, more = {}, headers = {}) => {
        const messages = [{ role: 'user', content: JSON.stringify(told) }]
        const response = await fetch(`${story.door().door}/v1/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
          body: JSON.stringify({ model: 'good', messages, max_completion_tokens: 40, ...more }),
        })
        const text = await response.text()
        return { status: response.status, code: /"code":"([\w.]+)"/.exec(text)?.[1] }
      },
    }
    for (const { name, check } of DEFECTS) await t.test(name, async () => check(scene))
  }
  try {
    await journey(tell, { home })
  } finally {
    await upstream.close()
  }
})
