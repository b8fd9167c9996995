import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { openHomeLedger } from '#faces/cli/home_ledger.ts'
import { failing, saying, startSwitchedUpstream } from '../fakes/switched_upstream.ts'
import { temporaryHome, type DoorProcess } from '../support/gatehouse_process.ts'
import { journey } from '../support/journey.ts'
import { COUNTED, countDigests, countEntries } from '../support/ledger_counts.ts'
import { scrape, seriesOf, sumOf, type Page } from '../support/metrics_page.ts'
import { fillerOf } from '../support/planted_secrets.ts'
import { RawConnection } from '../support/raw_http.ts'

const TOKEN = fillerOf(20_270_411)('ghp_{base62:30}{checksum:30}')
/** A burst that the ledger takes whole is 20 for strangers and 300 for a key; both are exceeded. */
const STRANGERS = 27
const DENIED = 320
const AT_ONCE = 16

interface Callers {
  readonly wide: string
  readonly narrow: string
  /** May send two requests a day. */
  readonly frugal: string
}

for (const workers of [1, 2])
  test(`every count of the ledger on /metrics is what the verified entries add up to, also after a restart: workers ${workers}`, async () =>
    await comparesAll(['--workers', String(workers)]))

async function comparesAll(args: readonly string[]): Promise<void> {
  const upstream = await startSwitchedUpstream(saying('from afar'))
  const home = await temporaryHome()
  const remote = `{ provider: openai, base_url: "${upstream.origin}/v1", model: m }`
  await writeFile(
    path.join(home, 'gatehouse.yaml'),
    `models:
  echo: { provider: echo }
  slow: { provider: echo, piece_ms: 20, piece_characters: 4 }
  remote: ${remote}
  main: { provider: pool, members: [{ model: remote }, { model: echo }] }
prices:
  echo: [{ from: "2026-01-01", input: 3.5, output: 15 }]
  remote: [{ from: "2026-01-01", input: 1, output: 2.000001 }]
  slow: [{ from: "2026-01-01", input: 1, output: 1 }]
limits:
  budgets: [{ who: { caller: frugal }, requests_per_day: 2 }]
inspection:
  routes: { messages: { credentials: { request: block } } }
`,
  )
  try {
    await journey(
      async (story) => {
        const wide = (await story.key('wide')).key
        const narrow = (await story.key('narrow', '--models', 'echo')).key
        const frugal = (await story.key('frugal')).key
        await mixedTraffic(story.door(), { wide, narrow, frugal }, upstream.does)
        const first = await settled(story.door())
        await story.restart()
        const end = await compare(home, first, 0)
        await mixedTraffic(story.door(), { wide, narrow, frugal }, upstream.does)
        const second = await settled(story.door())
        assert.ok(sumOf(second, 'gatehouse_ledger_entries_total') < sumOf(second, 'gatehouse_ledger_entries'))
        await story.door().stop()
        await compare(home, second, end)
      },
      { home, args },
    )
  } finally {
    await upstream.close()
  }
}

/** Compares a page with the entries from `from` on; gives where the entries of its process end. */
async function compare(home: string, page: Page, from: number): Promise<number> {
  const ledger = await openHomeLedger(home)
  const report = await ledger.verify(undefined)
  assert.ok(report.ok, report.statement)
  const entries = (await ledger.range(0, report.entries)).slice(from)
  const onDisk = sumOf(page, 'gatehouse_ledger_entries') - from
  // The page says how many entries were on disk when it was printed.
  assert.deepEqual(seriesOf(page, COUNTED), countEntries(entries.slice(0, onDisk)))
  // What was counted for a digest is written when its window ends, at the latest when the door stops.
  const stop = entries.findIndex(({ shown }) => shown['what'] === 'door:stop')
  assert.deepEqual(seriesOf(page, ['gatehouse_digested_total']), countDigests(entries.slice(0, stop)))
  const kinds = new Set(entries.slice(0, onDisk).map(({ kind }) => kind))
  assert.ok(sumOf(page, 'gatehouse_cost_nanodollars_total') > 0)
  assert.ok((page.get('gatehouse_refusals_total{stage="meter",code="limit.exceeded"}') ?? 0) > 0)
  for (const kind of ['intent', 'outcome', 'refusal', 'note'] as const) assert.ok(kinds.has(kind), kind)
  const requests = sumOf(page, 'gatehouse_requests_total')
  const recorded = entries.slice(0, onDisk).filter(({ kind }) => kind === 'outcome' || kind === 'refusal')
  assert.equal(requests, recorded.length + sumOf(page, 'gatehouse_digested_total'))
  return from + stop + 1
}

