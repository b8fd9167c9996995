import assert from 'node:assert/strict'
import http from 'node:http'
import path from 'node:path'
import test from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { NODE_FILES } from '#base/files.ts'
import type { JsonObject } from '#base/json.ts'
import { listOrigins } from '#trust/ledger/layout.ts'
import { readEntries } from '#trust/ledger/read.ts'
import { startMeteredUpstream } from '../fakes/metered_upstream.ts'
import { gatehouse, removeHome, startDoor } from '../support/gatehouse_process.ts'
import { homeWith, type Use } from '../support/limits_home.ts'

const ROUNDS = 50
/** Every so many rounds the door comes to its own end and leaves a snapshot, so that later ones begin with it. */
const GENTLE_EVERY = 7
const REQUESTS = 24
const MOST = 1_000_000_000

/**
 * What is killed in mid-flight stays reserved: after each kill the counters are what a slow sum over all entries says, where
 * an intent without an outcome counts in full, and never less than before.
 */
test(`kill -9 in mid-flight frees no reservation: ${ROUNDS} times on one home`, async () => {
  const upstream = await startMeteredUpstream()
  const home = await homeWith(`models:
  good: { provider: openai, base_url: '${upstream.origin}/v1', model: m, max_output_tokens: 40 }
prices:
  good: [{ from: 2026-01-01, input: 2.5, output: 10 }]
limits:
  budgets:
    - { who: { space: default }, tokens_per_month: ${MOST}, requests_per_month: ${MOST}, dollars_per_month: 9000000, concurrent: 10000 }
`)
  let before = { requests: 0, tokens: 0 }
  let wanted = slowSum([])
  try {
    const made = await gatehouse(['key', 'create', '--name', 'demo', '--home', home, '--json'])
    const { key } = JSON.parse(made.stdout) as { key: string }
    for (let round = 0; round <= ROUNDS; round += 1) {
      const door = await startDoor(home)
      const uses = await askSocket(home)
      const [requests = Number.NaN, tokens = Number.NaN, dollars = Number.NaN] = MEASURES.map((name) =>
        uses.get(name),
      )
      assert.deepEqual(
        [requests, tokens, Math.round(dollars * 1e9)],
        [wanted.requests, wanted.tokens, wanted.nano],
        `after round ${round}`,
      )
      assert.equal(uses.get('concurrent'), 0)
      assert.ok(tokens >= before.tokens && requests >= before.requests, `round ${round} gave something back`)
      assert.ok(requests >= upstream.received.length, 'what reached the provider is counted')
      before = { tokens, requests }
      const sent = Array.from({ length: REQUESTS }, (_, at) => send(door.door, key, round, at))
      // Another moment each round: before, between and after the answers.
      await setTimeout(5 + ((round * 37) % 160))
      await door.stop(round % GENTLE_EVERY === 0 ? 'SIGTERM' : 'SIGKILL')
      await Promise.all(sent)
      wanted = slowSum(await leavesOf(home))
    }
    assert.ok(wanted.unsettled > ROUNDS, `${wanted.unsettled} requests were killed in mid-flight`)
  } finally {
    await upstream.close()
    await removeHome(home)
  }
})

const MEASURES = ['requests_per_month', 'tokens_per_month', 'dollars_per_month']

/** Where the limits stand, by their kind, from the running door. */
async function askSocket(home: string): Promise<ReadonlyMap<string, number>> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const options = { socketPath: path.join(home, 'admin.sock'), path: '/admin/limits' }
  http
    .get(options, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (piece: string) => (text += piece))
      response.on('end', () => resolve(text))
    })
    .on('error', reject)
  const { limits } = JSON.parse(await promise) as { limits: Use[] }
  return new Map(limits.map(({ limit, used, reserved }) => [limit, used + reserved]))
}

async function leavesOf(home: string): Promise<readonly JsonObject[]> {
  const { folders } = await listOrigins(NODE_FILES, path.join(home, 'ledger'))
  const leaves: JsonObject[] = []
  for (const folder of folders)
    for await (const { leaf } of readEntries(NODE_FILES, folder, {})) leaves.push(leaf)
  return leaves
}

async function send(url: string, key: string, round: number, at: number): Promise<void> {
  const told = { in: 3 + at, out: 5, wait: (at * round) % 120 }
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        model: 'good',
        stream: at % 3 === 0,
        messages: [{ role: 'user', content: JSON.stringify(told) }],
      }),
    })
    await response.text()
  } catch {
    // Killed.
  }
}

function slowSum(leaves: readonly JsonObject[]): {
  requests: number
  tokens: number
  nano: number
  unsettled: number
} {
  const open = new Map<unknown, JsonObject>()
  const sum = { requests: 0, tokens: 0, nano: 0, unsettled: 0 }
  for (const leaf of leaves) {
    if (leaf['kind'] === 'intent' && 'tokens_reserved' in leaf) open.set(leaf['id'], leaf)
    if (leaf['kind'] !== 'outcome' || !open.delete(leaf['id'])) continue
    sum.requests += 1
    // The door that came after has looked for it.
    if (leaf['status'] === 'unknown') sum.unsettled += 1
    sum.tokens += Number(leaf['tokens_charged'])
    sum.nano += Number(leaf['cost'])
  }
  for (const leaf of open.values()) {
    sum.requests += 1
    sum.unsettled += 1
    sum.tokens += Number(leaf['tokens_reserved'])
    sum.nano += Number(leaf['cost_reserved'])
  }
  return sum
}
