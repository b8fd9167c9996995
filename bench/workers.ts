import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { CONTESTANTS, type Contestant } from './contestants.ts'
import { burst, startAside } from './door.ts'
import { describeMachine, type Machine } from './machine.ts'
import { cpuSeconds, stopAll, type Running } from './processes.ts'
import { median, pairedRatio, round } from './statistics.ts'

/** 1 is one process for all; the others have a writer besides. */
const FLEETS = [1, 2] as const

type FleetSize = (typeof FLEETS)[number]

export interface WorkersReport {
  readonly bench: 'workers'
  readonly machine: Machine
  readonly rounds: number
  readonly seconds: number
  readonly concurrency: number
  readonly fleets: Readonly<Record<string, FleetFigures>>
  /** Requests per second of two workers over one process, on this machine, beside the load. */
  readonly measured_ratio: number | null
  /** The same for two cores that do nothing else, by processor time: twice what a request costs one process, over what it costs all three. */
  readonly two_cores_ratio: number | null
}

interface FleetFigures {
  readonly req_per_s: number
  readonly p50_us: number
  readonly p99_us: number
  readonly errors: number
  /** Processor time of one request, in microseconds. */
  readonly door_us: number
  /** Of these, in the writer; all of them where one process does it all. */
  readonly writer_us: number
  /** Of the load and the model provider, which share the machine. */
  readonly load_us: number
}

interface Round {
  readonly perSecond: number
  readonly p50Us: number
  readonly p99Us: number
  readonly errors: number
  readonly doorUs: number
  readonly writerUs: number
  readonly loadUs: number
}

export interface WorkersOptions {
  readonly rounds: number
  readonly seconds: number
  readonly concurrency: number
  readonly say: (line: string) => void
}

/** Measures one process and a fleet in turns, on all cores, and what each request costs in processor time. */
export async function benchWorkers(options: WorkersOptions): Promise<WorkersReport> {
  const { rounds, seconds, concurrency, say } = options
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-bench-'))
  const machine = describeMachine(folder)
  try {
    const { load, mock, mockPort } = await startAside(false)
    const doors = new Map<FleetSize, Contestant>()
    for (const workers of FLEETS) {
      const place = path.join(folder, String(workers))
      fs.mkdirSync(place)
      const doorWords = ['--workers', String(workers)]
      doors.set(
        workers,
        await CONTESTANTS.governed({ mockPort, folder: place, core: undefined, doorWords, say }),
      )
    }
    const found = new Map<FleetSize, Round[]>(FLEETS.map((workers) => [workers, []]))
    // Round 0 warms up.
    for (let at = 0; at <= rounds; at++) {
      const turn = at % 2 === 0 ? [...doors] : [...doors].toReversed()
      for (const [workers, door] of turn) {
        const one = await measure(door, [load, mock], { seconds, concurrency })
        found.get(workers)?.push(...(at > 0 ? [one] : []))
      }
      say(at === 0 ? 'warmed up' : `round ${at} of ${rounds}`)
    }
    return report(options, machine, found)
  } finally {
    await stopAll()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

async function measure(
  door: Contestant,
  [load, mock]: readonly [Running, Running],
  { seconds, concurrency }: Pick<WorkersOptions, 'seconds' | 'concurrency'>,
): Promise<Round> {
  const writer = door.running?.pid ?? 0
  const used = () => ({
    door: sum([writer, ...childrenOf(writer)].map((pid) => cpuSeconds(pid) ?? 0)),
    writer: cpuSeconds(writer) ?? 0,
    load: sum([load.pid, mock.pid].map((pid) => cpuSeconds(pid) ?? 0)),
  })
  // Nothing is thrown away of what is counted, so nothing may be warmed up in it.
  const before = used()
  const result = await burst(load, door, { concurrency, warmMs: 0, measureMs: seconds * 1_000 })
  const after = used()
  const each = (name: 'door' | 'writer' | 'load'): number =>
    ((after[name] - before[name]) * 1_000_000) / Math.max(1, result.requests)
  const { perSecond, p50Us, p99Us, errors } = result
  return {
    perSecond,
    p50Us,
    p99Us,
    errors,
    doorUs: each('door'),
    writerUs: each('writer'),
    loadUs: each('load'),
  }
}

/** Processes that this one started. */
function childrenOf(pid: number): readonly number[] {
  try {
    const text = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return text.split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

function report(
  { rounds, seconds, concurrency }: WorkersOptions,
  machine: Machine,
  found: ReadonlyMap<FleetSize, readonly Round[]>,
): WorkersReport {
  const rates = (workers: FleetSize) => (found.get(workers) ?? []).map(({ perSecond }) => perSecond)
  const costs = (workers: FleetSize) => (found.get(workers) ?? []).map(({ doorUs }) => doorUs)
  const cheaper = pairedRatio(costs(1), costs(2))
  return {
    bench: 'workers',
    machine,
    rounds,
    seconds,
    concurrency,
    fleets: Object.fromEntries([...found].map(([workers, all]) => [workers, figures(all)])),
    measured_ratio: pairedRatio(rates(2), rates(1)),
    two_cores_ratio: cheaper === null ? null : round(2 * cheaper, 2),
  }
}

function figures(all: readonly Round[]): FleetFigures {
  const middle = (of: (one: Round) => number): number => round(median(all.map(of)), 0)
  return {
    req_per_s: middle(({ perSecond }) => perSecond),
    p50_us: middle(({ p50Us }) => p50Us),
    p99_us: middle(({ p99Us }) => p99Us),
    errors: sum(all.map(({ errors }) => errors)),
    door_us: middle(({ doorUs }) => doorUs),
    writer_us: middle(({ writerUs }) => writerUs),
    load_us: middle(({ loadUs }) => loadUs),
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((left, right) => left + right, 0)
}

export function drawWorkers({ fleets, machine, concurrency, ...ratios }: WorkersReport): string {
  const rows = Object.entries(fleets).map(([workers, one]) => {
    const name = workers === '1' ? 'one process' : `${workers} workers and a writer`
    const cells = [one.req_per_s, one.p50_us, one.p99_us, one.door_us, one.writer_us, one.load_us, one.errors]
    return name.padEnd(24) + cells.map((cell) => String(cell).padStart(10)).join('')
  })
  const head = ['req/s', 'p50 µs', 'p99 µs', 'door µs', 'writer µs', 'load µs', 'errors']
  return [
    `${concurrency} connections; ${machine.cores} cores, which the load and the model provider share`,
    ' '.repeat(24) + head.map((text) => text.padStart(10)).join(''),
    ...rows,
    '',
    `two workers over one process: ${ratios.measured_ratio ?? '–'} × as measured here, beside the load`,
    `on two cores of their own:    ${ratios.two_cores_ratio ?? '–'} × by processor time`,
  ].join('\n')
}
