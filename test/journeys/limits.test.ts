import assert from 'node:assert/strict'
import { rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { startMeteredUpstream, type Told } from '../fakes/metered_upstream.ts'
import { journey, refusal, say } from '../support/journey.ts'
import { raceForTen } from '../support/race.ts'
import { allEntries, homeWith, usesOf, type Entry } from '../support/limits_home.ts'

const ECHO = 'models:\n  echo: { provider: echo, max_output_tokens: 100 }\n'

test('1,000 callers race for a budget of 10: exactly 10 pass', async () => {
  await raceForTen(2_000)
})

test('a key has limits of its own, and they outlast a restart', async () => {
  await journey(async ({ key, client, restart }) => {
    const made = await key('demo', '--requests-per-day', '3', '--tokens-per-month', '1000000')
    const open = await key('open')
    const asked = {
      model: 'echo',
      max_completion_tokens: 50,
      messages: [{ role: 'user' as const, content: 'hi' }],
    }
    await client(made.key).chat.completions.create(asked)
    await client(made.key).chat.completions.create(asked)
    await restart()
    await client(made.key).chat.completions.create(asked)
    const refused = await refusal(client(made.key).chat.completions.create(asked))
    assert.equal(refused.status, 429)
    assert.equal(refused.code, 'limit.exceeded')
    await say(client(open.key), 'hi')
  })
})

const PRICED = `
prices:
  good: [{ from: 2026-01-01, input: 2.5, output: 10, cached_input: 0.25, cache_write: 3.125 }]
  other: [{ from: 2026-01-01, input: 0.1, output: 0.4 }]
`

function modelsAt(origin: string): string {
  const model = `{ provider: openai, base_url: '${origin}/v1', model: m, timeout_ms: 5000 }`
  return `models:
  good: ${model}
  other: ${model}
  down: { provider: openai, base_url: 'http://127.0.0.1:9/v1', model: m }
  pool: { provider: pool, max_output_tokens: 50, members: [{ model: down }, { model: other }] }
  echo: { provider: echo }
`
}

interface Sent {
  readonly status: number
  readonly text: string
  readonly retryAfter: string | null
}

interface At {
  readonly url: string
  readonly key: string
  readonly signal?: AbortSignal
}

async function send({ url, key, signal }: At, told: Told, more: object = {}): Promise<Sent> {
  const messages = [{ role: 'user', content: JSON.stringify(told) }]
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'good', messages, max_completion_tokens: 40, ...more }),
    ...(signal === undefined ? {} : { signal }),
  })
  return {
    status: response.status,
    text: await response.text(),
    retryAfter: response.headers.get('retry-after'),
  }
}

test('spend equals the ledger and the counters to the cent, whatever became of the requests', async () => {
  const upstream = await startMeteredUpstream()
  const budgets = `limits:
  budgets:
    - { who: { space: default }, dollars_per_month: 100, tokens_per_month: 1000000, concurrent: 50 }
    - { model: good, dollars_per_day: 100 }
`
  const home = await homeWith(
    `${modelsAt(upstream.origin)}${PRICED}  down: [{ from: 2026-01-01, input: 9, output: 9 }]\n${budgets}`,
  )
  try {
    await journey(
      async ({ door, key, json, cli, restart }) => {
        const { key: own } = await key('demo')
        const at = { url: door().door, key: own }
        const cases: readonly (readonly [why: string, told: Told, more: object, status: number])[] = [
          ['told', { in: 30, out: 11 }, {}, 200],
          ['told, with a cache', { in: 30, out: 11, cached: 20, written: 3 }, {}, 200],
          ['a stream', { in: 31, out: 12, cached: 8 }, { stream: true }, 200],
          ['more than it was asked for', { in: 3_000, out: 500 }, {}, 200],
          ['not told', { usage: false }, {}, 200],
          ['rejected', { status: 400 }, {}, 400],
          ['unavailable', { status: 503 }, {}, 502],
          ['an error of the server', { status: 500 }, {}, 502],
          ['cut', { cut: true }, {}, 502],
          ['by way of a pool whose first member is down', { in: 7, out: 8 }, { model: 'pool' }, 200],
        ]
        for (const [why, told, more, status] of cases)
          assert.equal((await send(at, told, more)).status, status, why)
        const seen = await usesOf(json)
        const { total, rows } = (await json('spend', '--by', 'space,model')) as { total: Row; rows: Row[] }
        assert.deepEqual(
          rows.map(({ space, model }) => `${space} ${model}`),
          ['default good', 'default other'],
        )
        // A slow sum of its own, straight from the entries.
        const slow = slowSum(await allEntries(json))
        assert.equal(BigInt(total.cost_usd.replace('.', '')), slow.nano)
        assert.equal(BigInt(total.unknown_usd.replace('.', '')), slow.unknown)
        const month = seen.get('space:default dollars_per_month')
        assert.equal(BigInt(Math.round((month?.used ?? 0) * 1e9)), slow.nano)
        assert.equal(month?.reserved, 0)
        assert.equal(seen.get('space:default tokens_per_month')?.used, slow.tokens)
        assert.equal(seen.get('space:default concurrent')?.used, 0)
        const csv = await cli('spend', '--by', 'model,day', '--csv')
        const cents = csv.stdout
          .trim()
          .split('\r\n')
          .slice(1)
          .map((line) => line.split(',')[5] ?? '')
        assert.equal(
          cents.reduce((sum, text) => sum + BigInt(text.replace('.', '')), 0n),
          slow.nano,
        )
        await restart()
        assert.deepEqual(await usesOf(json), seen, 'from a snapshot')
        // Killed, so that it writes none after this one is gone.
        await rm(path.join(home, 'counters'))
        await door().stop('SIGKILL')
        await restart()
        assert.deepEqual(await usesOf(json), seen, 'from the ledger alone')
      },
      { home },
    )
  } finally {
    await upstream.close()
  }
})

