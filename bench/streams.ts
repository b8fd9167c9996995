import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { CONTESTANTS, openaiModel } from './contestants.ts'
import { describeMachine } from './machine.ts'
import {
  canPin,
  memoryOf,
  NODE_FLAGS,
  openSockets,
  readyLine,
  ROOT,
  start,
  stopAll,
  type Running,
} from './processes.ts'
import { median, pairedDifference, round, slope } from './statistics.ts'
import type { AsideOrder, Held } from './stream_aside.ts'
import type { Spread, StreamResult, Target } from './stream_load.ts'
import { PACE_MS } from './stream_mock.ts'
import type { Added, Flow, Row, Sample, StreamsReport } from './streams_report.ts'

export interface StreamsOptions {
  readonly rounds: number
  readonly seconds: number
  /** Streams at once, under load. */
  readonly streams: number
  /** How long the silent streams and slow readers are looked at. */
  readonly holdSeconds: number
  readonly idle: number
  readonly slow: number
  readonly say: (line: string) => void
}

type Who = 'direct' | 'bare_ledger' | 'governed'

const ORDER: readonly Who[] = ['direct', 'bare_ledger', 'governed']
/** Length of one stream under load: three seconds. */
const FRAMES = 150
/** Short streams, one after the other, for what the first token costs on a door with nothing else to do. */
const ALONE = { streams: 1, frames: 3 }
/** A fifth of the full load: no stream waits for others. */
const SOME = { streams: 100, frames: 50 }
/** More than the streams of one model that a door has connections for. */
const MODELS = 8
const PLACES = 4_096
const EVERY_MS = 5_000

