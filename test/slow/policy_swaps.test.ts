import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'
import { test } from 'node:test'
import { NODE_FILES } from '#base/files.ts'
import type { JsonObject } from '#base/json.ts'
import { journey, type Journey } from '../support/journey.ts'
import { readAll } from '../support/ledger_fixture.ts'

const SWAPS = 2_000
const CONNECTIONS = 8
/** Every so many swaps nothing is allowed; more refusals would only slow the key that gets them. */
const FORBID_EVERY = 20
/** From the third quarter to the fourth; by then the process has what it needs to work with. */
const GROWTH_BYTES = 10_000_000
/** As the launcher starts it (`tools/first.mjs`). */
const ENVIRONMENT = { MALLOC_ARENA_MAX: '1', NODE_OPTIONS: '--max-semi-space-size=4' }

test(`${SWAPS} swaps of the policies under load: every decision is of one set, and memory stays flat`, async (context) => {
  await journey(
    async (story) => {
      const { home, door, key } = story
      const { key: demo } = await key('demo', '--models', 'echo')
      const load = startLoad(door().door, demo)
      const memory: number[] = []
      const sets = new Map<string, number>()
      for (let swap = 0; swap < SWAPS; swap++) {
        writePolicies(home, swap)
        sets.set(await apply(story), swap)
        memory.push(residentBytes(door().child.pid ?? 0))
      }
      const answers = await load.stop()
      assert.equal(sets.size, SWAPS)
      const decisions = (await readAll(NODE_FILES, {}, path.join(home, 'ledger')))
        .map(({ leaf }) => leaf)
        .filter((leaf) => leaf['action'] === 'model:infer' && sets.has(textOf(leaf, 'set')))
      for (const leaf of decisions) assertOneSet(leaf, sets)
      const quarters = [0, 1, 2, 3].map((at) =>
        median(memory.slice((at * SWAPS) / 4, ((at + 1) * SWAPS) / 4)),
      )
      const [, , early, late] = quarters
      const met = new Set(decisions.map((leaf) => leaf['set'])).size
      context.diagnostic(
        `${decisions.length} decisions under ${met} sets, ${answers.allowed} allowed and ${answers.refused} refused; ` +
          `memory by quarter ${quarters.map(megabytes).join(', ')} MB`,
      )
      assert.ok(
        answers.allowed > SWAPS && answers.refused > SWAPS / FORBID_EVERY / 2,
        JSON.stringify(answers),
      )
      assert.ok(met > SWAPS / 4, `only ${met} sets were met by a request`)
      assert.ok((late ?? 0) - (early ?? 0) < GROWTH_BYTES, `memory grew from ${early} to ${late}`)
    },
    { env: ENVIRONMENT },
  )
})

function isForbid(swap: number): boolean {
  return swap % FORBID_EVERY === 0
}

/** Two files that both decide each request, and both name their swap: a mix of two sets would show both numbers. */
function writePolicies(home: string, swap: number): void {
  const effect = isForbid(swap) ? 'forbid' : 'permit'
  for (const part of ['a', 'b'])
    writeFileSync(
      path.join(home, 'policies', `swap_${part}.cedar`),
      `@id("${part}.${swap}") ${effect} (principal is Service, action == Action::"model:infer", resource is Model);\n`,
    )
}

function assertOneSet(leaf: JsonObject, sets: ReadonlyMap<string, number>): void {
  const swap = sets.get(textOf(leaf, 'set')) ?? -1
  const expected = [`a.${swap}`, `b.${swap}`, ...(isForbid(swap) ? [] : ['default.models'])]
  assert.deepEqual(leaf['policies'], expected)
  assert.equal(leaf['kind'], isForbid(swap) ? 'refusal' : 'intent')
}

/** Gives the hash of the set that is in force then. */
async function apply({ home }: Journey): Promise<string> {
  const { status, body } = await request(
    { socketPath: path.join(home, 'admin.sock'), method: 'POST', path: '/admin/policy/apply' },
    '',
  )
  assert.equal(status, 200, body)
  return textOf(JSON.parse(body) as JsonObject, 'after')
}

/** Requests one after another on each connection until it is stopped. */
function startLoad(url: string, key: string): { stop(): Promise<{ allowed: number; refused: number }> } {
  const counts = { allowed: 0, refused: 0 }
  const over = new AbortController()
  const { hostname, port } = new URL(url)
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const body = JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: 'hello' }] })
  const callers = Array.from({ length: CONNECTIONS }, async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
    while (!over.signal.aborted) {
      const to = { agent, hostname, port, method: 'POST', path: '/v1/chat/completions', headers }
      const { status } = await request(to, body)
      if (status === 200) counts.allowed += 1
      // Over its share of refusals a key waits, and nothing is decided.
      else if (status === 403) counts.refused += 1
      else assert.equal(status, 429)
    }
    agent.destroy()
  })
  const stop = async () => {
    over.abort()
    await Promise.all(callers)
    return counts
  }
  return { stop }
}

function request(to: http.RequestOptions, body: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = http.request(to, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text })).on('error', reject)
    })
    sent.on('error', reject).end(body)
  })
}

function textOf(object: JsonObject, name: string): string {
  const value = object[name]
  return typeof value === 'string' ? value : ''
}

function residentBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) * 1_024
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[values.length >> 1] ?? 0
}

function megabytes(bytes: number): number {
  return Math.round(bytes / 1_000_000)
}
