import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { CONTESTANTS, type Contestant } from './contestants.ts'
import { burst, startAside } from './door.ts'
import { STEPS, type StepTimes } from './guarantee_steps.ts'
import { describeMachine, type Machine } from './machine.ts'
import {
  canPin,
  cpuSeconds,
  NODE_FLAGS,
  OWN_ENV,
  OWN_FLAGS,
  readyLine,
  ROOT,
  start,
  stopAll,
  type Core,
  type Running,
} from './processes.ts'
import { median, pairedDifference, pairedRatio, round } from './statistics.ts'

/** What our door is to reach of the requests per second of bare_ledger, at this concurrency. */
export const BAR = 0.65
const CONCURRENCY = 16

const FIELD = ['bare_ledger', 'bare_guarantees', 'governed'] as const

type Name = (typeof FIELD)[number]

export interface GuaranteesOptions {
  readonly rounds: number
  readonly seconds: number
  readonly say: (line: string) => void
}

interface Row {
  readonly req_per_s: number
  /** Processor time of the whole process, all threads, for one request. */
  readonly us_per_request: number
  /** Of one core. */
  readonly busy_percent: number
  readonly errors: number
}

export interface GuaranteesReport {
  readonly bench: 'guarantees'
  readonly machine: Machine
  readonly pinned: boolean
  readonly rounds: number
  readonly seconds: number
  readonly contestants: Readonly<Record<Name, Row>>
  /** Of requests per second in the same round. */
  readonly ratios: Readonly<
    Record<
      'guarantees_over_bare_ledger' | 'governed_over_guarantees' | 'governed_over_bare_ledger',
      number | null
    >
  >
  /** Of processor time for one request, medians of same-round differences. */
  readonly added_us: {
    readonly guarantees_over_bare_ledger: number | null
    readonly governed_over_guarantees: number | null
  }
  /** Processor time that a request may take for the bar, on a core that is never idle. */
  readonly allowed_us: {
    /** For so many requests per second as the bar is: more than the next, as bare_ledger waits for the disk. */
    readonly by_rate: number
    /** For so much processor time as the bar is. */
    readonly by_processor_time: number
  }
  readonly entries_per_group: number
  readonly alone: StepTimes
}

interface Round {
  readonly perSecond: number
  readonly us: number
  readonly busyPercent: number
  readonly errors: number
}

