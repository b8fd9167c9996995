import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import http, { Agent } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import { openHomeLedger } from '#faces/cli/home_ledger.ts'
import type { EntryView } from '#rooms/admin/entry_view.ts'
import { askAdmin } from './admin_socket.ts'
import { gatehouse } from './gatehouse_process.ts'

/** A worker as `/admin/health` tells of it. */
export interface Worker {
  readonly number: number
  readonly state: string
  readonly pid: number
  readonly restarts: number
  readonly in_flight: number
}

export async function workersOf(home: string): Promise<readonly Worker[]> {
  const { workers } = (await askAdmin(home, 'GET', '/admin/health')) as { workers: Worker[] }
  return workers
}

/** Longer than anything here takes on a busy machine. */
const PATIENCE_MS = 60_000

/** Asks until it is so. */
export async function until<T>(look: () => Promise<T | undefined>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS
  for (;;) {
    const found = await look()
    if (found !== undefined) return found
    assert.ok(performance.now() < deadline, 'it never came to be so')
    await setTimeout(20)
  }
}

/** All workers, once they serve and one of them is another process than this. */
export async function restarted(home: string, pid: number): Promise<readonly Worker[]> {
  return await until(async () => {
    const workers = await workersOf(home)
    const isWhole = workers.every((worker) => worker.state === 'serving' && worker.pid !== pid)
    return isWhole ? workers : undefined
  })
}

export interface Answer {
  readonly status: number
  readonly id: string
}

/** A client with one connection, which a worker keeps; undefined is what a broken connection gives. */
export class OneConnection {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 })
  readonly #url: string
  readonly #key: string

  constructor(url: string, key: string) {
    this.#url = url
    this.#key = key
  }

  async say(text: string): Promise<Answer | undefined> {
    const { promise, resolve } = Promise.withResolvers<Answer | undefined>()
    const headers = { authorization: `Bearer ${this.#key}`, 'content-type': 'application/json' }
    const options = { method: 'POST', agent: this.#agent, headers }
    const request = http.request(`${this.#url}/v1/chat/completions`, options, (response) => {
      const answer = { status: response.statusCode ?? 0, id: String(response.headers['x-request-id']) }
      response.resume().on('end', () => resolve(response.complete ? answer : undefined))
      response.on('error', () => resolve(undefined))
    })
    request.on('error', () => resolve(undefined))
    request.end(JSON.stringify({ model: 'echo', messages: [{ role: 'user', content: text }] }))
    return await promise
  }

  close(): void {
    this.#agent.destroy()
  }
}

/** Clients that ask one after the other, each on a connection of its own, until they are stopped. */
export class Load {
  readonly answered: string[] = []
  readonly #clients: readonly OneConnection[]
  readonly #work: Promise<unknown>
  #isOver = false

  constructor(url: string, key: string, clients: number) {
    this.#clients = Array.from({ length: clients }, () => new OneConnection(url, key))
    this.#work = Promise.all(this.#clients.map(async (client) => this.#ask(client)))
  }

  /** Resolves when so many more have been answered. */
  async more(count: number): Promise<void> {
    const wanted = this.answered.length + count
    await until(async () => Promise.resolve(this.answered.length >= wanted ? true : undefined))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await this.#work
    for (const client of this.#clients) client.close()
  }

  async #ask(client: OneConnection): Promise<void> {
    while (!this.#isOver) {
      const answer = await client.say('hello')
      if (answer?.status === 200) this.answered.push(answer.id)
      else await setTimeout(5)
    }
  }
}

/** Clients that ask once, each on a new connection. */
export class NewConnections {
  /** Ids of requests. */
  readonly answered: string[] = []
  readonly #url: string
  readonly #key: string
  #waiting = 0

  constructor(url: string, key: string) {
    this.#url = url
    this.#key = key
  }

  /** Those with neither an answer nor an end. */
  get waiting(): number {
    return this.#waiting
  }

  open(): void {
    this.#waiting += 1
    void this.#ask()
  }

  /** Resolves when each has its answer or its end; fails when that takes longer. */
  async over(limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs
    while (this.#waiting > 0) {
      assert.ok(performance.now() < deadline, `${this.#waiting} connections hang`)
      await setTimeout(20)
    }
  }

  async #ask(): Promise<void> {
    const client = new OneConnection(this.#url, this.#key)
    const answer = await client.say('hello')
    client.close()
    this.#waiting -= 1
    if (answer?.status === 200) this.answered.push(answer.id)
  }
}

/** The entries of a home whose ledger must verify. */
export async function verifiedEntries(home: string): Promise<readonly EntryView[]> {
  const verified = await gatehouse(['ledger', 'verify', '--home', home])
  assert.equal(verified.status, 0, verified.stdout + verified.stderr)
  const ledger = await openHomeLedger(home)
  const all: EntryView[] = []
  for (;;) {
    const page = await ledger.range(all.length, 1_000)
    if (page.length === 0) break
    all.push(...page)
  }
  return all
}

/** Every answer has its intent and its outcome, and every intent an outcome, if only that nobody knows it. */
export function checkAnswers(entries: readonly EntryView[], answered: readonly string[]): void {
  const intents = new Set<string>()
  const outcomes = new Map<string, unknown>()
  for (const { kind, id, shown } of entries) {
    if (kind === 'intent') intents.add(id)
    if (kind === 'outcome') outcomes.set(id, shown['status'])
  }
  const missing = answered.filter((id) => !intents.has(id) || outcomes.get(id) !== 200)
  assert.deepEqual(missing, [], `of ${answered.length} answers`)
  assert.deepEqual(
    [...intents].filter((id) => !outcomes.has(id)),
    [],
    'intents without an outcome',
  )
}

/** Not counting what is over and waits for somebody to be told. */
export function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return !stat.slice(stat.lastIndexOf(')')).startsWith(') Z')
  } catch {
    return process.platform !== 'linux' && canSignal(pid)
  }
}

function canSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
