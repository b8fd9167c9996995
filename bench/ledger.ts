import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { SYSTEM_CLOCK } from '#base/clock.ts'
import { newMlDsa44Pem } from '#base/crypto.ts'
import { NODE_FILES } from '#base/files.ts'
import { newEntryId } from '#base/ids.ts'
import type { EntryDraft, EntryKind } from '#base/recorder.ts'
import { openLedger, type Ledger } from '#trust/ledger/ledger.ts'
import type { LedgerKeys } from '#trust/ledger/open.ts'
import { describeMachine, type Machine } from './machine.ts'
import { median, quantile, round } from './statistics.ts'

export const PRODUCERS = [1, 16, 64] as const

export interface LedgerReport {
  readonly bench: 'ledger'
  readonly machine: Machine
  readonly rounds: number
  readonly seconds: number
  /** Intents that are awaited until they are on disk, by number of producers. */
  readonly appends: Readonly<Record<string, AppendRate>>
  /** An intent and an outcome, in a segment that is sealed. */
  readonly sealed_bytes_per_request: number | null
  readonly requests_written: number
}

interface AppendRate {
  readonly per_s: number
  readonly per_s_min: number
  readonly per_s_max: number
  readonly p50_us: number
  readonly p99_us: number
}

/** Enough for a few sealed segments of the default size. */
const REQUESTS = 60_000
const REQUEST_PRODUCERS = 64

/** Measures the ledger alone, with entries as the door writes them, on the disk of the temporary folder. */
export async function benchLedger(options: {
  readonly rounds: number
  readonly seconds: number
  readonly say: (line: string) => void
}): Promise<LedgerReport> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-ledger-'))
  try {
    const machine = describeMachine(folder)
    if (machine.disk_is_memory)
      options.say('the temporary folder is in memory: syncs cost nothing, and no figure counts')
    const appends = await measureAppends(path.join(folder, 'appends'), options)
    options.say(`writing ${REQUESTS} requests to be sealed`)
    const sealed = await measureBytes(path.join(folder, 'bytes'))
    const { rounds, seconds } = options
    return {
      bench: 'ledger',
      machine,
      rounds,
      seconds,
      appends,
      sealed_bytes_per_request: sealed,
      requests_written: REQUESTS,
    }
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

function newKeys(): LedgerKeys {
  const { privateKey } = generateKeyPairSync('ed25519')
  const signingPem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  const mlDsaPem = newMlDsa44Pem()
  return { signingPem, mlDsaPem, sidecarKey: randomBytes(32), pseudonymKey: randomBytes(32) }
}

function open(directory: string): Promise<Ledger> {
  return openLedger({ files: NODE_FILES, directory, keys: newKeys(), clock: SYSTEM_CLOCK })
}

async function measureAppends(
  directory: string,
  { rounds, seconds, say }: Parameters<typeof benchLedger>[0],
): Promise<Record<string, AppendRate>> {
  const ledger = await open(directory)
  const results = new Map<number, { rate: number; latencies: number[] }[]>(
    PRODUCERS.map((count) => [count, []]),
  )
  // Round 0 warms up.
  for (let at = 0; at <= rounds; at += 1) {
    for (const count of PRODUCERS) {
      const latencies = await produce(ledger, count, at === 0 ? 1 : seconds)
      if (at > 0) results.get(count)?.push({ rate: latencies.length / seconds, latencies })
    }
    say(at === 0 ? 'warmed up' : `round ${at} of ${rounds}`)
  }
  await ledger.close()
  return Object.fromEntries([...results].map(([count, list]) => [count, toRate(list)]))
}

/** Milliseconds that each append took. */
async function produce(ledger: Ledger, count: number, seconds: number): Promise<number[]> {
  const latencies: number[] = []
  const until = performance.now() + seconds * 1_000
  const work = async (): Promise<void> => {
    for (let started = performance.now(); started < until; started = performance.now()) {
      await ledger.append(intent(newEntryId()))
      latencies.push(performance.now() - started)
    }
  }
  await Promise.all(Array.from({ length: count }, work))
  return latencies
}

function toRate(list: readonly { rate: number; latencies: readonly number[] }[]): AppendRate {
  const rates = list.map(({ rate }) => Math.round(rate))
  const us = (share: number): number =>
    Math.round(
      1_000 *
        median(
          list.map(({ latencies }) =>
            quantile(
              latencies.toSorted((a, b) => a - b),
              share,
            ),
          ),
        ),
    )
  return {
    per_s: median(rates),
    per_s_min: Math.min(...rates),
    per_s_max: Math.max(...rates),
    p50_us: us(0.5),
    p99_us: us(0.99),
  }
}

async function measureBytes(directory: string): Promise<number | null> {
  const ledger = await open(directory)
  let left = REQUESTS
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      const id = newEntryId()
      await ledger.append(intent(id))
      ledger.appendLater(outcome(id))
    }
  }
  await Promise.all(Array.from({ length: REQUEST_PRODUCERS }, work))
  await ledger.checkpoint()
  await ledger.settled()
  const { bytesPerEntry } = ledger.state()
  await ledger.close()
  // Two entries each.
  return bytesPerEntry === undefined ? null : round(2 * bytesPerEntry, 1)
}

const SET = randomBytes(32).toString('hex')

function draft(kind: EntryKind, id: string, fields: EntryDraft['fields']): EntryDraft {
  return { kind, id, at: SYSTEM_CLOCK.now(), fields, reserved: false }
}

/** Hashes and ids differ from entry to entry, as they do in life: they are what does not compress. */
function intent(id: string): EntryDraft {
  return draft('intent', id, {
    action: 'model:infer',
    caller: 'Service::"bench"',
    kid: 'k7Qb2mYp0sXk',
    address: '127.0.0.1',
    content: randomBytes(32).toString('hex'),
    resource: 'Model::"house"',
    policies: ['default.models'],
    set: SET,
  })
}

function outcome(id: string): EntryDraft {
  return draft('outcome', id, {
    provider: 'openai',
    region: 'eu',
    tokens_in: 150 + (id.charCodeAt(0) % 100),
    tokens_out: 40 + (id.charCodeAt(1) % 100),
    status: 200,
    content: randomBytes(32).toString('hex'),
    ms: id.charCodeAt(2) % 20,
  })
}

export function drawLedger({ machine, appends, ...report }: LedgerReport): string {
  return [
    `${machine.cpu}, ${machine.cores} cores, Node ${machine.node}, fdatasync p50 ${machine.fdatasync_p50_us} µs`,
    'producers   appends/s  (min–max)             p50 µs   p99 µs',
    ...Object.entries(appends).map(([count, rate]) => {
      const range = `(${rate.per_s_min}–${rate.per_s_max})`
      const times = `${String(rate.p50_us).padStart(8)} ${String(rate.p99_us).padStart(8)}`
      return `${count.padStart(9)} ${String(rate.per_s).padStart(11)}  ${range.padEnd(20)} ${times}`
    }),
    `${report.sealed_bytes_per_request ?? 'no segment was sealed: no'} bytes per request (intent and outcome) on disk, sealed; ${report.requests_written} written`,
  ].join('\n')
}