/** Runs streams through our door and past it in interleaved rounds, and then lets many of them stand still. */
export async function benchStreams(options: StreamsOptions): Promise<StreamsReport> {
  const pinned = canPin()
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-streams-'))
  if (!pinned) options.say('taskset is not available: processes share all cores')
  try {
    const words = [...NODE_FLAGS, path.join(ROOT, 'bench/stream_aside.ts')]
    const aside = start(process.execPath, words, { core: pinned ? 1 : undefined, ipc: true })
    const mockPort = Number((await readyLine(aside))['port'])
    const targets = await startTargets({ mockPort, folder, pinned, say: options.say })
    const flows: Record<string, Flow> = {}
    // A process that has served a hundred streams and one that has served thousands are two: the engine compiles what is used.
    const full = { streams: options.streams, frames: FRAMES }
    flows['1 at once, just started'] = await runFlow(options, ALONE, { aside, targets })
    flows[`${SOME.streams} at once`] = await runFlow(options, SOME, { aside, targets })
    flows[`${full.streams} at once`] = await runFlow(options, full, { aside, targets })
    flows['1 at once, after these'] = await runFlow(options, ALONE, { aside, targets })
    return {
      bench: 'streams',
      machine: describeMachine(folder),
      pinned,
      rounds: options.rounds,
      seconds: options.seconds,
      flows,
      held: await holdStreams(options, aside, targets.governed),
    }
  } finally {
    await stopAll()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

type Targets = Readonly<Record<Who, Target>>

async function startTargets(around: {
  readonly mockPort: number
  readonly folder: string
  readonly pinned: boolean
  readonly say: (line: string) => void
}): Promise<Targets> {
  const { mockPort, pinned } = around
  const models = Array.from({ length: MODELS }, (_, at) => `house_${at}`)
  const lines = models.map((name) => `  ${name}: ${openaiModel(mockPort)}\n`).join('')
  const configuration = `models:\n${lines}limits: { in_flight: ${PLACES} }\n`
  const core = pinned ? (0 as const) : undefined
  const bare = await CONTESTANTS.bare_ledger({ ...around, core })
  const door = await CONTESTANTS.governed({ ...around, core, doorSetup: { configuration, models } })
  return {
    direct: { port: mockPort, headers: {}, models, pid: undefined },
    bare_ledger: { port: bare.port, headers: bare.headers, models, pid: bare.running?.pid },
    governed: { port: door.port, headers: door.headers, models, pid: door.running?.pid },
  }
}

/** Sends an order to the process aside and waits for what comes of it. */
async function ask<T extends StreamResult | Held>({ child, said }: Running, order: AsideOrder): Promise<T> {
  const asking = new AbortController()
  const { signal } = asking
  const answered = once(child, 'message', { signal })
  const ended = once(child, 'exit', { signal }).then(() =>
    Promise.reject(new Error(`the load ended: ${said()}`)),
  )
  child.send(order)
  try {
    const [result] = (await Promise.race([answered, ended])) as [T]
    return result
  } finally {
    // Or each order would leave its listeners behind.
    asking.abort()
  }
}

interface Stage {
  readonly aside: Running
  readonly targets: Targets
}

async function runFlow(
  options: StreamsOptions,
  { streams, frames }: { readonly streams: number; readonly frames: number },
  { aside, targets }: Stage,
): Promise<Flow> {
  const results: Record<Who, StreamResult[]> = { direct: [], bare_ledger: [], governed: [] }
  // Round 0 warms up.
  for (let turn = 0; turn <= options.rounds; turn += 1) {
    // Each comes as often before the others as behind them.
    for (const who of turn % 2 === 0 ? ORDER : ORDER.toReversed()) {
      const warmMs = frames * PACE_MS + 500
      const shape = { streams, frames, warmMs, measureMs: options.seconds * 1_000 }
      const result = await ask<StreamResult>(aside, { do: 'paced', order: { ...targets[who], ...shape } })
      if (turn > 0) results[who].push(result)
    }
    options.say(`${streams} streams: ${turn === 0 ? 'warmed up' : `round ${turn} of ${options.rounds}`}`)
  }
  const { direct, bare_ledger, governed } = results
  return {
    direct: summarise(direct),
    bare_ledger: summarise(bare_ledger),
    governed: summarise(governed),
    added_us: added(governed, direct),
    over_bare_ledger_us: added(governed, bare_ledger),
  }
}

function added(ours: readonly StreamResult[], theirs: readonly StreamResult[]): Added {
  const difference = (pick: (result: StreamResult) => number): number | null =>
    pairedDifference(ours.map(pick), theirs.map(pick))
  return {
    first_token_p50: difference(({ firstTokenUs }) => firstTokenUs.p50),
    first_token_p99: difference(({ firstTokenUs }) => firstTokenUs.p99),
    frame_p50: difference(({ frameUs }) => frameUs.p50),
    frame_p99: difference(({ frameUs }) => frameUs.p99),
  }
}

/** Counts of all rounds together, and medians of what was measured in each. */
function summarise(rounds: readonly StreamResult[]): Row {
  const sum = (pick: (result: StreamResult) => number): number =>
    rounds.reduce((total, result) => total + pick(result), 0)
  const middle = (pick: (result: StreamResult) => number): number => round(median(rounds.map(pick)), 1)
  const spread = (pick: (result: StreamResult) => Spread): Spread => ({
    p50: middle((result) => pick(result).p50),
    p99: middle((result) => pick(result).p99),
  })
  const busy = rounds.flatMap(({ targetBusyPercent }) => targetBusyPercent ?? [])
  const firstFailure = rounds.find((result) => result.firstFailure !== undefined)?.firstFailure
  return {
    streams: sum((result) => result.streams),
    sent: sum((result) => result.sent),
    received: sum((result) => result.received),
    lost: sum((result) => result.lost),
    reordered: sum((result) => result.reordered),
    repeated: sum((result) => result.repeated),
    altered: sum((result) => result.altered),
    failed: sum((result) => result.failed),
    ...(firstFailure === undefined ? {} : { first_failure: firstFailure }),
    frames_per_s: middle(({ perSecond }) => perSecond),
    first_token_us: spread(({ firstTokenUs }) => firstTokenUs),
    frame_us: spread(({ frameUs }) => frameUs),
    whole_frame_us: spread(({ wholeFrameUs }) => wholeFrameUs),
    busy_percent: busy.length === 0 ? null : round(median(busy), 1),
    load_busy_percent: middle(({ loadBusyPercent }) => loadBusyPercent),
  }
}

async function holdStreams(
  { idle, slow, holdSeconds, say }: StreamsOptions,
  aside: Running,
  target: Target,
): Promise<StreamsReport['held']> {
  const pid = target.pid ?? 0
  const rss = (): number => memoryOf(pid)?.rss_mb ?? 0
  const before = rss()
  const samples: Sample[] = []
  const look = (seconds: number, held: Held): void => {
    const sample = { seconds, rss_mb: rss(), sockets: openSockets(pid) ?? 0, ...held }
    samples.push(sample)
    say(
      `${seconds} s: ${sample.rss_mb} MB, ${sample.sockets} sockets, ${held.idle} silent and ${held.slow} slow streams, ` +
        `an ordinary request: ${held.status} in ${held.ms} ms`,
    )
  }
  const opened = await ask<Held>(aside, { do: 'hold', target, idle, slow })
  const began = performance.now()
  look(0, opened)
  while (performance.now() - began < holdSeconds * 1_000) {
    await delay(EVERY_MS)
    const held = await ask<Held>(aside, { do: 'look', target, slow })
    look(round((performance.now() - began) / 1_000, 0), held)
  }
  return {
    idle,
    slow,
    rss_before_mb: before,
    samples,
    slope_mb_per_minute: slope(samples.map(({ seconds, rss_mb }) => [seconds / 60, rss_mb])),
  }
}