/** Measures the promises alone: under load beside what is below and above them, and step by step. */
export async function benchGuarantees(options: GuaranteesOptions): Promise<GuaranteesReport> {
  const pinned = canPin()
  const core = pinned ? (0 as const) : undefined
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-guarantees-'))
  const machine = describeMachine(folder)
  try {
    const { load, mockPort } = await startAside(pinned)
    const around = { mockPort, folder, core, say: options.say }
    const field: (readonly [Name, Contestant])[] = []
    for (const name of FIELD) field.push([name, await CONTESTANTS[name](around)])
    const rounds = await runRounds(options, load, field)
    const entriesPerGroup = await groupsOf(field)
    for (const [, { running }] of field) await running?.stop()
    // A request has two entries.
    const sharing = Math.max(1, Math.round(entriesPerGroup / 2))
    const alone = await timeAlone(options, { folder, core, sharing })
    const { rounds: count, seconds } = options
    return {
      bench: 'guarantees',
      machine,
      pinned,
      rounds: count,
      seconds,
      ...summarise(rounds),
      entries_per_group: entriesPerGroup,
      alone,
    }
  } finally {
    await stopAll()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** By contestant, one result per round. */
type Results = ReadonlyMap<Name, readonly Round[]>

async function runRounds(
  { rounds, seconds, say }: GuaranteesOptions,
  load: Running,
  field: readonly (readonly [Name, Contestant])[],
): Promise<Results> {
  const results = new Map<Name, Round[]>(FIELD.map((name) => [name, []]))
  // As many rounds before the first that counts: the compiler of the engine takes its time.
  for (let at = 0; at < rounds; at += 1)
    for (const [, contestant] of field) await runOnce(load, contestant, seconds)
  say('warmed up')
  for (let at = 0; at < rounds; at += 1) {
    const turn = at % field.length
    for (const [name, contestant] of [...field.slice(turn), ...field.slice(0, turn)])
      results.get(name)?.push(await runOnce(load, contestant, seconds))
    say(`round ${at + 1} of ${rounds}`)
  }
  return results
}

async function runOnce(load: Running, contestant: Contestant, seconds: number): Promise<Round> {
  const pid = contestant.running?.pid ?? 0
  const [before, startedAt] = [cpuSeconds(pid) ?? 0, performance.now()]
  const shape = { concurrency: CONCURRENCY, warmMs: 0, measureMs: seconds * 1_000 }
  const { requests, perSecond, errors } = await burst(load, contestant, shape)
  const spent = (cpuSeconds(pid) ?? 0) - before
  const elapsed = (performance.now() - startedAt) / 1_000
  return {
    perSecond,
    errors,
    us: (1_000_000 * spent) / Math.max(1, requests),
    busyPercent: (100 * spent) / elapsed,
  }
}

/** Ends the contestant of the promises, which then says what it wrote. */
async function groupsOf(field: readonly (readonly [Name, Contestant])[]): Promise<number> {
  const running = field.find(([name]) => name === 'bare_guarantees')?.[1].running
  await running?.stop()
  const said = /\{"entries":(\d+),"groups":(\d+)\}/.exec(running?.said() ?? '')
  if (said === null) throw new Error(`it did not say what it wrote: ${running?.said() ?? ''}`)
  return round(Number(said[1]) / Number(said[2]), 1)
}

async function timeAlone(
  { rounds }: GuaranteesOptions,
  { folder, core, sharing }: { folder: string; core: Core | undefined; sharing: number },
): Promise<StepTimes> {
  const program = path.join(ROOT, 'bench/guarantee_steps.ts')
  const words = [program, path.join(folder, 'steps'), String(rounds), String(sharing), String(STEP_MS)]
  const env = { ...process.env, ...OWN_ENV }
  const running = start(process.execPath, [...NODE_FLAGS, ...OWN_FLAGS, ...words], { core, env })
  const times: unknown = await readyLine(running, STEPS_TIMEOUT_MS)
  return times as StepTimes
}

const STEP_MS = 60
const STEPS_TIMEOUT_MS = 300_000

function summarise(
  results: Results,
): Pick<GuaranteesReport, 'contestants' | 'ratios' | 'added_us' | 'allowed_us'> {
  const of = (name: Name): readonly Round[] => results.get(name) ?? []
  const rates = (name: Name): number[] => of(name).map(({ perSecond }) => perSecond)
  const times = (name: Name): number[] => of(name).map(({ us }) => us)
  const rowOf = (name: Name): Row => ({
    req_per_s: Math.round(median(rates(name))),
    us_per_request: round(median(times(name)), 1),
    busy_percent: Math.round(median(of(name).map(({ busyPercent }) => busyPercent))),
    errors: of(name).reduce((sum, { errors }) => sum + errors, 0),
  })
  const contestants = Object.fromEntries(FIELD.map((name) => [name, rowOf(name)])) as Record<Name, Row>
  const { req_per_s: rate, us_per_request: floor } = contestants.bare_ledger
  return {
    contestants,
    ratios: {
      guarantees_over_bare_ledger: pairedRatio(rates('bare_guarantees'), rates('bare_ledger')),
      governed_over_guarantees: pairedRatio(rates('governed'), rates('bare_guarantees')),
      governed_over_bare_ledger: pairedRatio(rates('governed'), rates('bare_ledger')),
    },
    added_us: {
      guarantees_over_bare_ledger: pairedDifference(times('bare_guarantees'), times('bare_ledger')),
      governed_over_guarantees: pairedDifference(times('governed'), times('bare_guarantees')),
    },
    allowed_us: {
      by_rate: round(1_000_000 / (BAR * rate), 1),
      by_processor_time: round(floor / BAR, 1),
    },
  }
}

/** The report as a table for people. */
export function drawGuarantees(report: GuaranteesReport): string {
  const { machine, contestants, ratios, added_us: added, allowed_us: allowed, alone } = report
  const us = (value: number | null, says: string): string =>
    `${(value === null ? '–' : value.toFixed(1)).padStart(8)} µs  ${says}`
  const sum = STEPS.reduce((all, [name]) => all + alone.steps[name], 0)
  const { us_per_request: floor } = contestants.bare_ledger
  const { us_per_request: measured } = contestants.bare_guarantees
  return [
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, fdatasync p50 ${machine.fdatasync_p50_us} µs`,
    `${report.rounds} interleaved rounds of ${report.seconds} s, ${CONCURRENCY} connections; medians of rounds`,
    '',
    'contestant            req/s   processor µs a request   busy   errors',
    ...Object.entries(contestants).map(
      ([name, row]) =>
        `  ${name.padEnd(16)} ${String(row.req_per_s).padStart(8)} ${row.us_per_request.toFixed(1).padStart(24)} ` +
        `${String(row.busy_percent).padStart(4)} % ${String(row.errors).padStart(8)}`,
    ),
    ...Object.entries(ratios).map(([name, ratio]) => `  ${name.padEnd(28)} ${ratio ?? 'not measured'}`),
    '',
    'what the promises need, each step alone, warm (processor time of a request)',
    ...STEPS.map(([name, promise, says]) => us(alone.steps[name], `${promise}. ${says}`)),
    us(sum, 'sum'),
    us(alone.together, 'all of them for one request after the other, without HTTP and disk'),
    us(alone.write, `the write that is its own sync, shared by ${alone.sharing}; bare_ledger has one too`),
    '',
    us(floor, 'bare_ledger, the floor'),
    us(floor + sum, 'the floor and the sum of the steps'),
    us(floor + alone.together, 'the floor and all of them together'),
    us(measured, `bare_guarantees, measured (${report.entries_per_group} entries a group)`),
    us(contestants.governed.us_per_request, 'governed, measured'),
    us(added.guarantees_over_bare_ledger, 'the promises add to the floor, in the same round'),
    us(added.governed_over_guarantees, 'the pipeline around them adds to that'),
    us(allowed.by_rate, `may be taken for ${BAR} of the requests per second of bare_ledger, never idle`),
    us(allowed.by_processor_time, `would be ${BAR} by processor time`),
  ].join('\n')
}
