import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { once } from 'node:events'
import {
  Absent,
  CONTESTANTS,
  type Contestant,
  type ContestantName,
  type Surroundings,
} from './contestants.ts'
import type { LoadOrder, LoadResult } from './load.ts'
import { describeMachine, type Machine } from './machine.ts'
import { PEER } from './peer.ts'
import { canPin, memoryOf, NODE_FLAGS, readyLine, ROOT, start, stopAll, type Running } from './processes.ts'
import { median, pairedDifference, pairedRatio } from './statistics.ts'

export const LEVELS = [1, 16, 64] as const

const ORDER: readonly ContestantName[] = [
  'direct',
  'nginx',
  'bare',
  'bare_ledger',
  'bare_guarantees',
  'governed',
  'peer',
]

export interface DoorOptions {
  readonly rounds: number
  readonly seconds: number
  readonly only?: readonly ContestantName[]
  readonly levels?: readonly number[]
  readonly say: (line: string) => void
}

interface Level {
  readonly req_per_s: number
  readonly req_per_s_min: number
  readonly req_per_s_max: number
  readonly p50_us: number
  readonly p99_us: number
  /** Over the model provider itself, median of same-round differences. */
  readonly added_p50_us: number | null
  readonly errors: number
  readonly first_error?: string
}

type Memory = { readonly rss_mb: number; readonly peak_mb: number }

export interface DoorReport {
  readonly bench: 'door'
  readonly machine: Machine
  readonly pinned: boolean
  readonly rounds: number
  readonly seconds: number
  readonly body_bytes: number
  readonly peer: string
  readonly absent: Readonly<Partial<Record<ContestantName, string>>>
  readonly levels: Readonly<Record<string, Readonly<Partial<Record<ContestantName, Level>>>>>
  readonly ratios: Readonly<Record<string, Ratios>>
  /** Governed over bare_ledger at one connection: what governing itself adds. */
  readonly added_p50_us_over_bare_ledger: number | null
  readonly memory: Readonly<Partial<Record<ContestantName, Memory>>>
}

interface Ratios {
  readonly governed_over_peer: number | null
  readonly governed_over_bare: number | null
  readonly governed_over_bare_ledger: number | null
  /** What the promises alone leave of the speed of bare_ledger, and what the pipeline leaves of that. */
  readonly guarantees_over_bare_ledger: number | null
  readonly governed_over_guarantees: number | null
}

/** One request of about 1 KB, as a chat client sends it. */
export const BODY = JSON.stringify({
  model: 'house',
  temperature: 0.2,
  max_tokens: 256,
  messages: [
    {
      role: 'system',
      content: 'You are a helpful assistant. Answer briefly and name your sources where you know them.',
    },
    {
      role: 'user',
      content:
        'Please summarise the following note for the people who could not come. '.repeat(3) +
        'We met on Tuesday to look at the draft of the plan. The first part is in order; the second needs figures from ' +
        'the last quarter, which Maria will bring. The room was too warm and will be changed. We agreed to meet again on ' +
        'Thursday at ten, and to send the draft to everyone a day before. Questions about the budget were put off, since ' +
        'the new rules are not known yet. The library opens at nine, and the door at the side is locked until then. ' +
        'Whoever is late may ring twice. There will be tea and biscuits, and the list of those who come hangs at the door.',
    },
  ],
})

const WARM_MS = 500
/**
 * What a process answers before anything is measured: a service runs for weeks, and at one connection it is minutes until
 * the compiler of the engine has got to code that runs once for each request.
 */
export const WARM_REQUESTS = 20_000
const WARM_BURST_MS = 1_000
const WARM_BURSTS = 120
const WARM_CONNECTIONS = 16

