import fs from 'node:fs'
import http from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { once } from 'node:events'
import { Sealed } from '#base/sealed.ts'
import type { Credential } from '#trust/access/caller.ts'
import { CROWD, fillHome, openCrowd, type CrowdSize } from './callers_home.ts'
import { describeMachine, type Machine } from './machine.ts'
import { memoryOf, readyLine, ROOT, start, stopAll, type Running } from './processes.ts'
import { median, quantile, round } from './statistics.ts'

export interface CallersReport {
  readonly bench: 'callers'
  readonly machine: Machine
  readonly size: CrowdSize
  /** From the launcher's start to the line that says ready, of the full home and, in turn, of an empty one. */
  readonly ready_ms: number
  readonly ready_ms_max: number
  readonly empty_ready_ms: number
  /** Of the whole door process: when it was ready, and after a request of each of so many callers. */
  readonly rss_mb: number
  readonly empty_rss_mb: number
  readonly rss_used_mb: number
  readonly requests: number
  /** The same of the empty home, with as many requests of one caller: what a door needs without a crowd. */
  readonly empty_rss_used_mb: number
  /** One key: of a few callers, of 4,000 who take turns, and of all, more of whom come by than are kept worked out. */
  readonly same_key_us: number
  readonly active_key_us: number
  readonly any_key_us: number
  readonly wanted: typeof WANTED
  readonly within_bars: boolean
}

const WANTED = { ready_ms: 2_000, rss_mb: 300, key_us: 5 } as const
const REQUESTS = 20_000
const CONNECTIONS = 16
const BATCH = 100
const SAME = 10
const ACTIVE = 4_000

