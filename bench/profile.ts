import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { CONTESTANTS, type Contestant } from './contestants.ts'
import { burst, startAside } from './door.ts'
import { describeMachine, type Machine } from './machine.ts'
import { canPin, ROOT, stopAll } from './processes.ts'
import { round } from './statistics.ts'

/** What V8 writes with --cpu-prof, as far as it is read here; times are microseconds of the monotonic clock. */
export interface CpuProfile {
  readonly startTime: number
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
  }[]
  readonly samples: readonly number[]
  readonly timeDeltas: readonly number[]
}

export interface ProfileReport {
  readonly bench: 'profile'
  readonly machine: Machine
  readonly concurrency: number
  readonly req_per_s: number
  /** Processor time of the main thread for one request. */
  readonly us_per_request: number
  readonly busy_percent: number
  readonly places: readonly Share[]
  readonly functions: readonly Share[]
}

interface Share {
  readonly name: string
  readonly percent: number
  readonly us_per_request: number
}

const WARM_MS = 3_000
const FUNCTIONS = 30
const SHOWN_PERCENT = 0.2

/** Runs our door under load with V8's profiler and says where the time of its main thread goes. */
export async function profileDoor(options: {
  readonly seconds: number
  readonly concurrency: number
  readonly say: (line: string) => void
}): Promise<ProfileReport> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-profile-'))
  try {
    const pinned = canPin()
    const { load, mockPort } = await startAside(pinned)
    const doorFlags = ['--cpu-prof', '--cpu-prof-dir', folder, '--cpu-prof-interval', '200']
    const core = pinned ? (0 as const) : undefined
    const door = await CONTESTANTS.governed({ mockPort, folder, core, say: options.say, doorFlags })
    const measured = await underLoad(load, door, options)
    await door.running?.stop()
    const file = fs.readdirSync(folder).find((name) => name.endsWith('.cpuprofile'))
    if (file === undefined) throw new Error(`the door left no profile: ${door.running?.said() ?? ''}`)
    const profile = JSON.parse(fs.readFileSync(path.join(folder, file), 'utf8')) as CpuProfile
    return {
      ...summarise(profile, measured),
      machine: describeMachine(folder),
      concurrency: options.concurrency,
    }
  } finally {
    await stopAll()
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

interface Measured {
  readonly fromUs: number
  readonly untilUs: number
  readonly requests: number
}

async function underLoad(
  load: Parameters<typeof burst>[0],
  door: Contestant,
  { seconds, concurrency }: { readonly seconds: number; readonly concurrency: number },
): Promise<Measured> {
  await burst(load, door, { concurrency, warmMs: 0, measureMs: WARM_MS })
  const now = (): number => Number(process.hrtime.bigint() / 1_000n)
  const fromUs = now()
  const { requests, errors, firstError } = await burst(load, door, {
    concurrency,
    warmMs: 0,
    measureMs: seconds * 1_000,
  })
  if (errors > 0) throw new Error(`${errors} errors under load: ${firstError}`)
  return { fromUs, untilUs: now(), requests }
}

/** Self times within the window of load, by the part of the project or the package they belong to. */
export function summarise(
  profile: CpuProfile,
  { fromUs, untilUs, requests }: Measured,
): Omit<ProfileReport, 'machine' | 'concurrency'> {
  const nodes = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]))
  const places = new Map<string, number>()
  const functions = new Map<string, number>()
  const add = (map: Map<string, number>, key: string, us: number): void =>
    void map.set(key, (map.get(key) ?? 0) + us)
  let [at, total] = [profile.startTime, 0]
  profile.samples.forEach((id, index) => {
    const us = Math.max(0, profile.timeDeltas[index] ?? 0)
    at += us
    const frame = nodes.get(id)
    if (frame === undefined || at < fromUs || at > untilUs) return
    total += us
    add(places, placeOf(frame), us)
    add(functions, `${frame.functionName || '(anonymous)'}  ${fileOf(frame.url)}:${frame.lineNumber + 1}`, us)
  })
  const share = ([name, us]: [string, number]): Share => ({
    name,
    percent: round((100 * us) / total, 1),
    us_per_request: round(us / requests, 2),
  })
  const sorted = (map: Map<string, number>): [string, number][] => [...map].toSorted((a, b) => b[1] - a[1])
  const busy = total - (places.get('idle') ?? 0)
  return {
    bench: 'profile',
    req_per_s: Math.round((requests * 1_000_000) / (untilUs - fromUs)),
    us_per_request: round(busy / requests, 1),
    busy_percent: round((100 * busy) / total, 1),
    places: sorted(places).map(share),
    functions: sorted(functions)
      .filter(([name]) => !name.startsWith('(idle)'))
      .slice(0, FUNCTIONS)
      .map(share),
  }
}

const OWN = new Map([
  ['(idle)', 'idle'],
  ['(garbage collector)', 'garbage collector'],
  // The engine itself, and native code that it cannot name.
  ['(program)', 'engine'],
])

/** `src/trust/ledger`, `src/base/json.ts`, `package undici`, `node:http`, `wasm`, `native functions` (of V8 and Node), … */
export function placeOf({
  functionName,
  url,
}: {
  readonly functionName: string
  readonly url: string
}): string {
  if (url === '') return OWN.get(functionName) ?? 'native functions'
  if (url.startsWith('wasm:')) return 'wasm'
  if (url.startsWith('node:'))
    return `node:${
      url
        .slice(5)
        .replace(/^internal\//, '')
        .split('/')[0] ?? ''
    }`
  const file = fileOf(url)
  const inPackage = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file)?.[1]
  if (inPackage !== undefined) return `package ${inPackage}`
  return file.split('/').slice(0, 3).join('/')
}

function fileOf(url: string): string {
  return url.startsWith('file:') ? path.relative(ROOT, fileURLToPath(url)) : url
}

export function drawProfile(report: ProfileReport): string {
  const row = ({ name, percent, us_per_request }: Share): string =>
    `  ${percent.toFixed(1).padStart(5)} %  ${us_per_request.toFixed(2).padStart(7)} µs  ${name}`
  return [
    `${report.req_per_s} req/s at concurrency ${report.concurrency} while profiled; the main thread was busy ${report.busy_percent} %`,
    `${report.us_per_request} µs of it per request; its time by place:`,
    ...report.places.filter(({ percent }) => percent >= SHOWN_PERCENT).map(row),
    '',
    `the ${FUNCTIONS} functions with most time of their own:`,
    ...report.functions.map(row),
  ].join('\n')
}
