import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { CONTESTANTS, type Contestant } from './contestants.ts'
import { burst, startAside, warmUp } from './door.ts'
import { describeMachine, type Machine } from './machine.ts'
import { cpuSeconds, stopAll, type Running } from './processes.ts'
import { median, pairedRatio, round } from './statistics.ts'

/** 1 is one process for all; the others have a writer besides. */
const FLEETS = [1, 2] as const
/** Connections: with few, each process is woken for little and groups of entries are small; with many all are busy. */
const LEVELS = [16, 64, 256] as const
const CORES = 2
/** What two workers are to do on two cores, over one process on one. */
const WANTED = 1.6
/** So much answers each process before anything is counted: a compiler at work would count as the door's own. */
const WARM_REQUESTS = 60_000
const WARM_CONNECTIONS = 64
/** And so long each is under a load before that load is measured. */
const SETTLE_MS = 2_000
/** A door at rest uses less than this of a core. */
const AT_REST = 0.05
const REST_LOOK_MS = 250
const REST_LOOKS = 40

type FleetSize = (typeof FLEETS)[number]

export interface WorkersReport {
  readonly bench: 'workers'
  readonly machine: Machine
  readonly rounds: number
  readonly seconds: number
  /** What `over_one_core` is to be. */
  readonly wanted: number
  readonly levels: Readonly<Record<string, LevelFigures>>
}

interface LevelFigures {
  readonly fleets: Readonly<Record<string, FleetFigures>>
  /** Requests per second of two workers over one process, on this machine, beside the load. */
  readonly measured_ratio: number | null
  /** What two workers and the writer can do on two cores that do nothing else, over one process on one core, by processor time. */
  readonly over_one_core: number | null
  /** Whether that is `wanted` of the report or more. */
  readonly is_met: boolean
  /** The same over one process that has both cores, of which it uses one and what its helping threads take of the other. */
  readonly over_one_process: number | null
}

interface FleetFigures {
  readonly req_per_s: number
  readonly p50_us: number
  readonly p99_us: number
  readonly errors: number
  /** Processor time of one request with what is done for it later, in microseconds. */
  readonly door_us: number
  /** Of these, in the writer; all of them where one process does it all. */
  readonly writer_us: number
  /** Of these, in the main thread of the writer. */
  readonly writer_main_us: number
  /** Of the load and the model provider, which share the machine. */
  readonly load_us: number
  /** Of all that the machine has, so much is used by the door, the load and the provider: what is left waits for the disk or for one thread, or is taken by other programs. */
  readonly used_percent: number
}

interface Round {
  readonly perSecond: number
  readonly p50Us: number
  readonly p99Us: number
  readonly errors: number
  readonly doorUs: number
  readonly writerUs: number
  readonly writerMainUs: number
  readonly loadUs: number
}

export interface WorkersOptions {
  readonly rounds: number
  readonly seconds: number
  readonly say: (line: string) => void
}

type Found = ReadonlyMap<FleetSize, readonly Round[]>

