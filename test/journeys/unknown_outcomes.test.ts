import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { silent, startSwitchedUpstream } from '../fakes/switched_upstream.ts'
import { journey, type Journey } from '../support/journey.ts'
import { allEntries, homeWith, usesOf } from '../support/limits_home.ts'

const REQUESTS = 5

test('requests that a killed door left have one outcome that says so, and what they reserved counts once', async () => {
  const upstream = await startSwitchedUpstream(silent)
  const home = await homeWith(`models:
  slow: { provider: openai, base_url: '${upstream.origin}/v1', model: m, max_output_tokens: 40 }
prices:
  slow: [{ from: 2026-01-01, input: 2.5, output: 10 }]
limits:
  budgets:
    - { who: { space: default }, tokens_per_month: 1000000, requests_per_month: 1000 }
`)
  try {
    await journey(
      async (story) => {
        const { door, key, client, cli, json, restart } = story
        const demo = await key('demo', '--models', 'slow')
        const asked = Array.from({ length: REQUESTS }, () =>
          client(demo.key).chat.completions.create({
            model: 'slow',
            messages: [{ role: 'user', content: 'hi' }],
          }),
        )
        const ended = Promise.allSettled(asked)
        while (upstream.received.length < REQUESTS) await setTimeout(10)
        const before = await usesOf(json)
        await door().stop('SIGKILL')
        await ended
        for (let starts = 0; starts < 2; starts++) {
          await restart()
          assert.equal(await unknownOutcomes(story), starts === 0 ? REQUESTS : 0)
          const uses = await usesOf(json)
          for (const limit of ['tokens_per_month', 'requests_per_month']) {
            const { used = 0, reserved = 0 } = before.get(`space:default ${limit}`) ?? {}
            assert.equal(uses.get(`space:default ${limit}`)?.used, used + reserved, limit)
          }
        }
        const entries = await allEntries(json)
        const outcomes = entries.filter(({ shown }) => shown['status'] === 'unknown')
        assert.equal(outcomes.length, REQUESTS)
        assert.equal(new Set(outcomes.map(({ id }) => id)).size, REQUESTS)
        const why = await cli('why', outcomes[0]?.id ?? '')
        assert.match(why.stdout, /unfinished: outcome\.unknown/)
        const spend = JSON.parse((await cli('spend', '--json')).stdout) as { total: { requests: number } }
        assert.equal(spend.total.requests, REQUESTS)
      },
      { home },
    )
  } finally {
    await upstream.close()
  }
})

/** What `doctor` and the metrics of the running door say, once it has looked. */
async function unknownOutcomes({ cli, door }: Journey): Promise<number> {
  const metrics = await (await fetch(`${door().metrics}/metrics`)).text()
  assert.match(metrics, /^gatehouse_open_intents 0$/m)
  const counted =
    /^gatehouse_outcomes_total\{[^}]*code="outcome\.unknown"\} (\d+)$/m.exec(metrics)?.[1] ?? '0'
  const { checks } = JSON.parse((await cli('doctor', '--json')).stdout) as {
    checks: { id: string; state: string; says: string }[]
  }
  const check = checks.find(({ id }) => id === 'outcomes-known')
  assert.equal(check?.state, counted === '0' ? 'ok' : 'warn')
  if (counted !== '0') assert.match(check?.says ?? '', new RegExp(`^of ${counted} `))
  return Number(counted)
}
