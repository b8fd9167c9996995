import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { CONTESTANTS } from './contestants.ts'
import { burst, startAside } from './door.ts'
import { describeMachine, type Machine } from './machine.ts'
import { canPin, memoryOf, stopAll } from './processes.ts'
import { round, slope } from './statistics.ts'

/** How much memory our door holds under steady load, and whether it comes to a rest. */
export interface SoakReport {
  readonly bench: 'soak'
  readonly machine: Machine
  readonly pinned: boolean
  readonly minutes: number
  readonly concurrency: number
  readonly requests: number
  readonly errors: number
  /** Resident memory after the warm-up, at the end, and at its highest since the process began. */
  readonly start_mb: number
  readonly end_mb: number
  readonly peak_mb: number
  /** Of the line that lies closest to all samples; null with less than two. */
  readonly slope_mb_per_minute: number | null
  readonly samples: readonly { readonly seconds: number; readonly rss_mb: number }[]
}

export interface SoakOptions {
  readonly minutes: number
  readonly concurrency: number
  /** Length of one burst of load, with one sample after it. */
  readonly everyMs?: number
  readonly warmMs?: number
  readonly say: (line: string) => void
}

const EVERY_MS = 10_000
/** Code is still being compiled, and the first segments of the ledger fill. */
const WARM_MS = 20_000
const MINUTE_MS = 60_000

/** Runs our door under load for so many minutes, and looks at its memory after each burst. */
export async function soakDoor(options: SoakOptions): Promise<SoakReport> {
  const { minutes, concurrency, everyMs = EVERY_MS, warmMs = WARM_MS, say } = options
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-soak-'))
  try {
    const pinned = canPin()
    const { load, mockPort } = await startAside(pinned)
    const core = pinned ? (0 as const) : undefined
    const door = await CONTESTANTS.governed({ mockPort, folder, core, say })
    const memory = (): { rss_mb: number; peak_mb: number } => {
      const used = memoryOf(door.running?.pid ?? 0)
      if (used === undefined) throw new Error('the memory of a process cannot be read here')
      return used
    }
    await burst(load, door, { concurrency, warmMs: 0, measureMs: warmMs })
    const began = performance.now()
    const samples = [{ seconds: 0, rss_mb: memory().rss_mb }]
    let [requests, errors] = [0, 0]
    while (performance.now() - began < minutes * MINUTE_MS) {
      const result = await burst(load, door, { concurrency, warmMs: 0, measureMs: everyMs })
      requests += result.requests
      errors += result.errors
      const sample = { seconds: round((performance.now() - began) / 1_000, 0), rss_mb: memory().rss_mb }
      samples.push(sample)
      say(`${sample.seconds} s: ${sample.rss_mb} MB, ${result.perSecond} req/s`)
    }
    return {
      bench: 'soak',
      machine: describeMachine(folder),
      pinned,
      minutes,
      concurrency,
      requests,
      errors,
      start_mb: samples[0]?.rss_mb ?? 0,
      end_mb: samples.at(-1)?.rss_mb ?? 0,
      peak_mb: memory().peak_mb,
      slope_mb_per_minute: slope(samples.map(({ seconds, rss_mb }) => [seconds / 60, rss_mb])),
      samples,
    }
  } finally {
    await stopAll()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** The report as a few lines for people. */
export function drawSoak(report: SoakReport): string {
  const { machine, minutes, concurrency, requests, errors, start_mb, end_mb, peak_mb } = report
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memory_gb} GB, ${machine.system}, Node ${machine.node}`,
    `${minutes} minutes, ${concurrency} connections: ${requests} requests, ${errors} errors`,
    `resident memory ${start_mb} MB at the start, ${end_mb} MB at the end, ${peak_mb} MB at its highest`,
    `it changed by ${report.slope_mb_per_minute ?? '–'} MB per minute`,
  ].join('\n')
}