interface Row {
  readonly space: string
  readonly model: string
  readonly cost_usd: string
  readonly unknown_usd: string
}

function slowSum(entries: readonly Entry[]): { nano: bigint; unknown: bigint; tokens: number } {
  const sum = { nano: 0n, unknown: 0n, tokens: 0 }
  for (const { kind, shown } of entries) {
    if (kind !== 'outcome' || shown['settled'] === undefined) continue
    sum.nano += BigInt(Number(shown['cost']))
    sum.tokens += Number(shown['tokens_charged'])
    if (shown['settled'] === 'unknown') sum.unknown += BigInt(Number(shown['cost']))
  }
  return sum
}

test('clients that go away give their places back, and a stream is settled at its end', async () => {
  const upstream = await startMeteredUpstream()
  const home = await homeWith(
    `${modelsAt(upstream.origin)}limits:\n  budgets:\n    - { who: { space: default }, concurrent: 3, tokens_per_day: 100000 }\n`,
  )
  try {
    await journey(
      async ({ door, key, json }) => {
        const { key: own } = await key('demo')
        const at = { url: door().door, key: own }
        for (const stream of [false, true]) {
          const leaving = Array.from({ length: 3 }, () => new AbortController())
          const ends = leaving.map((abort) =>
            send({ ...at, signal: abort.signal }, { wait: -1 }, { stream }).catch(() => undefined),
          )
          await until(() => upstream.open() === 3)
          const refused = await send(at, {})
          assert.equal(refused.status, 429)
          assert.equal(refused.retryAfter, '1')
          assert.equal((await usesOf(json)).get('space:default concurrent')?.reserved, 3)
          for (const abort of leaving) abort.abort()
          await Promise.all(ends)
          await until(async () => (await usesOf(json)).get('space:default concurrent')?.reserved === 0)
        }
        const before = (await usesOf(json)).get('space:default tokens_per_day')?.used ?? Number.NaN
        assert.ok(before >= 6 * 40, 'what nobody told is charged in full')
        await send(at, { in: 5, out: 6 }, { stream: true })
        await until(
          async () => (await usesOf(json)).get('space:default tokens_per_day')?.used === before + 11,
        )
      },
      { home },
    )
  } finally {
    await upstream.close()
  }
})

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000
  while (!(await isSo())) {
    assert.ok(Date.now() < deadline, 'it never came to that')
    await setTimeout(20)
  }
}

test('nobody gets past a limit by another way: groups in groups, tokens that were exchanged, keys and tokens together', async () => {
  const home = await homeWith(`${ECHO}identity:
  issuer: https://gate.example.com
  audiences:
    https://gate.example.com: { binding: optional }
limits:
  budgets:
    - { who: { group: outer }, requests_per_day: 5 }
`)
  await journey(
    async ({ door, key, json, cli }) => {
      const portal = await key('portal', '--requests-per-day', '3')
      const member = await key('member')
      await json('group', 'create', 'outer')
      await json('group', 'create', 'inner')
      await json('group', 'nest', 'inner', 'outer')
      await json('group', 'add', 'inner', 'member')
      const url = door().door
      for (let at = 0; at < 5; at += 1) assert.equal(await ask(url, member.key), 200)
      assert.equal(await ask(url, member.key), 429, 'a member of a group in the group')

      await writeFile(
        path.join(home, 'policies', 'exchange.cedar'),
        'permit (principal, action == Action::"token:exchange", resource);\n',
      )
      assert.equal((await cli('policy', 'apply')).status, 0)
      const token = await exchanged(url, portal.key)
      assert.equal(await ask(url, portal.key), 200)
      assert.equal(await ask(url, token), 200)
      assert.equal(await ask(url, await exchanged(url, portal.key)), 200)
      assert.deepEqual(
        [await ask(url, portal.key), await ask(url, token), await ask(url, await exchanged(url, portal.key))],
        [429, 429, 429],
      )
      assert.equal(await ask(url, token, { 'x-api-key': portal.key }), 429, 'both together')
    },
    { home },
  )
})

async function ask(
  url: string,
  token: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<number> {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'hi' }] }),
  })
  await response.text()
  return response.status
}

async function exchanged(url: string, key: string): Promise<string> {
  const response = await fetch(`${url}/oauth/token`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${Buffer.from(`portal:${key}`).toString('base64')}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams({
      grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
      subject_token: key,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      audience: 'https://gate.example.com',
    }),
  })
  const answer = (await response.json()) as { access_token?: string }
  assert.ok(answer.access_token !== undefined, JSON.stringify(answer))
  return answer.access_token
}
