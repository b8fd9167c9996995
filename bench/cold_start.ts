import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import http from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { describeMachine, type Machine } from './machine.ts'
import { NODE_FLAGS, readyLine, ROOT, start, stopAll, type Running } from './processes.ts'
import { median } from './statistics.ts'

export interface StartReport {
  readonly bench: 'start'
  readonly machine: Machine
  readonly keys: number
  readonly policies: number
  readonly starts: number
  /** From the launcher's start to the line that says ready; Node's compile cache is there, as after any earlier start. */
  readonly ready_ms: number
  readonly ready_ms_max: number
  /** The same without a compile cache. */
  readonly first_ready_ms: number
  readonly wanted_ms: number
}

const KEYS = 1_000
const POLICIES = 100
const WANTED_MS = 1_000
const KEYS_AT_ONCE = 16

/** Makes a home of 1,000 keys and 100 policies and starts the door on it, again and again. */
export async function benchStart(options: {
  readonly starts: number
  readonly say: (line: string) => void
}): Promise<StartReport> {
  // A socket address holds about 100 bytes, so the home stays near the root.
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gh-'))
  const home = path.join(folder, 'home')
  try {
    options.say(`making ${KEYS} keys and ${POLICIES} policies`)
    await fill(home)
    const cold = await timeStart(home, path.join(folder, 'cache'))
    const times: number[] = []
    for (let at = 0; at < options.starts; at += 1) {
      times.push(await timeStart(home, path.join(folder, 'cache')))
      options.say(`start ${at + 1} of ${options.starts}: ${Math.round(times.at(-1) ?? 0)} ms`)
    }
    return {
      bench: 'start',
      machine: describeMachine(folder),
      keys: KEYS,
      policies: POLICIES,
      starts: options.starts,
      ready_ms: Math.round(median(times)),
      ready_ms_max: Math.round(Math.max(...times)),
      first_ready_ms: Math.round(cold),
      wanted_ms: WANTED_MS,
    }
  } finally {
    await stopAll()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

function up(home: string, cache: string): Running {
  const listeners = ['--listen', '--admin-listen', '--metrics-listen'].flatMap((name) => [
    name,
    '127.0.0.1:0',
  ])
  const env = { ...process.env, NODE_COMPILE_CACHE: cache }
  return start(path.join(ROOT, 'gatehouse'), ['up', '--home', home, ...listeners, '--json'], {
    core: undefined,
    env,
  })
}

async function timeStart(home: string, cache: string): Promise<number> {
  const started = performance.now()
  const running = up(home, cache)
  await readyLine(running)
  const took = performance.now() - started
  await running.stop()
  return took
}

async function fill(home: string): Promise<void> {
  const running = up(home, path.join(path.dirname(home), 'cache-of-making'))
  await readyLine(running)
  const names = Array.from({ length: KEYS }, (_, index) => `bench-${index}`)
  const work = async (): Promise<void> => {
    for (let name = names.pop(); name !== undefined; name = names.pop()) await createKey(home, name)
  }
  await Promise.all(Array.from({ length: KEYS_AT_ONCE }, work))
  for (let index = 0; index < POLICIES; index += 1) {
    fs.writeFileSync(path.join(home, 'policies', `bench_${index}.cedar`), policy(index))
  }
  const words = [...NODE_FLAGS, path.join(ROOT, 'src/main.ts'), 'policy', 'apply', '--home', home, '--json']
  const applied = spawnSync(process.execPath, words, { encoding: 'utf8' })
  if (applied.status !== 0) throw new Error(`policy apply: ${applied.stdout}${applied.stderr}`)
  await running.stop()
}

function policy(index: number): string {
  return `@id("bench.${index}")
permit (
  principal == Service::"bench-${index}",
  action == Action::"model:infer",
  resource == Model::"model-${index}"
);
`
}

async function createKey(home: string, name: string): Promise<void> {
  const body = JSON.stringify({ name, models: ['echo'], expires_in_ms: 86_400_000 })
  const headers = {
    host: 'localhost',
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  }
  const options = { socketPath: path.join(home, 'admin.sock'), method: 'POST', path: '/admin/keys', headers }
  const request = http.request(options)
  const answered = once(request, 'response')
  request.end(body)
  const [response] = (await answered) as [http.IncomingMessage]
  let text = ''
  for await (const chunk of response) text += String(chunk)
  if (response.statusCode !== 201) throw new Error(`key create: ${response.statusCode} ${text}`)
}

export function drawStart(report: StartReport): string {
  const isMet = report.ready_ms_max <= report.wanted_ms
  return [
    `${report.machine.cpu}, ${report.machine.cores} cores, Node ${report.machine.node}`,
    `home with ${report.keys} keys and ${report.policies} policies, from ./gatehouse up to ready:`,
    `  ${report.ready_ms} ms (median of ${report.starts}, longest ${report.ready_ms_max}); without a compile cache ${report.first_ready_ms} ms`,
    `  wanted: ${report.wanted_ms} ms or less: ${isMet ? 'met' : 'NOT met'}`,
  ].join('\n')
}