/** Starts the door on a home with 100,000 keys and 10,000 users, and on an empty one, and proves callers by key. */
export async function benchCallers(options: {
  readonly rounds: number
  readonly seconds: number
  readonly say: (line: string) => void
}): Promise<CallersReport> {
  const { rounds, seconds, say } = options
  // A socket address holds about 100 bytes, so the home stays near the root.
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gh-'))
  const [full, empty] = [path.join(folder, 'full'), path.join(folder, 'empty')]
  try {
    for (const home of [full, empty]) await visit(home, folder)
    say('filling the home')
    const keys = fillHome(full, CROWD)
    const [ofFull, ofEmpty]: [Visit[], Visit[]] = [[], []]
    for (let at = 0; at < rounds; at += 1) {
      ofFull.push(await visit(full, folder))
      ofEmpty.push(await visit(empty, folder))
      say(`start ${at + 1} of ${rounds}: ${Math.round(ofFull.at(-1)?.ready ?? 0)} ms`)
    }
    say(`${REQUESTS} requests, each of another caller`)
    const used = await visit(full, folder, spread(keys, REQUESTS))
    const usedEmpty = await visit(
      empty,
      folder,
      spread([fs.readFileSync(path.join(empty, 'first-key'), 'utf8').trim()], REQUESTS),
    )
    const proofs = measureKeys(full, keys, seconds * rounds)
    const figures = {
      ready_ms: Math.round(median(ofFull.map(({ ready }) => ready))),
      ready_ms_max: Math.round(Math.max(...ofFull.map(({ ready }) => ready))),
      empty_ready_ms: Math.round(median(ofEmpty.map(({ ready }) => ready))),
      rss_mb: Math.max(...ofFull.map(({ rss }) => rss)),
      empty_rss_mb: Math.max(...ofEmpty.map(({ rss }) => rss)),
      rss_used_mb: used.rss,
      empty_rss_used_mb: usedEmpty.rss,
      ...proofs,
    }
    const isWithin =
      figures.ready_ms <= WANTED.ready_ms &&
      Math.max(figures.rss_mb, figures.rss_used_mb) <= WANTED.rss_mb &&
      Math.max(figures.same_key_us, figures.active_key_us) <= WANTED.key_us
    const machine = describeMachine(folder)
    return {
      bench: 'callers',
      machine,
      size: CROWD,
      requests: REQUESTS,
      ...figures,
      wanted: WANTED,
      within_bars: isWithin,
    }
  } finally {
    await stopAll()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

interface Visit {
  readonly ready: number
  readonly rss: number
}

/** Starts a door as users do, lets requests with these keys through it, and stops it. */
async function visit(home: string, folder: string, keys: readonly string[] = []): Promise<Visit> {
  const listeners = ['--listen', '--admin-listen', '--metrics-listen'].flatMap((name) => [
    name,
    '127.0.0.1:0',
  ])
  const env = { ...process.env, NODE_COMPILE_CACHE: path.join(folder, 'cache') }
  const started = performance.now()
  const words = ['up', '--home', home, ...listeners, '--json']
  const running: Running = start(path.join(ROOT, 'gatehouse'), words, { core: undefined, env })
  const line = await readyLine(running)
  const ready = performance.now() - started
  await askAll(String(line['door']), keys)
  const rss = memoryOf(Number(line['pid']))?.rss_mb ?? 0
  await running.stop()
  return { ready, rss }
}

async function askAll(door: string, keys: readonly string[]): Promise<void> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  const waiting = [...keys]
  const work = async (): Promise<void> => {
    for (let key = waiting.pop(); key !== undefined; key = waiting.pop()) {
      const request = http.get(`${door}/v1/models`, { agent, headers: { authorization: `Bearer ${key}` } })
      const [response] = (await once(request, 'response')) as [http.IncomingMessage]
      response.resume()
      await once(response, 'end')
      if (response.statusCode === 401) throw new Error('a key of the home is not known')
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, work))
  agent.destroy()
}

/** Some of a list, in even steps over the whole of it. */
function spread(keys: readonly string[], count: number): readonly string[] {
  const step = keys.length / count
  return Array.from({ length: count }, (_, at) => keys[Math.floor(at * step)] ?? '')
}

/** Microseconds of one proof, of batches, as the clock is too coarse for one. The kinds take turns. */
function measureKeys(
  home: string,
  keys: readonly string[],
  seconds: number,
): Pick<CallersReport, 'same_key_us' | 'active_key_us' | 'any_key_us'> {
  const { callers } = openCrowd(home)
  const all = keys.map((key): Credential => ({ kind: 'bearer', token: new Sealed(key) }))
  const prove = (of: number) =>
    timeRounds(seconds / 3, (at) => callers.authenticate(pick(all, at, of), '127.0.0.1'))
  const figures = {
    same_key_us: prove(SAME),
    active_key_us: prove(ACTIVE),
    any_key_us: prove(all.length),
  }
  callers.close()
  return figures
}

/** 7,919 is prime to the numbers of keys: neighbours in memory do not come one after the other. */
function pick(all: readonly Credential[], at: number, of: number): Credential {
  return all[(at * 7_919) % of] ?? { kind: 'none' }
}

function timeRounds(seconds: number, work: (at: number) => unknown): number {
  const times: number[] = []
  const until = performance.now() + seconds * 1_000
  for (let at = 0; performance.now() < until; at += BATCH) {
    const before = process.hrtime.bigint()
    for (let index = at; index < at + BATCH; index += 1) work(index)
    times.push(Number(process.hrtime.bigint() - before) / 1_000 / BATCH)
  }
  // The first part is for the caches of the machine and for what is worked out only once.
  const settled = times.slice(Math.floor(times.length / 3)).toSorted((a, b) => a - b)
  return round(quantile(settled, 0.5), 2)
}

export function drawCallers(report: CallersReport): string {
  const { machine, size, wanted } = report
  const keys = (size.users + size.services) * size.keysEach
  return [
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`,
    `home with ${size.users} users, ${size.services} services, ${keys} keys, ${size.groups} groups and ${size.users * size.groupsOfUser} memberships:`,
    `  ready after ${report.ready_ms} ms (longest ${report.ready_ms_max}; an empty home: ${report.empty_ready_ms}); wanted ${wanted.ready_ms} or less`,
    `  resident memory ${report.rss_mb} MB, after requests of ${report.requests} callers ${report.rss_used_mb} MB; wanted ${wanted.rss_mb} or less`,
    `    (an empty home: ${report.empty_rss_mb} MB, after as many requests of one caller ${report.empty_rss_used_mb} MB)`,
    `  a key proven in ${report.same_key_us} us, of 4,000 callers who take turns in ${report.active_key_us} us; wanted ${wanted.key_us} or less`,
    `    (of any of all, most of whom have to be worked out anew: ${report.any_key_us} us)`,
    `  all of it: ${report.within_bars ? 'met' : 'NOT met'}`,
  ].join('\n')
}