/** Runs every contestant at every level in interleaved rounds. Progress goes to `say`, never to standard output. */
export async function benchDoor(options: DoorOptions): Promise<DoorReport> {
  const pinned = canPin()
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-bench-'))
  const machine = describeMachine(folder)
  if (!pinned) options.say('taskset is not available: processes share all cores')
  if (machine.disk_is_memory)
    options.say('the temporary folder is in memory: syncs cost nothing, and no ledger figure counts')
  try {
    const { load, mockPort } = await startAside(pinned)
    const around = { mockPort, folder, core: pinned ? (0 as const) : undefined, say: options.say }
    const field = await startField(options, around, load)
    const results = await runRounds(options, field.present, load)
    return report(options, { machine, pinned, ...field, results })
  } finally {
    await stopAll()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** Starts what is not measured: the load, and the model provider. */
export async function startAside(
  pinned: boolean,
): Promise<{ readonly load: Running; readonly mock: Running; readonly mockPort: number }> {
  const script = (name: string): string[] => [...NODE_FLAGS, path.join(ROOT, 'bench', name)]
  const core = pinned ? (1 as const) : undefined
  const mock = start(process.execPath, script('mock.ts'), { core })
  const load = start(process.execPath, script('load.ts'), { core, ipc: true })
  return { load, mock, mockPort: Number((await readyLine(mock))['port']) }
}

interface Field {
  readonly present: ReadonlyMap<ContestantName, Contestant>
  readonly absent: Partial<Record<ContestantName, string>>
}

/** Starts who can be started, and asks each for one answer before anything is measured. */
async function startField({ only, say }: DoorOptions, around: Surroundings, load: Running): Promise<Field> {
  const present = new Map<ContestantName, Contestant>()
  const absent: Field['absent'] = {}
  for (const name of ORDER) {
    if (only !== undefined && !only.includes(name)) {
      absent[name] = 'not asked for'
      continue
    }
    try {
      const contestant = await CONTESTANTS[name](around)
      const { requests, firstError } = await burst(load, contestant, {
        concurrency: 1,
        warmMs: 1_000,
        measureMs: 500,
      })
      if (requests === 0) {
        await contestant.running?.stop()
        throw new Absent(`no good answer: ${firstError ?? 'none at all'}`)
      }
      present.set(name, contestant)
    } catch (thrown) {
      absent[name] = thrown instanceof Error ? thrown.message : String(thrown)
      say(`${name} is absent: ${absent[name]}`)
    }
  }
  return { present, absent }
}

export async function burst(
  load: Running,
  { port, headers }: Contestant,
  shape: Pick<LoadOrder, 'concurrency' | 'warmMs' | 'measureMs'>,
): Promise<LoadResult> {
  const lines = Object.entries({ host: `127.0.0.1:${port}`, 'content-type': 'application/json', ...headers })
  const head = `POST /v1/chat/completions HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}`
  const answered = once(load.child, 'message')
  load.child.send({ port, head, body: BODY, ...shape } satisfies LoadOrder)
  const [result] = (await answered) as [LoadResult]
  return result
}

/** By level, then by contestant, one result per round. */
type Results = Map<number, Map<ContestantName, LoadResult[]>>

async function runRounds(options: DoorOptions, present: Field['present'], load: Running): Promise<Results> {
  const noRounds = (): Map<ContestantName, LoadResult[]> =>
    new Map([...present.keys()].map((name) => [name, []]))
  const results: Results = new Map((options.levels ?? LEVELS).map((level) => [level, noRounds()]))
  for (const contestant of present.values())
    await warmUp(load, contestant, { requests: WARM_REQUESTS, concurrency: WARM_CONNECTIONS })
  options.say(`each has answered ${WARM_REQUESTS.toLocaleString('en')} requests`)
  // Round 0 warms up for a level.
  for (const [concurrency, level] of results) {
    for (let round = 0; round <= options.rounds; round += 1) {
      await runRound(options, { round, concurrency, contestants: rotate([...present], round), load, level })
      options.say(
        `concurrency ${concurrency}: ${round === 0 ? 'warmed up' : `round ${round} of ${options.rounds}`}`,
      )
    }
  }
  return results
}

export interface WarmUp {
  readonly requests: number
  readonly concurrency: number
}

/** Resolves when so many requests have been answered. Throws when they are not, in two minutes. */
export async function warmUp(
  load: Running,
  contestant: Contestant,
  { requests, concurrency }: WarmUp,
): Promise<void> {
  let answered = 0
  for (let bursts = 0; bursts < WARM_BURSTS; bursts += 1) {
    const result = await burst(load, contestant, { concurrency, warmMs: 0, measureMs: WARM_BURST_MS })
    if (result.requests === 0) throw new Error(`no good answer: ${result.firstError ?? 'none at all'}`)
    answered += result.requests
    if (answered >= requests) return
  }
  throw new Error(`only ${answered} of ${requests} requests were answered before the measurement`)
}

interface Round {
  readonly round: number
  readonly concurrency: number
  readonly contestants: readonly (readonly [ContestantName, Contestant])[]
  readonly load: Running
  readonly level: Map<ContestantName, LoadResult[]>
}

async function runRound(
  { seconds }: DoorOptions,
  { round, concurrency, contestants, load, level }: Round,
): Promise<void> {
  const measureMs = (round === 0 ? Math.min(1, seconds) : seconds) * 1_000
  const warmMs = Math.min(WARM_MS, measureMs / 4)
  for (const [name, contestant] of contestants) {
    const result = await burst(load, contestant, { concurrency, warmMs, measureMs })
    if (round > 0) level.get(name)?.push(result)
  }
}

/** Each round begins with another contestant, so that none always follows the same one. */
function rotate<T>(values: readonly T[], by: number): T[] {
  const turn = by % values.length
  return [...values.slice(turn), ...values.slice(0, turn)]
}

interface Gathered extends Field {
  readonly machine: Machine
  readonly pinned: boolean
  readonly results: Results
}

function report(options: DoorOptions, { machine, pinned, present, absent, results }: Gathered): DoorReport {
  const levels: Record<string, Partial<Record<ContestantName, Level>>> = {}
  const ratios: Record<string, Ratios> = {}
  for (const [concurrency, level] of results) {
    const rates = (name: ContestantName): number[] =>
      (level.get(name) ?? []).map(({ perSecond }) => perSecond)
    const direct = level.get('direct') ?? []
    levels[concurrency] = Object.fromEntries(
      [...level].map(([name, rounds]) => [name, summarise(rounds, direct)]),
    )
    ratios[concurrency] = {
      governed_over_peer: pairedRatio(rates('governed'), rates('peer')),
      governed_over_bare: pairedRatio(rates('governed'), rates('bare')),
      governed_over_bare_ledger: pairedRatio(rates('governed'), rates('bare_ledger')),
      guarantees_over_bare_ledger: pairedRatio(rates('bare_guarantees'), rates('bare_ledger')),
      governed_over_guarantees: pairedRatio(rates('governed'), rates('bare_guarantees')),
    }
  }
  const p50 = (name: ContestantName): number[] => (results.get(1)?.get(name) ?? []).map(({ p50Us }) => p50Us)
  const memory = [...present].flatMap(([name, { running }]) => {
    const used = running === undefined ? undefined : memoryOf(running.pid)
    return used === undefined ? [] : [[name, used] as const]
  })
  return {
    bench: 'door',
    machine,
    pinned,
    rounds: options.rounds,
    seconds: options.seconds,
    body_bytes: Buffer.byteLength(BODY),
    peer: `${PEER.name}@${PEER.version}`,
    absent,
    levels,
    ratios,
    added_p50_us_over_bare_ledger: pairedDifference(p50('governed'), p50('bare_ledger')),
    memory: Object.fromEntries(memory),
  }
}

function summarise(rounds: readonly LoadResult[], direct: readonly LoadResult[]): Level {
  const rates = rounds.map(({ perSecond }) => perSecond)
  const firstError = rounds.find((round) => round.firstError !== undefined)?.firstError
  return {
    req_per_s: Math.round(median(rates)),
    req_per_s_min: Math.min(...rates),
    req_per_s_max: Math.max(...rates),
    p50_us: Math.round(median(rounds.map(({ p50Us }) => p50Us))),
    p99_us: Math.round(median(rounds.map(({ p99Us }) => p99Us))),
    added_p50_us: pairedDifference(
      rounds.map(({ p50Us }) => p50Us),
      direct.map(({ p50Us }) => p50Us),
    ),
    errors: rounds.reduce((sum, { errors }) => sum + errors, 0),
    ...(firstError === undefined ? {} : { first_error: firstError }),
  }
}

/** The report as a table for people. */
export function drawDoor(report: DoorReport): string {
  const { machine } = report
  const lines = [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory_gb} GB, ${machine.system}, Node ${machine.node}`,
    `fdatasync of 400 bytes: p50 ${machine.fdatasync_p50_us} µs${machine.disk_is_memory ? ' (in memory!)' : ''}`,
    report.pinned ? 'server under test on core 0, load and model provider on core 1' : 'not pinned to cores',
    `${report.rounds} interleaved rounds of ${report.seconds} s, body ${report.body_bytes} bytes; medians of rounds`,
  ]
  for (const [concurrency, level] of Object.entries(report.levels)) {
    lines.push(
      '',
      `concurrency ${concurrency}`.padEnd(20) +
        '   req/s  (min–max)           p50 µs   p99 µs  added p50   errors',
    )
    for (const [name, row] of Object.entries(level)) {
      const range = `(${row.req_per_s_min}–${row.req_per_s_max})`
      lines.push(
        `  ${name.padEnd(16)} ${String(row.req_per_s).padStart(9)}  ${range.padEnd(18)} ${String(row.p50_us).padStart(8)} ` +
          `${String(row.p99_us).padStart(8)} ${String(row.added_p50_us ?? '–').padStart(10)} ${String(row.errors).padStart(8)}`,
      )
      if (row.first_error !== undefined) lines.push(`    first error: ${row.first_error.slice(0, 120)}`)
    }
    for (const [name, ratio] of Object.entries(report.ratios[concurrency] ?? {})) {
      lines.push(`  ${name.padEnd(28)} ${ratio ?? 'not measured'}`)
    }
  }
  lines.push(
    '',
    `governing itself adds ${report.added_p50_us_over_bare_ledger ?? '–'} µs (p50, one connection, over bare_ledger)`,
  )
  for (const [name, { rss_mb, peak_mb }] of Object.entries(report.memory)) {
    lines.push(`  memory ${name.padEnd(16)} ${rss_mb} MB (peak ${peak_mb})`)
  }
  for (const [name, why] of Object.entries(report.absent)) lines.push(`  absent ${name}: ${why}`)
  return lines.join('\n')
}