/** The page once nothing is on its way any more. */
async function settled(door: DoorProcess): Promise<Page> {
  for (;;) {
    const page = await scrape(door.metrics)
    const kind = (name: string): number => page.get(`gatehouse_ledger_entries_total{kind="${name}"}`) ?? 0
    if (page.get('gatehouse_requests_in_flight') === 0 && kind('intent') === kind('outcome')) return page
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

type Send = (target: string, body: unknown, key?: string) => Promise<number>

async function mixedTraffic(
  door: DoorProcess,
  { wide, narrow, frugal }: Callers,
  does: (behaviour: ReturnType<typeof saying>) => void,
): Promise<void> {
  const send: Send = async (target, body, key = wide) => {
    const response = await fetch(`${door.door}${target}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        'content-type': 'application/json',
        ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    await response.text()
    return response.status
  }
  await answered(send)
  await failed(send, does)
  await refused(send, narrow)
  for (let at = 0; at < 4; at++) await send('/v1/chat/completions', said('echo', 'hello'), frugal)
  await aborted(door, wide)
  const garbage = await RawConnection.open({ port: Number(new URL(door.door).port) })
  await garbage.write('garbage\r\n\r\n').closed()
}

const said = (model: string, content: string, more: object = {}): object => ({
  model,
  messages: [{ role: 'user', content }],
  ...more,
})

async function answered(send: Send): Promise<void> {
  assert.equal(await send('/v1/models', undefined), 200)
  assert.equal(await send('/v1/chat/completions', said('echo', 'hello')), 200)
  assert.equal(await send('/v1/chat/completions', said('echo', `the key ${TOKEN}`)), 200)
  assert.equal(await send('/v1/chat/completions', said('echo', 'a stream', { stream: true })), 200)
  assert.equal(await send('/v1/messages', said('echo', 'hello', { max_tokens: 9 })), 200)
  assert.equal(await send('/v1/responses', { model: 'echo', input: 'hello' }), 200)
  assert.equal(await send('/v1/chat/completions', said('remote', 'hello')), 200)
  assert.equal(await send('/v1/chat/completions', said('main', 'hello', { stream: true })), 200)
}

async function failed(send: Send, does: (behaviour: ReturnType<typeof saying>) => void): Promise<void> {
  does(failing(500))
  assert.equal(await send('/v1/chat/completions', said('remote', `hello ${TOKEN}`)), 502)
  assert.equal(await send('/v1/chat/completions', said('main', 'the other member answers')), 200)
  does(failing(429, { 'retry-after': '1' }))
  assert.equal(await send('/v1/chat/completions', said('remote', 'hello', { stream: true })), 429)
  does(saying('from afar'))
}

async function refused(send: Send, narrow: string): Promise<void> {
  assert.equal(await send('/v1/messages', said('echo', `the key ${TOKEN}`, { max_tokens: 9 })), 422)
  assert.equal(await send('/v1/chat/completions', '{"model":'), 400)
  assert.equal(await send('/v1/none', undefined), 404)
  await send('/v1/chat/completions', said('no-such-model\n{}"', 'hello'))
  for (let at = 0; at < STRANGERS; at++) await send('/v1/models', undefined, at % 2 === 0 ? '' : 'wrong')
  // Several at once: one after another would let the bucket of the key fill again where the machine is busy.
  let last: readonly number[] = []
  for (let at = 0; at < DENIED; at += AT_ONCE) {
    const batch = Array.from({ length: AT_ONCE }, () => said('remote', 'hello'))
    last = await Promise.all(batch.map((body) => send('/v1/chat/completions', body, narrow)))
  }
  assert.ok(last.includes(429), 'a key is throttled')
}

/** A caller that leaves in the middle of a stream. */
async function aborted(door: DoorProcess, key: string): Promise<void> {
  const control = new AbortController()
  const response = await fetch(`${door.door}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
    body: JSON.stringify(said('slow', 'a long text that takes its time to come', { stream: true })),
    signal: control.signal,
  })
  const reader = response.body?.getReader()
  await reader?.read()
  control.abort()
  await reader?.read().catch(() => undefined)
  for (;;) {
    const page = await scrape(door.metrics)
    const series = 'gatehouse_outcomes_total{route="chat",model="slow",code="input.aborted"}'
    if ((page.get(series) ?? 0) > 0) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}