/** Measures one process and a fleet in turns, on all cores, and what each request costs in processor time. */
export async function benchWorkers(options: WorkersOptions): Promise<WorkersReport> {
  const { rounds, seconds, say } = options
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-bench-'))
  const machine = describeMachine(folder)
  try {
    const { load, mock, mockPort } = await startAside(false)
    const doors = new Map<FleetSize, Contestant>()
    for (const workers of FLEETS) {
      const place = path.join(folder, String(workers))
      fs.mkdirSync(place)
      const around = { mockPort, folder: place, core: undefined, say }
      const door = await CONTESTANTS.governed({ ...around, doorWords: ['--workers', String(workers)] })
      doors.set(workers, door)
      await warmUp(load, door, { requests: WARM_REQUESTS * workers, concurrency: WARM_CONNECTIONS })
    }
    say('warmed up')
    const levels: Record<string, LevelFigures> = {}
    for (const concurrency of LEVELS) {
      const found = new Map<FleetSize, Round[]>(FLEETS.map((workers) => [workers, []]))
      for (const door of doors.values())
        await burst(load, door, { concurrency, warmMs: 0, measureMs: SETTLE_MS })
      await rest(doors)
      for (let at = 1; at <= rounds; at++) {
        await runRound(at, { doors, found, aside: [load, mock], shape: { seconds, concurrency } })
        say(`${concurrency} connections: round ${at} of ${rounds}`)
      }
      levels[concurrency] = levelFigures(found, machine.cores)
    }
    return { bench: 'workers', machine, rounds, seconds, wanted: WANTED, levels }
  } finally {
    await stopAll()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

interface Shape {
  readonly seconds: number
  readonly concurrency: number
}

interface Level {
  readonly doors: ReadonlyMap<FleetSize, Contestant>
  readonly found: ReadonlyMap<FleetSize, Round[]>
  /** The load and the provider. */
  readonly aside: readonly [Running, Running]
  readonly shape: Shape
}

/** Both in turns, and none always after the other. */
async function runRound(at: number, level: Level): Promise<void> {
  const { doors, found } = level
  const turn = at % 2 === 0 ? [...doors] : [...doors].toReversed()
  for (const [workers, door] of turn) found.get(workers)?.push(await measure(door, level))
}

async function measure(door: Contestant, { doors, aside, shape }: Level): Promise<Round> {
  const [load, mock] = aside
  const { seconds, concurrency } = shape
  const writer = door.running?.pid ?? 0
  const used = () => ({
    door: doorSeconds(door),
    writer: cpuSeconds(writer) ?? 0,
    writerMain: cpuSeconds(writer, 'main') ?? 0,
    load: sum([load.pid, mock.pid].map((pid) => cpuSeconds(pid) ?? 0)),
  })
  // Nothing is thrown away of what is counted, so nothing may be warmed up in it.
  const before = used()
  const result = await burst(load, door, { concurrency, warmMs: 0, measureMs: seconds * 1_000 })
  // Sealing waits for quiet moments, and counts where it belongs.
  await rest(doors)
  const after = used()
  const each = (name: keyof typeof before): number =>
    ((after[name] - before[name]) * 1_000_000) / Math.max(1, result.requests)
  const { perSecond, p50Us, p99Us, errors } = result
  return {
    perSecond,
    p50Us,
    p99Us,
    errors,
    doorUs: each('door'),
    writerUs: each('writer'),
    writerMainUs: each('writerMain'),
    loadUs: each('load'),
  }
}

/** Waits until no door has anything left to do. */
async function rest(doors: ReadonlyMap<FleetSize, Contestant>): Promise<void> {
  const used = () => sum([...doors.values()].map(doorSeconds))
  for (let look = 0, before = used(); look < REST_LOOKS; look += 1) {
    await setTimeout(REST_LOOK_MS)
    const now = used()
    if ((now - before) * 1_000 < AT_REST * REST_LOOK_MS) return
    before = now
  }
}

/** Processor time of a door, all processes and threads of it. */
function doorSeconds({ running }: Contestant): number {
  const writer = running?.pid ?? 0
  return sum([writer, ...childrenOf(writer)].map((pid) => cpuSeconds(pid) ?? 0))
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

function levelFigures(found: Found, cores: number): LevelFigures {
  const each = (workers: FleetSize, of: (one: Round) => number) => (found.get(workers) ?? []).map(of)
  const fleet = each(2, fleetCapacity)
  const ratio = (one: readonly number[]): number | null => {
    const paired = pairedRatio(fleet, one)
    return paired === null ? null : round(paired, 2)
  }
  const overOneCore = ratio(each(1, ({ doorUs }) => 1 / doorUs))
  return {
    fleets: Object.fromEntries([...found].map(([workers, all]) => [workers, figures(all, cores)])),
    measured_ratio: pairedRatio(
      each(2, ({ perSecond }) => perSecond),
      each(1, ({ perSecond }) => perSecond),
    ),
    over_one_core: overOneCore,
    is_met: overOneCore !== null && overOneCore >= WANTED,
    over_one_process: ratio(each(1, ({ writerMainUs }) => 1 / writerMainUs)),
  }
}

/** Requests per microsecond on two cores: as many as both have time for, unless the writer or one worker needs more than a core. */
function fleetCapacity({ doorUs, writerUs }: Round): number {
  return Math.min(CORES / doorUs, 1 / writerUs, CORES / (doorUs - writerUs))
}

function figures(all: readonly Round[], cores: number): FleetFigures {
  const middle = (of: (one: Round) => number): number => round(median(all.map(of)), 0)
  return {
    req_per_s: middle(({ perSecond }) => perSecond),
    p50_us: middle(({ p50Us }) => p50Us),
    p99_us: middle(({ p99Us }) => p99Us),
    errors: sum(all.map(({ errors }) => errors)),
    door_us: middle(({ doorUs }) => doorUs),
    writer_us: middle(({ writerUs }) => writerUs),
    writer_main_us: middle(({ writerMainUs }) => writerMainUs),
    load_us: middle(({ loadUs }) => loadUs),
    used_percent: middle(
      ({ perSecond, doorUs, loadUs }) => (perSecond * (doorUs + loadUs)) / (cores * 10_000),
    ),
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((left, right) => left + right, 0)
}

const HEAD = ['req/s', 'p50 µs', 'p99 µs', 'door µs', 'writer µs', 'its main', 'load µs', 'used %', 'errors']

export function drawWorkers({ levels, machine, wanted }: WorkersReport): string {
  const lines = [
    `${machine.cores} cores, which the load and the model provider share; processor time is of one request`,
  ]
  for (const [concurrency, { fleets, ...ratios }] of Object.entries(levels)) {
    lines.push('', `${concurrency} connections`.padEnd(24) + HEAD.map((text) => text.padStart(10)).join(''))
    for (const [workers, one] of Object.entries(fleets)) lines.push(row(workers, one))
    lines.push(
      `  two workers over one process: ${ratios.measured_ratio ?? '–'} × as measured here, beside the load`,
      `  by processor time, on two cores of their own: ${ratios.over_one_core ?? '–'} × one process on one core (wanted ${wanted}: ${ratios.is_met ? 'met' : 'NOT met'}), ${ratios.over_one_process ?? '–'} × one process on both`,
    )
  }
  return lines.join('\n')
}

function row(workers: string, one: FleetFigures): string {
  const name = workers === '1' ? '  one process' : `  ${workers} workers, a writer`
  const { req_per_s, p50_us, p99_us, door_us, writer_us, writer_main_us, load_us, used_percent, errors } = one
  const cells = [req_per_s, p50_us, p99_us, door_us, writer_us, writer_main_us, load_us, used_percent, errors]
  return name.padEnd(24) + cells.map((cell) => String(cell).padStart(10)).join('')
}
